/**
 * A schema as a check: one small function per schema, put together once. Starting needs no code generation, which takes
 * a tenth of a second for the request alone, and a body is checked in microseconds all the same.
 *
 * Invariants:
 * - It says yes exactly where TypeBox's compiled check does (`validate.property.test.ts`).
 * - It reads values that came out of `JSON.parse`: what has a name of `Object.prototype` is no property of a schema.
 */
import { codePoints, type JsonSchema } from './json-schema.ts'
import type { Static, TSchema } from './schema.ts'

type Check = (value: unknown) => boolean
type JsonObject = Readonly<Record<string, unknown>>

/** The check of one schema; made when it is first asked. */
export function compileCheck<T extends TSchema>(schema: T): (value: unknown) => value is Static<T> {
  let check: Check | null = null
  return (value): value is Static<T> => {
    check ??= compile(schema)
    return check(value)
  }
}

function compile(schema: JsonSchema): Check {
  if (schema.anyOf) return anyOf(schema.anyOf.map(compile))
  if (schema.not) return () => false
  if (schema.const !== undefined) return (value) => value === schema.const
  switch (schema.type) {
    case 'string':
      return stringCheck(schema)
    case 'array':
      return arrayCheck(schema)
    case 'object':
      return objectCheck(schema)
    case 'integer':
    case 'number':
      return numberCheck(schema)
    case 'boolean':
      return (value) => typeof value === 'boolean'
    case 'null':
      return (value) => value === null
    case undefined:
      return () => true
    default:
      throw new TypeError(`a schema of the contract has the type '${schema.type}'`)
  }
}

function anyOf(checks: readonly Check[]): Check {
  return (value) => {
    for (const check of checks) if (check(value)) return true
    return false
  }
}

function stringCheck({ enum: allowed, minLength = 0, maxLength, pattern }: JsonSchema): Check {
  if (allowed) return (value) => typeof value === 'string' && allowed.includes(value)
  const expression = pattern === undefined ? null : new RegExp(pattern, 'u')
  return (value) => {
    if (typeof value !== 'string') return false
    // A code point is one or two units, so only near a limit they have to be counted.
    if (value.length < minLength * 2 && codePoints(value) < minLength) return false
    if (maxLength !== undefined && value.length > maxLength && codePoints(value) > maxLength) return false
    return expression === null || expression.test(value)
  }
}

function numberCheck({
  type,
  minimum = Number.NEGATIVE_INFINITY,
  maximum = Number.POSITIVE_INFINITY,
}: JsonSchema): Check {
  const isKind = type === 'integer' ? Number.isInteger : Number.isFinite
  return (value) => typeof value === 'number' && isKind(value) && value >= minimum && value <= maximum
}

function arrayCheck({ items, minItems = 0, maxItems = Number.POSITIVE_INFINITY }: JsonSchema): Check {
  const check = items ? compile(items) : null
  return (value) => {
    if (!Array.isArray(value) || value.length < minItems || value.length > maxItems) return false
    if (check) for (const item of value) if (!check(item)) return false
    return true
  }
}

type Property = { readonly name: string; readonly isRequired: boolean; readonly check: Check }

function objectCheck({ properties = {}, required = [], additionalProperties }: JsonSchema): Check {
  const list = Object.entries(properties).map(
    ([name, schema]): Property => ({ name, isRequired: required.includes(name), check: compile(schema) }),
  )
  // A union tries its branches in turn: what tells them apart comes first.
  list.sort((a, b) => Number(isFixed(properties[b.name])) - Number(isFixed(properties[a.name])))
  const others = additionalProperties ? compile(additionalProperties) : null
  return (value) => {
    if (!isObject(value)) return false
    for (const { name, isRequired, check } of list) {
      const property = value[name]
      if (property === undefined ? isRequired : !check(property)) return false
    }
    return others === null || everyOther(value, properties, others)
  }
}

function everyOther(value: JsonObject, properties: object, check: Check): boolean {
  for (const name in value) if (!Object.hasOwn(properties, name) && !check(value[name])) return false
  return true
}

const isFixed = (schema: JsonSchema | undefined) => schema?.const !== undefined || schema?.enum !== undefined

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
