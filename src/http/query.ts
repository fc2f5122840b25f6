/** Query strings and path parameters: strings from outside to typed values, or a 400 that names the parameter. */
import type { FastifyRequest } from 'fastify'
import type { PageQuery } from '../engine/engine.ts'
import { badRequest } from '../protocol/errors.ts'
import { INCLUDE_VALUES, type Include } from '../protocol/options.ts'

const DEFAULT_LIMIT = 20
const MAX_LIMIT = 100
/** Ids are letters, digits, `_` and `-`; what looks otherwise was never one of ours. */
const ID_PATTERN = /^[A-Za-z0-9_-]{1,256}$/

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null
const queryOf = (request: FastifyRequest): Fields => (isFields(request.query) ? request.query : {})

/** A parameter of the route's path, decoded. */
export function pathParam(request: FastifyRequest, name: string): string {
  const value = isFields(request.params) ? request.params[name] : undefined
  if (typeof value !== 'string') throw new Error(`the route has no parameter '${name}'`)
  return value
}

export const isPlainId = (text: string) => ID_PATTERN.test(text)

export function readPage(request: FastifyRequest): PageQuery {
  const query = queryOf(request)
  return { limit: readLimit(query), order: readOrder(query), after: readAfter(query), include: readInclude(request) }
}

/** `include[]=a&include[]=b`, `include=a&include=b`, or one value. */
export function readInclude(request: FastifyRequest): readonly Include[] {
  const query = queryOf(request)
  const given = [query['include[]'], query.include].flat().filter((value) => value !== undefined)
  return given.map(toInclude)
}

function toInclude(value: unknown, index: number): Include {
  const known = INCLUDE_VALUES.find((name) => name === value)
  if (known === undefined) throw invalidValue(`include[${index}]`, value, INCLUDE_VALUES)
  return known
}

/** `true`, `false` or absent. */
export function readBoolean(request: FastifyRequest, name: string): boolean {
  const value = queryOf(request)[name]
  if (value === undefined || value === 'false') return false
  if (value !== 'true') throw invalidValue(name, value, ['true', 'false'])
  return true
}

/** A whole number from 0, or null when absent. */
export function readIndex(request: FastifyRequest, name: string): number | null {
  const value = queryOf(request)[name]
  if (value === undefined) return null
  if (typeof value !== 'string' || !/^\d{1,15}$/.test(value)) {
    throw badRequest(name, 'invalid_type', `Invalid type for '${name}': expected an integer of at least 0.`)
  }
  return Number(value)
}

function readLimit(query: Fields): number {
  const value = query.limit
  if (value === undefined) return DEFAULT_LIMIT
  if (typeof value !== 'string' || !/^-?\d{1,15}$/.test(value)) {
    throw badRequest('limit', 'invalid_type', "Invalid type for 'limit': expected an integer.")
  }
  const limit = Number(value)
  if (limit < 1) throw outOfRange('below minimum', 'integer_below_min_value', `>= 1, but got ${limit}`)
  if (limit > MAX_LIMIT)
    throw outOfRange('above maximum', 'integer_above_max_value', `<= ${MAX_LIMIT}, but got ${limit}`)
  return limit
}

const outOfRange = (side: string, code: string, expected: string) =>
  badRequest('limit', code, `Invalid 'limit': integer ${side} value. Expected a value ${expected} instead.`)

function readOrder(query: Fields): 'asc' | 'desc' {
  const value = query.order
  if (value === undefined) return 'desc'
  if (value !== 'asc' && value !== 'desc') throw invalidValue('order', value, ['asc', 'desc'])
  return value
}

function readAfter(query: Fields): string | null {
  const value = query.after
  if (value === undefined) return null
  if (typeof value === 'string' && isPlainId(value)) return value
  throw badRequest('after', 'invalid_value', "Invalid 'after': expected the id of an item.")
}

const MAX_ECHO = 64

function invalidValue(param: string, value: unknown, supported: readonly string[]) {
  const shown = typeof value === 'string' ? value.slice(0, MAX_ECHO) : 'a list'
  const names = supported.map((name) => `'${name}'`)
  const list = names.length > 2 ? `${names.slice(0, -1).join(', ')}, and ${names.at(-1)}` : names.join(' and ')
  return badRequest(param, 'invalid_value', `Invalid value: '${shown}'. Supported values are: ${list}.`)
}
