/** Query strings and path parameters: strings from outside to typed values, or a 400 that names the parameter. */
import type { FilePageQuery, PageQuery } from '../engine/engine.ts'
import { badRequest } from '../protocol/errors.ts'
import { ALL_FILE_PURPOSES } from '../protocol/files.ts'
import { INCLUDE_VALUES, type Include } from '../protocol/options.ts'
import type { Params } from './path-pattern.ts'

type LimitRange = { readonly fallback: number; readonly max: number }
const ITEM_LIMITS: LimitRange = { fallback: 20, max: 100 }
const FILE_LIMITS: LimitRange = { fallback: 10_000, max: 10_000 }
/** Ids are letters, digits, `_` and `-`; what looks otherwise was never one of ours. */
const ID_PATTERN = /^[A-Za-z0-9_-]{1,256}$/

/** Every value a name was given, decoded. */
export type Query = Pick<URLSearchParams, 'getAll'>

const NO_QUERY: Query = new URLSearchParams()

/** `search`: what follows the question mark; empty when nothing does. */
export const readQuery = (search: string): Query => (search === '' ? NO_QUERY : new URLSearchParams(search))

/** A parameter of the route's path. */
export function pathParam(params: Params, name: string): string {
  const value = params[name]
  if (value === undefined) throw new Error(`the route has no parameter '${name}'`)
  return value
}

export const isPlainId = (text: string) => ID_PATTERN.test(text)

export const readPage = (query: Query): PageQuery => ({
  limit: readLimit(query, ITEM_LIMITS),
  order: readOrder(query),
  after: readAfter(query),
  include: readInclude(query),
})

export const readFilePage = (query: Query): FilePageQuery => ({
  limit: readLimit(query, FILE_LIMITS),
  order: readOrder(query),
  after: readAfter(query),
  purpose: readPurpose(query),
})

function readPurpose(query: Query): string | null {
  const value = readOne(query, 'purpose')
  if (value === undefined) return null
  const known = ALL_FILE_PURPOSES.find((purpose) => purpose === value)
  if (known === undefined) throw invalidValue('purpose', value, ALL_FILE_PURPOSES)
  return known
}

/** `include[]=a&include[]=b`, `include=a&include=b`, or one value. */
export const readInclude = (query: Query): readonly Include[] =>
  [...query.getAll('include[]'), ...query.getAll('include')].map(toInclude)

function toInclude(value: string, index: number): Include {
  const known = INCLUDE_VALUES.find((name) => name === value)
  if (known === undefined) throw invalidValue(`include[${index}]`, value, INCLUDE_VALUES)
  return known
}

/** Of a parameter that takes one value. */
const SEVERAL = Symbol('several')

function readOne(query: Query, name: string): string | typeof SEVERAL | undefined {
  const values = query.getAll(name)
  return values.length > 1 ? SEVERAL : values[0]
}

/** `true`, `false` or absent. */
export function readBoolean(query: Query, name: string, fallback = false): boolean {
  const value = readOne(query, name)
  if (value === undefined) return fallback
  if (value !== 'true' && value !== 'false') throw invalidValue(name, value, ['true', 'false'])
  return value === 'true'
}

/** Null when absent. */
export function readText(query: Query, name: string): string | null {
  const value = readOne(query, name)
  if (value === SEVERAL) throw badRequest(name, 'invalid_type', `Invalid type for '${name}': give one value.`)
  return value ?? null
}

/** A whole number from 0, or null when absent. */
export function readIndex(query: Query, name: string): number | null {
  const value = readOne(query, name)
  if (value === undefined) return null
  if (value === SEVERAL || !/^\d{1,15}$/.test(value)) {
    throw badRequest(name, 'invalid_type', `Invalid type for '${name}': expected an integer of at least 0.`)
  }
  return Number(value)
}

function readLimit(query: Query, { fallback, max }: LimitRange): number {
  const value = readOne(query, 'limit')
  if (value === undefined) return fallback
  if (value === SEVERAL || !/^-?\d{1,15}$/.test(value)) {
    throw badRequest('limit', 'invalid_type', "Invalid type for 'limit': expected an integer.")
  }
  const limit = Number(value)
  if (limit < 1) throw outOfRange('below minimum', 'integer_below_min_value', `>= 1, but got ${limit}`)
  if (limit > max) throw outOfRange('above maximum', 'integer_above_max_value', `<= ${max}, but got ${limit}`)
  return limit
}

const outOfRange = (side: string, code: string, expected: string) =>
  badRequest('limit', code, `Invalid 'limit': integer ${side} value. Expected a value ${expected} instead.`)

function readOrder(query: Query): 'asc' | 'desc' {
  const value = readOne(query, 'order')
  if (value === undefined) return 'desc'
  if (value !== 'asc' && value !== 'desc') throw invalidValue('order', value, ['asc', 'desc'])
  return value
}

function readAfter(query: Query): string | null {
  const value = readOne(query, 'after')
  if (value === undefined) return null
  if (value !== SEVERAL && isPlainId(value)) return value
  throw badRequest('after', 'invalid_value', "Invalid 'after': expected the id of an item.")
}

const MAX_ECHO = 64

function invalidValue(param: string, value: string | typeof SEVERAL, supported: readonly string[]) {
  const shown = value === SEVERAL ? 'a list' : value.slice(0, MAX_ECHO)
  const names = supported.map((name) => `'${name}'`)
  const list = names.length > 2 ? `${names.slice(0, -1).join(', ')}, and ${names.at(-1)}` : names.join(' and ')
  return badRequest(param, 'invalid_value', `Invalid value: '${shown}'. Supported values are: ${list}.`)
}
