/**
 * Why a value does not fit a schema, as the refusal a client sees. It runs only after the compiled check said no, so
 * it may be slow, but it must be linear: a union is never tried branch by branch, the branch is chosen by JSON type,
 * then by `type`, and only that one is explained.
 *
 * Invariant: it finds something whenever the compiled check refuses. Both read the same schema; the keywords used
 * there are the cases of `findProblem`.
 */

import { type ApiError, badRequest, missingParameter, unknownParameter } from './errors.ts'
import {
  arrayTooLong,
  arrayTooShort,
  invalidType,
  invalidValue,
  numberOutOfRange,
  patternMismatch,
  stringTooLong,
  stringTooShort,
} from './invalid-texts.ts'
import { codePoints, type JsonSchema } from './json-schema.ts'
import type { TSchema } from './schema.ts'

/** Explains a `type` that no branch of the union with this title has; null leaves it to the general text. */
export type UnknownTypeExplainers = Readonly<Record<string, (type: string, path: string) => ApiError | null>>

/** A TypeBox schema is a JSON Schema by construction; its static type does not say which. */
const toJsonSchema = (schema: TSchema): JsonSchema => schema

type JsonObject = Readonly<Record<string, unknown>>

/** @param value a parsed JSON body that the compiled check of `schema` refused */
export function explainInvalid(schema: TSchema, value: unknown, unknownTypes: UnknownTypeExplainers): ApiError {
  if (!isObject(value)) return badRequest(null, 'invalid_type', 'The body of the request must be a JSON object.')
  const problem = findInvalid(schema, value, unknownTypes)
  return (
    problem ?? badRequest(null, 'invalid_value', 'The body of the request does not fit the schema of this endpoint.')
  )
}

/** The first problem, or null where the value fits. */
export const findInvalid = (schema: TSchema, value: unknown, unknownTypes: UnknownTypeExplainers): ApiError | null =>
  createFinder(unknownTypes)(toJsonSchema(schema), value, '')

function createFinder(unknownTypes: UnknownTypeExplainers) {
  return findProblem

  function findProblem(schema: JsonSchema, value: unknown, path: string): ApiError | null {
    if (schema.anyOf) return findInUnion(schema, value, path)
    if (schema.not) return unknownParameter(path)
    if (!hasType(schema, value)) return invalidType(path, expectedType(schema), value)
    if (typeof value === 'string') return findInString(schema, value, path)
    if (typeof value === 'number') return findInNumber(schema, value, path)
    if (Array.isArray(value)) return findInArray(schema, value, path)
    return isObject(value) ? findInObject(schema, value, path) : null
  }

  function findInArray(schema: JsonSchema, value: readonly unknown[], path: string): ApiError | null {
    const { minItems = 0, maxItems = Number.POSITIVE_INFINITY, items } = schema
    if (value.length < minItems) return arrayTooShort(path, value.length, minItems)
    if (value.length > maxItems) return arrayTooLong(path, value.length, maxItems)
    return items ? first(value, (item, index) => findProblem(items, item, `${path}[${index}]`)) : null
  }

  function findInObject(schema: JsonSchema, value: JsonObject, path: string): ApiError | null {
    const missing = schema.required?.find((key) => value[key] === undefined || !Object.hasOwn(value, key))
    if (missing !== undefined) return missingParameter(join(path, missing))
    const others = schema.additionalProperties
    return (
      first(Object.entries(schema.properties ?? {}), ([key, property]) =>
        Object.hasOwn(value, key) && value[key] !== undefined
          ? findProblem(property, value[key], join(path, key))
          : null,
      ) ?? (others ? first(Object.entries(value), ([key, item]) => findProblem(others, item, join(path, key))) : null)
    )
  }

  function findInUnion(schema: JsonSchema, value: unknown, path: string): ApiError | null {
    const { title, branches } = flatten(schema)
    const fitting = branches.filter((branch) => hasType(branch, value))
    const [only, another] = fitting
    if (!only) return invalidType(path, expectedOneOf(branches), value)
    if (!another || !isObject(value)) return findProblem(only, value, path)
    const chosen = chooseByType(fitting, value, path, title)
    return chosen instanceof Error ? chosen : findProblem(chosen, value, path)
  }

  function chooseByType(branches: readonly JsonSchema[], value: JsonObject, path: string, title?: string) {
    const typePath = join(path, 'type')
    if (value.type === undefined || value.type === null)
      return chooseUntyped(branches, value) ?? missingParameter(typePath)
    if (typeof value.type !== 'string') return invalidType(typePath, 'a string', value.type)
    const { type } = value
    const chosen = branches.find((branch) => typesOf(branch).includes(type))
    if (chosen) return chosen
    const explained = title ? unknownTypes[title]?.(value.type, typePath) : null
    return explained ?? invalidValue(typePath, value.type, branches.flatMap(typesOf))
  }
}

