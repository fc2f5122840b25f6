/**
 * Checks of JSON Schemas that clients write: for function parameters and for structured output.
 *
 * Two levels. Every schema must be bounded and self-contained (`checkUserSchema`). A strict one must also lie in the
 * subset that constrained decoding can hold (`checkStrictSchema`): the root is an object, every object lists all its
 * properties as required and is closed, and only certain keywords appear. Texts are OpenAI's, clients match on them.
 */
import { type ApiError, badRequest } from './errors.ts'
import { findUserSchemaProblem, USER_SCHEMA_LIMITS } from './user-schema.ts'

/** Where a schema stands in the request: its path, and the name that the client gave to it. */
export type SchemaPlace = {
  readonly param: string
  readonly name: string
  readonly kind: 'response_format' | 'function'
}

export const STRICT_LIMITS = {
  /** Objects inside objects. */
  levels: 10,
  properties: 5_000,
  enumValues: 1_000,
  /** Characters of all property names, definition names, enum values and const values together. */
  chars: 120_000,
  /** A string enum longer than this may hold `longEnumChars` characters in all. */
  longEnum: 250,
  longEnumChars: 15_000,
} as const

const FORBIDDEN_KEYWORDS = [
  'allOf',
  'oneOf',
  'not',
  'if',
  'then',
  'else',
  'dependentRequired',
  'dependentSchemas',
  'dependencies',
  'patternProperties',
  'propertyNames',
  'minProperties',
  'maxProperties',
  'unevaluatedProperties',
  'unevaluatedItems',
  'contains',
  'minContains',
  'maxContains',
  'uniqueItems',
  'prefixItems',
  'additionalItems',
]
const DEFINITION_KEYWORDS = ['$defs', 'definitions']

type JsonObject = Readonly<Record<string, unknown>>
type Node = { readonly schema: JsonObject; readonly context: readonly string[]; readonly level: number }
type Totals = { properties: number; enumValues: number; chars: number }

/** @throws ApiError 400 when the schema is too large, too deep, or refers to something outside itself. */
export function checkUserSchema(schema: JsonObject, place: SchemaPlace): void {
  const problem = findUserSchemaProblem(schema, maxChars(place.kind))
  if (problem !== null) throw invalidSchema(place, problem)
}

/** @throws ApiError 400 when the schema is outside the strict subset. */
export function checkStrictSchema(schema: JsonObject, place: SchemaPlace): void {
  const problem = findUserSchemaProblem(schema, maxChars(place.kind)) ?? findStrictProblem(schema)
  if (problem !== null) throw invalidSchema(place, problem)
}

/** Whether a function's parameters that do not say `strict` can be held strictly. */
export const isStrictCompatible = (schema: JsonObject): boolean =>
  findUserSchemaProblem(schema, maxChars('function')) === null && findStrictProblem(schema) === null

const maxChars = (kind: SchemaPlace['kind']) =>
  kind === 'function' ? USER_SCHEMA_LIMITS.functionChars : USER_SCHEMA_LIMITS.responseFormatChars

function invalidSchema(place: SchemaPlace, problem: string): ApiError {
  const code = place.kind === 'function' ? 'invalid_function_parameters' : 'invalid_json_schema'
  return badRequest(place.param, code, `Invalid schema for ${place.kind} '${place.name}': ${problem}`)
}

function findStrictProblem(root: JsonObject): string | null {
  if (root.type !== 'object') {
    const got = typeof root.type === 'string' ? root.type : 'None'
    return `schema must be a JSON Schema of 'type: "object"', got 'type: "${got}"'.`
  }
  if ('anyOf' in root) return "In context=(), 'anyOf' is not permitted at the root of the schema."
  const totals: Totals = { properties: 0, enumValues: 0, chars: 0 }
  const pending: Node[] = [{ schema: root, context: [], level: 1 }]
  for (let node = pending.pop(); node; node = pending.pop()) {
    const problem = findNodeProblem(node, root, totals) ?? addChildren(node, pending, totals)
    if (problem !== null) return problem
  }
  return (
    exceeds('object properties', totals.properties, STRICT_LIMITS.properties) ??
    exceeds('enum values', totals.enumValues, STRICT_LIMITS.enumValues) ??
    exceeds('characters of names, enum and const values', totals.chars, STRICT_LIMITS.chars)
  )
}

/** Never `String` of what a client sent: an object may have a `toString` that is none. */
const shown = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

const exceeds = (what: string, count: number, limit: number) =>
  count > limit ? `${count} ${what} exceeds limit of ${limit}.` : null

