/** All queries of the store. */
import { conversationQueries } from './conversation-queries.ts'
import { idempotencyQueries } from './idempotency-queries.ts'
import { ledgerQueries } from './ledger-queries.ts'
import { responseQueries } from './response-queries.ts'

export const queries = { ...responseQueries, ...ledgerQueries, ...conversationQueries, ...idempotencyQueries }
