/**
 * JSON Schema -> the part of it that Gemini knows (`responseJsonSchema`, `parametersJsonSchema`).
 *
 * What has another spelling there is written that way: `const` as a list of one, `oneOf` as `anyOf`, `allOf` folded,
 * `definitions` as `$defs`. A keyword that Gemini cannot hold the model to is named in `lost`, and its words stand in
 * the description, so that the model at least reads them. Annotations go without a word.
 */
import { mergeSchemas } from '../../lib/merge-schemas.ts'
import { isRecord, jsonTypeOf } from '../../lib/schema-values.ts'
import type { GeminiSchema } from './wire.ts'

type Schema = Readonly<Record<string, unknown>>
export type EncodedSchema = {
  readonly schema: GeminiSchema
  /** Paths of the keywords that are only described, as `properties.city.pattern`. */
  readonly lost: readonly string[]
}

export function encodeSchema(schema: Schema): EncodedSchema {
  const lost: string[] = []
  return { schema: encodeNode(schema, { path: '', lost }), lost }
}

type Place = { readonly path: string; readonly lost: string[] }
const inside = (place: Place, ...steps: readonly (string | number)[]): Place => ({
  ...place,
  path: [place.path, ...steps].filter((step) => step !== '').join('.'),
})

const COPIED: ReadonlySet<string> = new Set([
  '$id',
  '$anchor',
  'type',
  'title',
  'description',
  'required',
  'minItems',
  'maxItems',
  'minimum',
  'maximum',
  'propertyOrdering',
])

/** Bounds that Gemini does not know. A `uniqueItems` of false, say, bounds nothing and is left out. */
const UNKNOWN_BOUNDS: ReadonlySet<string> = new Set([
  'pattern',
  'minLength',
  'maxLength',
  'multipleOf',
  'uniqueItems',
  'minProperties',
  'maxProperties',
  'patternProperties',
  'propertyNames',
  'dependentRequired',
  'dependentSchemas',
  'dependencies',
  'not',
  'if',
  'then',
  'else',
  'contains',
  'minContains',
  'maxContains',
  'unevaluatedProperties',
  'unevaluatedItems',
  'additionalItems',
])

const KNOWN_FORMATS: ReadonlySet<unknown> = new Set(['date-time', 'date', 'time', 'float', 'double', 'int32', 'int64'])

type Draft = {
  readonly out: Record<string, unknown>
  readonly described: Record<string, unknown>
  readonly place: Place
}
type Rule = (value: unknown, draft: Draft, schema: Schema) => void

const lose = ({ described, place }: Draft, key: string, value: unknown) => {
  described[key] = value
  place.lost.push(inside(place, key).path)
}

