/** The refusals of single values: OpenAI's codes and texts, which clients match on. */
import { type ApiError, badRequest } from './errors.ts'

/** Longest piece of the client's own text that a message repeats, in characters. */
const MAX_QUOTED_CHARS = 100

export const clip = (text: string) => (text.length > MAX_QUOTED_CHARS ? `${text.slice(0, MAX_QUOTED_CHARS)}...` : text)

/** What a JSON value is called in a message: `an integer`. */
export function nameOfType(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

export const invalidType = (path: string, expected: string, value: unknown): ApiError =>
  badRequest(
    path,
    'invalid_type',
    `Invalid type for '${path}': expected ${expected}, but got ${nameOfType(value)} instead.`,
  )

export function invalidValue(path: string, value: unknown, supported: readonly string[]): ApiError {
  const values = supported.length === 1 ? 'value is' : 'values are'
  const message = `Invalid value: '${clip(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))}'. Supported ${values}: ${joinQuoted(supported)}.`
  return badRequest(path, 'invalid_value', message)
}

/** `'a'`, `'a' and 'b'`, `'a', 'b', and 'c'`. */
export function joinQuoted(values: readonly string[]): string {
  const quoted = values.map((value) => `'${value}'`)
  if (quoted.length <= 2) return quoted.join(' and ')
  return `${quoted.slice(0, -1).join(', ')}, and ${quoted.at(-1)}`
}

export function numberOutOfRange(
  path: string,
  value: number,
  bound: number,
  kind: 'integer' | 'decimal',
  below: boolean,
) {
  const [side, word, sign] = below ? ['below_min', 'below minimum', '>='] : ['above_max', 'above maximum', '<=']
  const message = `Invalid '${path}': ${kind} ${word} value. Expected a value ${sign} ${bound}, but got ${value} instead.`
  return badRequest(path, `${kind}_${side}_value`, message)
}

export function stringTooLong(path: string, length: number, maximum: number): ApiError {
  const expected = `Expected a string with maximum length ${maximum}, but got a string with length ${length} instead.`
  return badRequest(path, 'string_above_max_length', `Invalid '${path}': string too long. ${expected}`)
}

export function stringTooShort(path: string, length: number, minimum: number): ApiError {
  const got = length === 0 ? 'an empty string' : `a string with length ${length}`
  const expected = `Expected a string with minimum length ${minimum}, but got ${got} instead.`
  return badRequest(path, 'string_below_min_length', `Invalid '${path}': string too short. ${expected}`)
}

export function patternMismatch(path: string, pattern: string): ApiError {
  const expected = `Expected a string that matches the pattern '${pattern}'.`
  return badRequest(path, 'invalid_value', `Invalid '${path}': string does not match pattern. ${expected}`)
}

export function arrayTooLong(path: string, length: number, maximum: number): ApiError {
  const expected = `Expected an array with maximum length ${maximum}, but got an array with length ${length} instead.`
  return badRequest(path, 'array_above_max_length', `Invalid '${path}': array too long. ${expected}`)
}

export function arrayTooShort(path: string, length: number, minimum: number): ApiError {
  const got = length === 0 ? 'an empty array' : `an array with length ${length}`
  const expected = `Expected an array with minimum length ${minimum}, but got ${got} instead.`
  if (length === 0) return badRequest(path, 'empty_array', `Invalid '${path}': empty array. ${expected}`)
  return badRequest(path, 'array_below_min_length', `Invalid '${path}': array too short. ${expected}`)
}
