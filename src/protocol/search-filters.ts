/**
 * Filters on the attributes of files: comparisons, joined by `and` and `or` to any depth within bounds.
 *
 * What a comparison means where the API leaves it open: values of different types are never equal and have no order; a
 * file without the attribute is not equal to anything, so `ne` and `nin` let it pass and every other one does not.
 */
import { badRequest } from './errors.ts'
import { AnyObject, MapOf, OneOf, Type } from './schema.ts'

export const MAX_ATTRIBUTES = 16
export const MAX_ATTRIBUTE_KEY_CHARS = 64
export const MAX_ATTRIBUTE_VALUE_CHARS = 512
export const MAX_FILTER_DEPTH = 8
/** Comparisons of one filter, and values of one list. */
export const MAX_COMPARISONS = 256
export const MAX_LISTED_VALUES = 1_000

const COMPARISONS = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'nin'] as const
const COMPOUNDS = ['and', 'or'] as const

const AttributeValueSchema = Type.Union([Type.String(), Type.Number(), Type.Boolean()])
export const AttributesSchema = MapOf(AttributeValueSchema)

const ComparisonFilterSchema = Type.Object({
  type: OneOf(COMPARISONS),
  key: Type.String(),
  value: Type.Union([
    Type.String(),
    Type.Number(),
    Type.Boolean(),
    Type.Array(Type.Union([Type.String(), Type.Number(), Type.Boolean()])),
  ]),
})
/** As it is sent: what nests is checked by `readFilter`, because a schema here cannot name itself. */
export const SearchFilterSchema = Type.Union([
  ComparisonFilterSchema,
  Type.Object({ type: OneOf(COMPOUNDS), filters: Type.Array(AnyObject()) }),
])

export type AttributeValue = string | number | boolean
export type Attributes = Readonly<Record<string, AttributeValue>>

export type SearchFilter =
  | { readonly type: 'and' | 'or'; readonly filters: readonly SearchFilter[] }
  | { readonly type: 'eq' | 'ne'; readonly key: string; readonly value: AttributeValue }
  | { readonly type: 'gt' | 'gte' | 'lt' | 'lte'; readonly key: string; readonly value: AttributeValue }
  | { readonly type: 'in' | 'nin'; readonly key: string; readonly values: readonly AttributeValue[] }

/** Throws `ApiError` 400 that names the part at fault; `path` names the whole, as `tools[0].filters`. */
export function readFilter(filter: unknown, path: string): SearchFilter {
  return readPart(filter, path, { depth: 1, left: { comparisons: MAX_COMPARISONS } })
}

type Budget = { readonly depth: number; readonly left: { comparisons: number } }

function readPart(filter: unknown, path: string, budget: Budget): SearchFilter {
  if (!isRecord(filter)) throw invalid(path, 'expected an object with a type')
  const type = [...COMPARISONS, ...COMPOUNDS].find((known) => known === filter.type)
  if (type === undefined) throw invalid(`${path}.type`, `expected one of ${[...COMPARISONS, ...COMPOUNDS].join(', ')}`)
  if (type === 'and' || type === 'or') return readCompound(type, filter.filters, path, budget)
  budget.left.comparisons -= 1
  if (budget.left.comparisons < 0) throw invalid(path, `a filter has at most ${MAX_COMPARISONS} comparisons`)
  const { key, value } = filter
  if (typeof key !== 'string' || key === '') throw invalid(`${path}.key`, 'expected the name of an attribute')
  if (type === 'in' || type === 'nin') return { type, key, values: readValues(value, `${path}.value`) }
  if (!isAttributeValue(value)) throw invalid(`${path}.value`, `'${type}' takes a string, a number or a boolean`)
  if (typeof value === 'boolean' && type !== 'eq' && type !== 'ne')
    throw invalid(`${path}.value`, `'${type}' takes a string or a number`)
  return { type, key, value }
}

function readCompound(type: 'and' | 'or', parts: unknown, path: string, { depth, left }: Budget): SearchFilter {
  if (depth >= MAX_FILTER_DEPTH) throw invalid(path, `filters nest at most ${MAX_FILTER_DEPTH} deep`)
  if (!Array.isArray(parts) || parts.length === 0)
    throw invalid(`${path}.filters`, 'expected a list of at least one filter')
  const filters = parts.map((part, at) => readPart(part, `${path}.filters[${at}]`, { depth: depth + 1, left }))
  return { type, filters }
}

function readValues(value: unknown, path: string): readonly AttributeValue[] {
  if (!Array.isArray(value) || !value.every(isAttributeValue))
    throw invalid(path, 'expected a list of strings, numbers or booleans')
  if (value.length > MAX_LISTED_VALUES) throw invalid(path, `a list has at most ${MAX_LISTED_VALUES} values`)
  return value
}

/** Whether a file with these attributes passes. */
export function matchesFilter(attributes: Attributes, filter: SearchFilter): boolean {
  if ('filters' in filter) {
    const passes = (part: SearchFilter) => matchesFilter(attributes, part)
    return filter.type === 'and' ? filter.filters.every(passes) : filter.filters.some(passes)
  }
  const own = Object.hasOwn(attributes, filter.key) ? attributes[filter.key] : undefined
  switch (filter.type) {
    case 'eq':
      return own === filter.value
    case 'ne':
      return own !== filter.value
    case 'in':
      return own !== undefined && filter.values.includes(own)
    case 'nin':
      return own === undefined || !filter.values.includes(own)
    default:
      return own !== undefined && isOrdered(filter.type, compare(own, filter.value))
  }
}

/** Null: they have no order. Texts by their code units, the same everywhere. */
function compare(left: AttributeValue, right: AttributeValue): number | null {
  if (typeof left === 'number' && typeof right === 'number') return left - right
  if (typeof left !== 'string' || typeof right !== 'string') return null
  return left === right ? 0 : left < right ? -1 : 1
}

function isOrdered(type: 'gt' | 'gte' | 'lt' | 'lte', order: number | null): boolean {
  if (order === null) return false
  if (type === 'gt') return order > 0
  if (type === 'gte') return order >= 0
  return type === 'lt' ? order < 0 : order <= 0
}

/** Throws `ApiError` 400 for more, or longer, than the API takes. */
export function checkAttributes(attributes: Attributes | null | undefined, path: string): void {
  const entries = Object.entries(attributes ?? {})
  if (entries.length > MAX_ATTRIBUTES)
    throw invalid(path, `at most ${MAX_ATTRIBUTES} attributes, not ${entries.length}`)
  for (const [key, value] of entries) {
    if (key.length === 0 || key.length > MAX_ATTRIBUTE_KEY_CHARS)
      throw invalid(path, `the name of an attribute has 1 to ${MAX_ATTRIBUTE_KEY_CHARS} characters`)
    if (typeof value === 'string' && value.length > MAX_ATTRIBUTE_VALUE_CHARS)
      throw invalid(`${path}.${key}`, `a text has at most ${MAX_ATTRIBUTE_VALUE_CHARS} characters, not ${value.length}`)
  }
}

const isAttributeValue = (value: unknown): value is AttributeValue =>
  typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const invalid = (path: string, why: string) => badRequest(path, 'invalid_value', `Invalid '${path}': ${why}.`)
