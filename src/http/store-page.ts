/** The query strings of lists that also go backwards: those of vector stores. */
import type { StoreFilePage } from '../engine/vector-stores/vector-stores.ts'
import { badRequest } from '../protocol/errors.ts'
import { STORE_FILE_STATUSES } from '../protocol/vector-stores.ts'
import type { StorePage } from '../store/vector-store-catalog.ts'
import { isPlainId, type Query, readPage } from './query.ts'

export function readStorePage(query: Query): StorePage {
  const { limit, order, after } = readPage(query)
  const [before, ...more] = query.getAll('before')
  if (before !== undefined && (more.length > 0 || !isPlainId(before)))
    throw badRequest('before', 'invalid_value', "Invalid 'before': expected the id of an item.")
  return { limit, order, after, before: before ?? null }
}

export function readStoreFilePage(query: Query): StoreFilePage {
  const [filter, ...more] = query.getAll('filter')
  const status = STORE_FILE_STATUSES.find((known) => known === filter) ?? null
  if (filter === undefined || (status !== null && more.length === 0)) return { ...readStorePage(query), status }
  const known = STORE_FILE_STATUSES.map((name) => `'${name}'`).join(', ')
  throw badRequest('filter', 'invalid_value', `Invalid 'filter': expected one of ${known}.`)
}