function findNodeProblem({ schema, context, level }: Node, root: JsonObject, totals: Totals): string | null {
  const inContext = `In context=${formatContext(context)}, `
  const forbidden = FORBIDDEN_KEYWORDS.find((keyword) => Object.hasOwn(schema, keyword))
  if (forbidden) return `${inContext}'${forbidden}' is not permitted.`
  if ('$ref' in schema) return findRefProblem(schema.$ref, root, inContext)
  const problem = countEnum(schema, totals, inContext)
  if (problem !== null) return problem
  if (isObjectSchema(schema)) {
    return exceeds('levels of nesting', level, STRICT_LIMITS.levels) ?? findObjectProblem(schema, inContext)
  }
  const typed = 'type' in schema || 'enum' in schema || 'const' in schema || 'anyOf' in schema
  if (!typed) return `${inContext}schema must have a 'type' key.`
  if (includesType(schema, 'array') && !isObject(schema.items)) {
    return `${inContext}array schema missing items.`
  }
  return null
}

function findObjectProblem(schema: JsonObject, inContext: string): string | null {
  if (schema.additionalProperties !== false) {
    return `${inContext}'additionalProperties' is required to be supplied and to be false.`
  }
  const names = isObject(schema.properties) ? Object.keys(schema.properties) : []
  const required = new Set<unknown>(Array.isArray(schema.required) ? schema.required : [])
  const missing = names.find((name) => !required.has(name))
  const rule = `${inContext}'required' is required to be supplied and to be an array including every key in properties.`
  if (missing !== undefined) return `${rule} Missing '${missing}'.`
  const known = new Set<unknown>(names)
  const extra = [...required].find((name) => !known.has(name))
  return extra === undefined ? null : `${rule} Extra required key '${shown(extra)}' supplied.`
}

/** References may point at the root or at anything inside the schema; they are not followed, so recursion is fine. */
function findRefProblem(ref: unknown, root: JsonObject, inContext: string): string | null {
  if (typeof ref === 'string' && resolvePointer(root, ref) !== undefined) return null
  return `${inContext}reference to component '${shown(ref)}' which was not found in the schema.`
}

function resolvePointer(root: JsonObject, ref: string): unknown {
  if (ref === '#') return root
  if (!ref.startsWith('#/')) return undefined
  let at: unknown = root
  for (const step of ref.slice(2).split('/')) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined
    at = (at as JsonObject)[key]
  }
  return at
}

function countEnum(schema: JsonObject, totals: Totals, inContext: string): string | null {
  if (typeof schema.const === 'string') totals.chars += schema.const.length
  if (!('enum' in schema)) return null
  if (!Array.isArray(schema.enum) || schema.enum.length === 0) return `${inContext}'enum' must be a non-empty array.`
  let chars = 0
  for (const value of schema.enum) if (typeof value === 'string') chars += value.length
  totals.enumValues += schema.enum.length
  totals.chars += chars
  if (schema.enum.length <= STRICT_LIMITS.longEnum || chars <= STRICT_LIMITS.longEnumChars) return null
  return `${inContext}${chars} characters of enum values exceeds limit of ${STRICT_LIMITS.longEnumChars} for an enum with more than ${STRICT_LIMITS.longEnum} values.`
}

/** Pushes the schemas inside this one; answers what is not a schema at all. Last in, first out: hence the reversal. */
function addChildren({ schema, context, level }: Node, pending: Node[], totals: Totals): string | null {
  const children: Node[] = []
  let problem: string | null = null
  const add = (child: unknown, path: readonly string[], depth: number) => {
    if (isObject(child)) children.push({ schema: child, context: path, level: depth })
    else problem ??= `In context=${formatContext(path)}, expected a JSON Schema object, but got ${describe(child)}.`
  }
  const addNamed = (keyword: string, depth: number) => {
    if (!isObject(schema[keyword])) return
    for (const [name, child] of Object.entries(schema[keyword])) {
      totals.chars += name.length
      add(child, [...context, keyword, name], depth)
    }
  }
  if (isObject(schema.properties)) totals.properties += Object.keys(schema.properties).length
  addNamed('properties', level + 1)
  for (const keyword of DEFINITION_KEYWORDS) addNamed(keyword, 1)
  if ('items' in schema) add(schema.items, [...context, 'items'], level)
  if (Array.isArray(schema.anyOf)) {
    schema.anyOf.forEach((child, index) => void add(child, [...context, 'anyOf', String(index)], level))
  }
  pending.push(...children.reverse())
  return problem
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const includesType = (schema: JsonObject, type: string) =>
  schema.type === type || (Array.isArray(schema.type) && schema.type.includes(type))

const isObjectSchema = (schema: JsonObject) => includesType(schema, 'object') || 'properties' in schema

const describe = (value: unknown) => (value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`)

/** As a Python tuple, which is how OpenAI writes it: `('properties', 'a')`. */
const formatContext = (context: readonly string[]) => `(${context.map((step) => `'${step}'`).join(', ')})`