/** Where `type` may be left out, the branch whose required fields are there in the largest number; none at zero. */
function chooseUntyped(branches: readonly JsonSchema[], value: JsonObject): JsonSchema | null {
  const optional = branches.filter((branch) => !branch.required?.includes('type'))
  const score = (branch: JsonSchema) => branch.required?.filter((key) => Object.hasOwn(value, key)).length ?? 0
  const [best] = optional.toSorted((a, b) => score(b) - score(a))
  return best && score(best) > 0 ? best : null
}

/** The values of `type` that mean the branch. */
function typesOf(branch: JsonSchema): readonly string[] {
  const type = branch.properties?.type
  if (type?.enum) return type.enum
  const fixed = type?.const ?? type?.anyOf?.find((option) => option.const !== undefined)?.const
  return typeof fixed === 'string' ? [fixed] : []
}

/** A union of unions as one; the title is the outermost there is. */
function flatten(schema: JsonSchema): { title: string | undefined; branches: JsonSchema[] } {
  const inner = (schema.anyOf ?? []).map((branch) =>
    branch.anyOf ? flatten(branch) : { title: undefined, branches: [branch] },
  )
  return {
    title: schema.title ?? inner.find(({ title }) => title !== undefined)?.title,
    branches: inner.flatMap(({ branches }) => branches),
  }
}

function findInString(schema: JsonSchema, value: string, path: string): ApiError | null {
  if (schema.const !== undefined && value !== schema.const) return invalidValue(path, value, [String(schema.const)])
  if (schema.enum && !schema.enum.includes(value)) return invalidValue(path, value, schema.enum)
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern } = schema
  if (value.length < minLength * 2 && codePoints(value) < minLength)
    return stringTooShort(path, codePoints(value), minLength)
  if (value.length > maxLength && codePoints(value) > maxLength)
    return stringTooLong(path, codePoints(value), maxLength)
  return pattern !== undefined && !new RegExp(pattern, 'u').test(value) ? patternMismatch(path, pattern) : null
}

function findInNumber(schema: JsonSchema, value: number, path: string): ApiError | null {
  const kind = schema.type === 'integer' ? 'integer' : 'decimal'
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = schema
  if (value < minimum) return numberOutOfRange(path, value, minimum, kind, true)
  return value > maximum ? numberOutOfRange(path, value, maximum, kind, false) : null
}

function hasType(schema: JsonSchema, value: unknown): boolean {
  switch (schema.type) {
    case 'null':
      return value === null
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isObject(value)
    case 'integer':
      return Number.isInteger(value)
    case undefined:
      return true
    default:
      return typeof value === schema.type
  }
}

function expectedType(schema: JsonSchema): string {
  const name = bareType(schema)
  return /^[aeiou]/.test(name) ? `an ${name}` : `a ${name}`
}

function expectedOneOf(branches: readonly JsonSchema[]): string {
  const named = branches.filter((branch) => branch.type !== 'null')
  const names = [...new Set(named.map(bareType))]
  const [only] = named
  return only && names.length === 1
    ? expectedType(only)
    : `one of a ${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}

function bareType(schema: JsonSchema): string {
  if (schema.type === 'number') return 'decimal'
  if (schema.type !== 'array') return schema.type ?? 'value'
  const items = schema.items ? new Set(flatten({ anyOf: [schema.items] }).branches.map(({ type }) => type)) : new Set()
  const [only] = items
  return items.size === 1 && typeof only === 'string' ? `array of ${only}s` : 'array'
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const join = (path: string, key: string) => (path === '' ? key : `${path}.${key}`)

/** The first problem in a list, in order. */
function first<T>(list: readonly T[], find: (item: T, index: number) => ApiError | null): ApiError | null {
  for (const [index, item] of list.entries()) {
    const problem = find(item, index)
    if (problem) return problem
  }
  return null
}
