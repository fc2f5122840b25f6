/**
 * Does a value satisfy a JSON Schema (draft 2020-12 and the common parts of draft 7)? For schemas that come from a
 * request: it compiles nothing, never runs a stranger's regular expression on the platform's engine, and has a step limit.
 * Not covered, and taken as satisfied: remote references, `unevaluated*`, `content*`, patterns `compilePattern` refuses.
 */
import { compilePattern } from './pattern.ts'
import { matchesFormat } from './schema-format.ts'
import { isRecord, jsonEquals, jsonTypeOf, resolvePointer, type SchemaObject } from './schema-values.ts'

const MAX_STEPS = 100_000
const MAX_DEPTH = 64

/**
 * `root`: where local references (`#/$defs/...`) point; the schema itself unless given. `steps`: shared by several
 * checks, so that they are bounded together; false once it is used up.
 */
export function satisfiesSchema(
  schema: unknown,
  value: unknown,
  root: unknown = schema,
  steps: { left: number } = { left: MAX_STEPS },
): boolean {
  return check(schema, value, { root, steps, depth: 0 })
}

type Checking = { readonly root: unknown; readonly steps: { left: number }; readonly depth: number }
type Rule = (schema: SchemaObject, value: unknown, checking: Checking) => boolean

function check(schema: unknown, value: unknown, outer: Checking): boolean {
  if (schema === false || --outer.steps.left < 0 || outer.depth > MAX_DEPTH) return false
  if (!isRecord(schema)) return true
  const checking = { ...outer, depth: outer.depth + 1 }
  return RULES.every((rule) => rule(schema, value, checking))
}

const schemas = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const entries = (value: unknown): [string, unknown][] => (isRecord(value) ? Object.entries(value) : [])
const numberOf = (value: unknown, otherwise: number) => (typeof value === 'number' ? value : otherwise)

const checkType: Rule = (schema, value) => {
  if (schema.type === undefined) return true
  const types = Array.isArray(schema.type) ? schema.type : [schema.type]
  const actual = jsonTypeOf(value)
  return types.some((type) => type === actual || (type === 'number' && actual === 'integer'))
}

const checkMembers: Rule = (schema, value) =>
  (!Array.isArray(schema.enum) || schema.enum.some((member) => jsonEquals(member, value))) &&
  (!('const' in schema) || jsonEquals(schema.const, value))

const checkReference: Rule = (schema, value, checking) => {
  if (typeof schema.$ref !== 'string') return true
  const target = resolvePointer(checking.root, schema.$ref)
  return target === undefined || check(target, value, checking)
}

const checkCombination: Rule = (schema, value, checking) => {
  const holds = (part: unknown) => check(part, value, checking)
  if (!schemas(schema.allOf).every(holds)) return false
  if (Array.isArray(schema.anyOf) && !schema.anyOf.some(holds)) return false
  if (Array.isArray(schema.oneOf) && schema.oneOf.filter(holds).length !== 1) return false
  if (schema.not !== undefined && holds(schema.not)) return false
  if (schema.if === undefined) return true
  const branch = holds(schema.if) ? schema.then : schema.else
  return branch === undefined || holds(branch)
}

const checkNumber: Rule = (schema, value) => {
  if (typeof value !== 'number') return true
  const step = numberOf(schema.multipleOf, 0)
  return (
    value >= numberOf(schema.minimum, -Infinity) &&
    value <= numberOf(schema.maximum, Infinity) &&
    value > numberOf(schema.exclusiveMinimum, -Infinity) &&
    value < numberOf(schema.exclusiveMaximum, Infinity) &&
    (step <= 0 || Number.isInteger(value / step))
  )
}

const checkString: Rule = (schema, value) => {
  if (typeof value !== 'string') return true
  const { length } = [...value]
  if (length < numberOf(schema.minLength, 0) || length > numberOf(schema.maxLength, Infinity)) return false
  if (typeof schema.format === 'string' && !matchesFormat(schema.format, value)) return false
  return typeof schema.pattern !== 'string' || (compilePattern(schema.pattern)?.matches(value) ?? true)
}

const checkArray: Rule = (schema, value, checking) => {
  if (!Array.isArray(value)) return true
  if (value.length < numberOf(schema.minItems, 0) || value.length > numberOf(schema.maxItems, Infinity)) return false
  if (schema.uniqueItems === true && value.some((item, index) => hasEqualBefore(value, item, index))) return false
  const prefix = schemas(schema.prefixItems ?? schema.items)
  const rest = Array.isArray(schema.items) ? schema.additionalItems : schema.items
  if (!value.every((item, index) => check(index < prefix.length ? prefix[index] : (rest ?? true), item, checking))) {
    return false
  }
  if (schema.contains === undefined) return true
  const found = value.filter((item) => check(schema.contains, item, checking)).length
  return found >= numberOf(schema.minContains, 1) && found <= numberOf(schema.maxContains, Infinity)
}

const hasEqualBefore = (list: readonly unknown[], item: unknown, index: number) =>
  list.slice(0, index).some((other) => jsonEquals(other, item))

const checkObject: Rule = (schema, value, checking) => {
  if (!isRecord(value)) return true
  const keys = Object.keys(value)
  if (keys.length < numberOf(schema.minProperties, 0) || keys.length > numberOf(schema.maxProperties, Infinity)) {
    return false
  }
  if (!schemas(schema.required).every((key) => typeof key === 'string' && Object.hasOwn(value, key))) return false
  if (!keys.every((key) => schemasOfKey(schema, key).every((part) => check(part, value[key], checking)))) return false
  return schema.propertyNames === undefined || keys.every((key) => check(schema.propertyNames, key, checking))
}

/** The schemas one property has to satisfy. */
export function schemasOfKey(schema: SchemaObject, key: string): unknown[] {
  const own = isRecord(schema.properties) && Object.hasOwn(schema.properties, key) ? [schema.properties[key]] : []
  const byPattern = entries(schema.patternProperties).filter(([source]) => compilePattern(source)?.matches(key))
  const found = [...own, ...byPattern.map(([, part]) => part)]
  return found.length > 0 || schema.additionalProperties === undefined ? found : [schema.additionalProperties]
}

const checkDependencies: Rule = (schema, value, checking) => {
  if (!isRecord(value)) return true
  const dependencies = [schema.dependentRequired, schema.dependentSchemas, schema.dependencies].flatMap(entries)
  return dependencies.every(([key, needs]) => {
    if (!Object.hasOwn(value, key)) return true
    if (Array.isArray(needs)) return needs.every((other) => typeof other === 'string' && Object.hasOwn(value, other))
    return check(needs, value, checking)
  })
}

const RULES: readonly Rule[] = [
  checkType,
  checkMembers,
  checkNumber,
  checkString,
  checkReference,
  checkCombination,
  checkArray,
  checkObject,
  checkDependencies,
]
