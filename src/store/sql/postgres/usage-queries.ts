/** Rows of the ledger, many in one statement. */
import { query } from '../query.ts'
import { PROJECT } from '../response-queries.ts'

/** `usage`: a JSON array of `toUsageValues`. */
export type UsageValues = { projectId: string; usage: string; owner: number }

/** Closes the row of a call; one that is closed already stays as it is, so a repeated write counts a call once. */
export const PUT_USAGE = `
  insert into usage (id, project, key_id, response_id, provider, model, outcome, input_tokens, cached_tokens,
    cache_write_tokens, output_tokens, reasoning_tokens, total_tokens, estimated, duration_ms, created_at, cost_usd,
    cost, owner)
  select it.id, ${PROJECT}, it."keyId", it."responseId", it.provider, it.model, it.outcome, it."inputTokens",
    it."cachedTokens", it."cacheWriteTokens", it."outputTokens", it."reasoningTokens", it."totalTokens", it.estimated,
    it."durationMs", it."createdAt", it."costUsd", it.cost, :owner
  from json_to_recordset(cast(:usage as json)) as it (id text, "keyId" text, "responseId" text, provider text,
    model text, outcome text, "inputTokens" bigint, "cachedTokens" bigint, "cacheWriteTokens" bigint,
    "outputTokens" bigint, "reasoningTokens" bigint, "totalTokens" bigint, estimated smallint,
    "durationMs" double precision, "createdAt" bigint, "costUsd" double precision, cost text)
  on conflict (project, id) do update set outcome = excluded.outcome, input_tokens = excluded.input_tokens,
    cached_tokens = excluded.cached_tokens, cache_write_tokens = excluded.cache_write_tokens,
    output_tokens = excluded.output_tokens, reasoning_tokens = excluded.reasoning_tokens,
    total_tokens = excluded.total_tokens, estimated = excluded.estimated, duration_ms = excluded.duration_ms,
    cost_usd = excluded.cost_usd, cost = excluded.cost
    where usage.outcome = 'running'`

export const putUsage = query<UsageValues, Record<never, never>>(PUT_USAGE)
