/** All queries of the store, compiled once for one engine. */
import type { Kysely } from 'kysely'
import { createConversationQueries } from './conversation-queries.ts'
import { createIdempotencyQueries } from './idempotency-queries.ts'
import { createLedgerQueries } from './ledger-queries.ts'
import { createResponseQueries, type SqlDialect } from './response-queries.ts'
import type { Tables } from './tables.ts'

export type { SqlDialect } from './response-queries.ts'
export type Queries = ReturnType<typeof createQueries>

export const createQueries = (db: Kysely<Tables>, dialect: SqlDialect) => ({
  ...createResponseQueries(db, dialect),
  ...createLedgerQueries(db),
  ...createConversationQueries(db, dialect),
  ...createIdempotencyQueries(db),
})
