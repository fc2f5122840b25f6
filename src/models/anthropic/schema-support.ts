/**
 * Which JSON Schemas this provider can hold a model to, and the form it wants them in: closed objects and no bounds of
 * numbers, texts or lists. What lies outside is not sent as a constraint; a wrapper checks the answer instead.
 */
import type { TextFormat } from '../../protocol/options.ts'
import { asFields, asList, asText, type Fields, isFields } from '../upstream/fields.ts'

const PLAIN_KEYWORDS: ReadonlySet<string> = new Set([
  'type',
  'title',
  'description',
  'default',
  'const',
  'required',
  '$defs',
  'definitions',
  'properties',
  'items',
  'anyOf',
])
const FORMATS: ReadonlySet<string> = new Set([
  'date-time',
  'time',
  'date',
  'duration',
  'email',
  'hostname',
  'uri',
  'ipv4',
  'ipv6',
  'uuid',
])
/** Lookaround, word borders and back references cannot be sampled by. */
const HARD_PATTERN = /\(\?(?!:)|\\[bB1-9k]/

/** Of one request, all its constrained schemas together. */
export const SCHEMA_LIMITS = { strictTools: 20, optional: 24, unions: 16 } as const

export type SchemaCost = { readonly optional: number; readonly unions: number }

/** Null where the provider cannot hold a model to the schema. */
export function costOfSchema(schema: Fields): SchemaCost | null {
  let optional = 0
  let unions = 0
  const open = new Set<Fields>()

  const fits = (node: unknown): boolean => {
    const fields = asFields(node)
    // A schema inside itself is met again while it is still open.
    if (!fields || open.has(fields)) return false
    open.add(fields)
    count(fields)
    const fine =
      Object.keys(fields).every((keyword) => fitsKeyword(keyword, fields)) && childrenOf(fields, schema).every(fits)
    open.delete(fields)
    return fine
  }
  const count = (fields: Fields) => {
    const required = asList(fields.required)
    optional += Object.keys(asFields(fields.properties) ?? {}).filter((name) => !required.includes(name)).length
    if (Array.isArray(fields.type) || fields.anyOf !== undefined) unions++
  }
  const { $schema: _, ...root } = schema
  return fits(root) ? { optional, unions } : null
}

function fitsKeyword(keyword: string, schema: Fields): boolean {
  const value = schema[keyword]
  switch (keyword) {
    case 'additionalProperties':
      return value === false
    case 'enum':
      return asList(value).every((entry) => !isFields(entry) && !Array.isArray(entry))
    case 'format':
      return FORMATS.has(asText(value) ?? '')
    case 'minItems':
      return value === 0 || value === 1
    case 'pattern':
      return !HARD_PATTERN.test(asText(value) ?? '')
    case '$ref':
      return /^#\//.test(asText(value) ?? '')
    default:
      return PLAIN_KEYWORDS.has(keyword)
  }
}

/** Definitions count where they are referred to. A reference that leads nowhere leads to null. */
function childrenOf(schema: Fields, root: Fields): readonly unknown[] {
  return [
    ...Object.values(asFields(schema.properties) ?? {}),
    ...(schema.items === undefined ? [] : [schema.items]),
    ...asList(schema.anyOf),
    ...(schema.$ref === undefined ? [] : [follow(asText(schema.$ref) ?? '', root)]),
  ]
}

function follow(reference: string, root: Fields): unknown {
  const names = reference.slice('#/'.length).split('/')
  return names.reduce<unknown>((node, name) => {
    const key = decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~')
    return isFields(node) && Object.hasOwn(node, key) ? node[key] : null
  }, root)
}

/** Every object says that it is closed, as the provider demands. What is valid then is valid for the schema as given. */
export function closeObjects(schema: Fields): Fields {
  const { $schema: _, ...rest } = schema
  const closed = Object.fromEntries(Object.entries(rest).map(([keyword, value]) => [keyword, closeIn(keyword, value)]))
  const isObject = closed.type === 'object' || asList(closed.type).includes('object') || closed.properties !== undefined
  return isObject ? { ...closed, additionalProperties: false } : closed
}

function closeIn(keyword: string, value: unknown): unknown {
  switch (keyword) {
    case 'properties':
    case '$defs':
    case 'definitions':
      return Object.fromEntries(Object.entries(asFields(value) ?? {}).map(([name, it]) => [name, closeChild(it)]))
    case 'anyOf':
      return asList(value).map(closeChild)
    case 'items':
      return closeChild(value)
    default:
      return value
  }
}

const closeChild = (schema: unknown): unknown => (isFields(schema) ? closeObjects(schema) : schema)

/** Whether a format is sent as a constraint; a wrapper answers for the others. */
export function carriesFormat(format: TextFormat, structuredOutput: boolean): boolean {
  if (format.type === 'text') return true
  if (format.type === 'json_object' || !structuredOutput) return false
  const cost = costOfSchema(format.schema)
  return cost !== null && cost.optional <= SCHEMA_LIMITS.optional && cost.unions <= SCHEMA_LIMITS.unions
}
