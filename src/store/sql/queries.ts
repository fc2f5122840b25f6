/** All queries of the store. */
import { conversationQueries } from './conversation-queries.ts'
import { fileQueries } from './file-queries.ts'
import { idempotencyQueries } from './idempotency-queries.ts'
import { jobQueries } from './job-queries.ts'
import { ledgerQueries } from './ledger-queries.ts'
import { promptQueries } from './prompt-queries.ts'
import { pruneQueries } from './prune-queries.ts'
import { responseQueries } from './response-queries.ts'
import { uploadQueries } from './upload-queries.ts'
import { vectorStoreQueries } from './vector-store-queries.ts'
import { webhookQueries } from './webhook-queries.ts'

export const queries = {
  ...responseQueries,
  ...ledgerQueries,
  ...conversationQueries,
  ...idempotencyQueries,
  ...jobQueries,
  ...promptQueries,
  ...pruneQueries,
  ...webhookQueries,
  ...fileQueries,
  ...uploadQueries,
  ...vectorStoreQueries,
}
