/** All queries of the store. */
import { ledgerQueries } from './ledger-queries.ts'
import { promptQueries } from './prompt-queries.ts'
import { pruneQueries } from './prune-queries.ts'
import { responseQueries } from './response-queries.ts'

export const queries = { ...responseQueries, ...ledgerQueries, ...promptQueries, ...pruneQueries }
