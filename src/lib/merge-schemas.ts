/** Folds the parts of an `allOf` into one schema, so that a generator sees every bound at once. */
import { isRecord, jsonEquals, type SchemaObject } from './schema-values.ts'

type Merge = (left: unknown, right: unknown) => unknown

const larger: Merge = (left, right) =>
  typeof left === 'number' && typeof right === 'number' ? Math.max(left, right) : left
const smaller: Merge = (left, right) =>
  typeof left === 'number' && typeof right === 'number' ? Math.min(left, right) : left
const both: Merge = (left, right) => (jsonEquals(left, right) ? left : { allOf: [left, right] })
const union: Merge = (left, right) => [...new Set([...toList(left), ...toList(right)])]
const common: Merge = (left, right) =>
  toList(left).filter((member) => toList(right).some((other) => jsonEquals(member, other)))
const multiple: Merge = (left, right) => {
  if (typeof left !== 'number' || typeof right !== 'number') return left
  return Number.isInteger(left) && Number.isInteger(right)
    ? (left * right) / divisor(left, right)
    : Math.max(left, right)
}
const byKey: Merge = (left, right) => {
  const merged = new Map(Object.entries(toRecord(left)))
  for (const [key, value] of Object.entries(toRecord(right))) {
    merged.set(key, merged.has(key) ? both(merged.get(key), value) : value)
  }
  return Object.fromEntries(merged)
}
const listByIndex: Merge = (left, right) => {
  const [a, b] = [toList(left), toList(right)]
  return Array.from({ length: Math.max(a.length, b.length) }, (_, at) => both(a[at] ?? true, b[at] ?? true))
}
const types: Merge = (left, right) => {
  const [a, b] = [toList(left), toList(right)]
  const narrowed = a.flatMap((type) => {
    if (b.includes(type)) return [type]
    if (type === 'integer' && b.includes('number')) return ['integer']
    return type === 'number' && b.includes('integer') ? ['integer'] : []
  })
  return narrowed.length === 1 ? narrowed[0] : narrowed
}

const RULES: Readonly<Record<string, Merge>> = {
  type: types,
  enum: common,
  minimum: larger,
  exclusiveMinimum: larger,
  minLength: larger,
  minItems: larger,
  minProperties: larger,
  minContains: larger,
  maximum: smaller,
  exclusiveMaximum: smaller,
  maxLength: smaller,
  maxItems: smaller,
  maxProperties: smaller,
  maxContains: smaller,
  multipleOf: multiple,
  required: union,
  properties: byKey,
  patternProperties: byKey,
  dependentRequired: (left, right) => ({ ...toRecord(left), ...toRecord(right) }),
  additionalProperties: both,
  propertyNames: both,
  items: both,
  prefixItems: listByIndex,
  uniqueItems: (left, right) => left === true || right === true,
}

/** What has no rule keeps its first value: a candidate made from the result is checked against the original anyway. */
export function mergeSchemas(left: SchemaObject, right: SchemaObject): SchemaObject {
  const merged: Record<string, unknown> = { ...left }
  for (const [key, value] of Object.entries(right)) {
    const rule = RULES[key]
    if (!(key in merged)) merged[key] = value
    else if (rule) merged[key] = rule(merged[key], value)
  }
  return merged
}

const toList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value])
const toRecord = (value: unknown): Record<string, unknown> => (isRecord(value) ? value : {})
const divisor = (a: number, b: number): number => (b === 0 ? Math.max(1, Math.abs(a)) : divisor(b, a % b))