const RULES: Readonly<Record<string, Rule>> = {
  $ref: (value, draft, schema) => {
    if (schema.anyOf ?? schema.oneOf) lose(draft, '$ref', value)
    else draft.out.$ref = String(value).replace(/^#\/definitions\//, '#/$defs/')
  },
  $defs: (value, { out, place }) => {
    out.$defs = { ...toRecord(out.$defs), ...encodeMap(value, inside(place, '$defs')) }
  },
  definitions: (value, { out, place }) => {
    out.$defs = { ...toRecord(out.$defs), ...encodeMap(value, inside(place, 'definitions')) }
  },
  properties: (value, { out, place }) => {
    out.properties = encodeMap(value, inside(place, 'properties'))
  },
  additionalProperties: (value, { out, place }) => {
    out.additionalProperties =
      typeof value === 'boolean' ? value : encodeAny(value, inside(place, 'additionalProperties'))
  },
  items: (value, draft) => {
    const { out, place } = draft
    if (Array.isArray(value)) out.prefixItems = encodeList(value, inside(place, 'items'))
    else if (isRecord(value)) out.items = encodeNode(value, inside(place, 'items'))
    else if (value === false) lose(draft, 'items', value)
  },
  prefixItems: (value, { out, place }) => {
    out.prefixItems = encodeList(value, inside(place, 'prefixItems'))
  },
  anyOf: (value, { out, place }) => {
    out.anyOf = encodeList(value, inside(place, 'anyOf'))
  },
  oneOf: (value, draft, schema) => {
    if (schema.anyOf !== undefined) lose(draft, 'oneOf', value)
    else draft.out.anyOf = encodeList(value, inside(draft.place, 'oneOf'))
  },
  enum: (value, draft) => encodeValues('enum', Array.isArray(value) ? value : [], draft),
  const: (value, draft) => encodeValues('const', [value], draft),
  format: (value, draft) => {
    if (KNOWN_FORMATS.has(value)) draft.out.format = value
    else lose(draft, 'format', value)
  },
  exclusiveMinimum: (value, draft, schema) => encodeOpenBound('exclusiveMinimum', value, draft, schema),
  exclusiveMaximum: (value, draft, schema) => encodeOpenBound('exclusiveMaximum', value, draft, schema),
}

function encodeNode(original: Schema, place: Place): GeminiSchema {
  const schema = foldAllOf(original)
  const draft: Draft = { out: {}, described: {}, place }
  if (foldsInPart(original)) lose(draft, 'allOf', original.allOf)
  const entries = Object.entries(schema)
  for (const [key, value] of entries) if (COPIED.has(key)) draft.out[key] = value
  // What rules write may depend on what was copied, and stands above it.
  for (const [key, value] of entries) {
    if (Object.hasOwn(RULES, key)) RULES[key]?.(value, draft, schema)
    else if (UNKNOWN_BOUNDS.has(key) && value !== false) lose(draft, key, value)
  }
  return withReferenceAlone(describe(draft))
}

function describe({ out, described }: Draft): Record<string, unknown> {
  if (Object.keys(described).length === 0) return out
  const words = `Must also be valid against this JSON Schema: ${JSON.stringify(described)}`
  return { ...out, description: typeof out.description === 'string' ? `${out.description}\n${words}` : words }
}

/** Beside `$ref` nothing may stand but what begins with `$`. */
function withReferenceAlone(schema: Record<string, unknown>): GeminiSchema {
  const { $ref, ...rest } = schema
  if ($ref === undefined || Object.keys(rest).every((key) => key.startsWith('$'))) return schema
  return { ...rest, anyOf: [{ $ref }] }
}

function foldAllOf(schema: Schema): Schema {
  const { allOf, ...rest } = schema
  if (!Array.isArray(allOf)) return schema
  let folded: Schema = rest
  for (const part of allOf) if (isRecord(part)) folded = mergeSchemas(folded, foldAllOf(part))
  return folded
}

/** What folding keeps only once, so that a second one beside it would be lost. */
const KEPT_ONCE = ['$ref', 'anyOf', 'oneOf', 'pattern', 'format', 'const', 'not', 'if', 'contains']

function foldsInPart({ allOf, ...rest }: Schema): boolean {
  if (!Array.isArray(allOf)) return false
  const parts = [rest, ...allOf.filter(isRecord)]
  return KEPT_ONCE.some((key) => parts.filter((part) => part[key] !== undefined).length > 1)
}

const toRecord = (value: unknown): Schema => (isRecord(value) ? value : {})

const encodeMap = (value: unknown, place: Place): Schema =>
  Object.fromEntries(
    Object.entries(toRecord(value)).map(([name, entry]) => [name, encodeAny(entry, inside(place, name))]),
  )

const encodeList = (value: unknown, place: Place): readonly GeminiSchema[] =>
  (Array.isArray(value) ? value : []).map((entry, index) => encodeAny(entry, inside(place, index)))

/** A schema may be a boolean: everything is valid, or nothing, which has no form here. */
function encodeAny(value: unknown, place: Place): GeminiSchema {
  if (isRecord(value)) return encodeNode(value, place)
  if (value !== false) return {}
  place.lost.push(place.path)
  return { description: 'No value is valid here.' }
}

/** Lists of values hold texts and numbers only. `null` has a type to say it; booleans have one for both. */
function encodeValues(key: 'enum' | 'const', values: readonly unknown[], draft: Draft): void {
  const { out } = draft
  const plain = values.filter((value) => typeof value === 'string' || typeof value === 'number')
  const types = [...new Set(values.map(jsonTypeOf))]
  if (plain.length === values.length) {
    out.enum = plain
    return
  }
  if (types.some((type) => type !== 'null' && type !== 'string' && type !== 'integer' && type !== 'number')) {
    if (key === 'const' || values.length < 2 || types.some((type) => type !== 'boolean')) lose(draft, key, values)
    out.type ??= types.length === 1 ? types[0] : types
  } else if (plain.length === 0) out.type = 'null'
  else {
    delete out.type
    out.anyOf = [{ enum: plain }, { type: 'null' }]
  }
}

/** Between whole numbers an open bound is a closed one; elsewhere the closed one is nearly as good, and said. */
function encodeOpenBound(
  key: 'exclusiveMinimum' | 'exclusiveMaximum',
  value: unknown,
  draft: Draft,
  schema: Schema,
): void {
  if (typeof value !== 'number') return
  const closed = key === 'exclusiveMinimum' ? 'minimum' : 'maximum'
  const isWhole = schema.type === 'integer'
  if (!isWhole) lose(draft, key, value)
  const step = !isWhole ? value : key === 'exclusiveMinimum' ? Math.floor(value) + 1 : Math.ceil(value) - 1
  const stated = schema[closed]
  if (typeof stated !== 'number') draft.out[closed] = step
  else draft.out[closed] = closed === 'minimum' ? Math.max(stated, step) : Math.min(stated, step)
}
