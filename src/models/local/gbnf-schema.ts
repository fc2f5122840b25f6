/**
 * JSON Schema -> the part of it that can become a grammar. `exact`: whatever the grammar allows is valid, and nothing
 * that a model may want to say is lost. Else some words have no counterpart, or properties that may be left out are
 * demanded.
 */

export type GrammarSchema = Readonly<Record<string, unknown>>
export type GrammarResult = { readonly schema: GrammarSchema; readonly exact: boolean }

type Json = Readonly<Record<string, unknown>>

/** Words that say nothing about what is valid. */
const ANNOTATIONS: ReadonlySet<string> = new Set([
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  '$schema',
  '$id',
  '$comment',
])
const SCALARS: ReadonlySet<string> = new Set(['string', 'number', 'integer', 'boolean', 'null'])
const FORMATS: ReadonlySet<string> = new Set(['date-time', 'time', 'date'])
const MAX_DEPTH = 64
const DEFS = '#/$defs/'
/** Any JSON value: a schema without words would become the value null. */
const ANY: GrammarSchema = {
  oneOf: [
    { type: ['string', 'number', 'boolean', 'null'] },
    { type: 'array' },
    { type: 'object', additionalProperties: true },
  ],
}

export function toGrammarSchema(schema: unknown): GrammarResult {
  const root = isObject(schema) ? schema : {}
  const defs = isObject(root.$defs) ? root.$defs : null
  const reader: Reader = { exact: true, defs: new Set(Object.keys(defs ?? {})) }
  const converted = convert(root, reader, 0)
  if (defs === null) return { schema: converted, exact: reader.exact }
  const $defs = Object.fromEntries(Object.entries(defs).map(([name, def]) => [name, convert(def, reader, 1)]))
  return { schema: { ...converted, $defs }, exact: reader.exact }
}

type Reader = { exact: boolean; readonly defs: ReadonlySet<string> }

function convert(schema: unknown, reader: Reader, depth: number): GrammarSchema {
  if (!isObject(schema) || depth > MAX_DEPTH) {
    if (schema !== true) reader.exact = false
    return ANY
  }
  if (typeof schema.$ref === 'string') return reference(schema, reader)
  if ('const' in schema) return only(schema, ['const', 'type'], reader, { const: scalarOr(schema.const, reader) })
  if (Array.isArray(schema.enum)) {
    return only(schema, ['enum', 'type'], reader, { enum: schema.enum.map((value) => scalarOr(value, reader)) })
  }
  const choices = schema.anyOf ?? schema.oneOf
  if (Array.isArray(choices)) {
    // A grammar takes the first that fits: of `oneOf` it may be that a second one fits as well.
    if (schema.oneOf !== undefined) reader.exact = false
    const oneOf = choices.map((choice) => convert(choice, reader, depth + 1))
    return only(schema, ['anyOf', 'oneOf', 'type'], reader, { oneOf })
  }
  return byType(schema, reader, depth)
}

function reference(schema: Json, reader: Reader): GrammarSchema {
  const { $ref } = schema
  const name = typeof $ref === 'string' && $ref.startsWith(DEFS) ? $ref.slice(DEFS.length) : ''
  if (reader.defs.has(name)) return only(schema, ['$ref'], reader, { $ref })
  reader.exact = false
  return ANY
}

function byType(schema: Json, reader: Reader, depth: number): GrammarSchema {
  const { type } = schema
  if (Array.isArray(type)) {
    if (type.every((one) => typeof one === 'string' && SCALARS.has(one)) && !type.includes('string')) {
      return only(schema, ['type'], reader, { type })
    }
    const { type: _, ...rest } = schema
    return { oneOf: type.map((one) => byType(relevant({ ...rest, type: one }), reader, depth + 1)) }
  }
  if (type === 'object' || (type === undefined && isObject(schema.properties))) return object(schema, reader, depth)
  if (type === 'array') return array(schema, reader, depth)
  if (type === 'string') return string(schema, reader)
  if (typeof type === 'string' && SCALARS.has(type)) return only(schema, ['type'], reader, { type })
  return only(schema, [], reader, ANY)
}

/** Of a schema with several types, what concerns this one. */
function relevant(schema: Json): Json {
  const { type } = schema
  const words: Readonly<Record<string, readonly string[]>> = {
    object: ['properties', 'required', 'additionalProperties', 'minProperties', 'maxProperties'],
    array: ['items', 'prefixItems', 'minItems', 'maxItems'],
    string: ['minLength', 'maxLength', 'pattern', 'format'],
  }
  const foreign = Object.entries(words).flatMap(([of, names]) => (of === type ? [] : names))
  return Object.fromEntries(Object.entries(schema).filter(([name]) => !foreign.includes(name)))
}

function object(schema: Json, reader: Reader, depth: number): GrammarSchema {
  const properties = isObject(schema.properties) ? schema.properties : {}
  const required: readonly unknown[] = Array.isArray(schema.required) ? schema.required : []
  // A grammar demands every property it knows, so one that leads back to itself would never end.
  const kept = Object.entries(properties).filter(([name, of]) => required.includes(name) || !hasReference(of))
  const converted = kept.map(([name, of]) => [name, convert(of, reader, depth + 1)] as const)
  if (Object.keys(properties).some((name) => !required.includes(name))) reader.exact = false
  if (required.some((name) => typeof name !== 'string' || !Object.hasOwn(properties, name))) reader.exact = false
  // What is not described is not wanted; only an object that describes nothing, or asks for more, is left open.
  const { additionalProperties: more = Object.keys(properties).length === 0 } = schema
  const additionalProperties = isObject(more) ? convert(more, reader, depth + 1) : more === true
  return only(schema, ['type', 'properties', 'required', 'additionalProperties'], reader, {
    type: 'object',
    properties: Object.fromEntries(converted),
    additionalProperties,
  })
}

const hasReference = (schema: unknown): boolean => JSON.stringify(schema).includes('"$ref"')

function array(schema: Json, reader: Reader, depth: number): GrammarSchema {
  const { items, minItems, maxItems } = schema
  return only(schema, ['type', 'items', 'minItems', 'maxItems'], reader, {
    type: 'array',
    ...(items !== undefined && { items: convert(items, reader, depth + 1) }),
    ...(typeof minItems === 'number' && { minItems }),
    ...(typeof maxItems === 'number' && { maxItems }),
  })
}

function string(schema: Json, reader: Reader): GrammarSchema {
  const { format, minLength, maxLength } = schema
  if (typeof format === 'string' && FORMATS.has(format)) {
    return only(schema, ['type', 'format'], reader, { type: 'string', format })
  }
  return only(schema, ['type', 'minLength', 'maxLength'], reader, {
    type: 'string',
    ...(typeof minLength === 'number' && { minLength }),
    ...(typeof maxLength === 'number' && { maxLength }),
  })
}

/** The result, and whether the schema says no more than the known words. */
function only(schema: Json, known: readonly string[], reader: Reader, result: GrammarSchema): GrammarSchema {
  const rest = Object.keys(schema).filter((name) => !known.includes(name) && !ANNOTATIONS.has(name) && name !== '$defs')
  if (rest.length > 0) reader.exact = false
  return result
}

function scalarOr(value: unknown, reader: Reader): unknown {
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value
  reader.exact = false
  return JSON.stringify(value)
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
