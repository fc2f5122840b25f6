/** Everything asked of the ledger of upstream calls, of the keys, and of the database itself. */
import { query } from './query.ts'
import { PROJECT } from './response-queries.ts'
import type { Tables } from './tables.ts'

type UsageValues = {
  id: string
  projectId: string
  keyId: string
  responseId: string
  provider: string
  model: string
  outcome: string
  inputTokens: number
  cachedTokens: number
  cacheWriteTokens: number
  outputTokens: number
  reasoningTokens: number
  totalTokens: number
  estimated: number
  durationMs: number
  createdAt: number
  costUsd: number | null
  cost: string | null
}

type KeyValues = {
  id: string
  projectId: string
  name: string
  digest: string
  scopes: string
  createdAt: number
  expiresAt: number | null
  revokedAt: number | null
}
type KeyRow = Tables['api_keys']

export const ledgerQueries = {
  /** Closes the row of a call; one that is closed already stays as it is, so a repeated write counts a call once. */
  putUsage: query<UsageValues>(`
    insert into usage (id, project, key_id, response_id, provider, model, outcome, input_tokens, cached_tokens,
      cache_write_tokens, output_tokens, reasoning_tokens, total_tokens, estimated, duration_ms, created_at, cost_usd, cost)
    values (:id, ${PROJECT}, :keyId, :responseId, :provider, :model, :outcome, :inputTokens, :cachedTokens,
      :cacheWriteTokens, :outputTokens, :reasoningTokens, :totalTokens, :estimated, :durationMs, :createdAt, :costUsd, :cost)
    on conflict (project, id) do update set outcome = excluded.outcome, input_tokens = excluded.input_tokens,
      cached_tokens = excluded.cached_tokens, cache_write_tokens = excluded.cache_write_tokens,
      output_tokens = excluded.output_tokens, reasoning_tokens = excluded.reasoning_tokens,
      total_tokens = excluded.total_tokens, estimated = excluded.estimated, duration_ms = excluded.duration_ms,
      cost_usd = excluded.cost_usd, cost = excluded.cost
      where usage.outcome = 'running'`),
  interruptUsage: query("update usage set outcome = 'interrupted' where outcome = 'running'"),
  insertKey: query<KeyValues>(`
    insert into api_keys (id, project_id, name, digest, scopes, created_at, expires_at, revoked_at)
    values (:id, :projectId, :name, :digest, :scopes, :createdAt, :expiresAt, :revokedAt)`),
  findKey: query<{ id: string }, KeyRow>('select * from api_keys where id = :id'),
  listKeys: query<Record<never, never>, KeyRow>('select * from api_keys order by created_at desc, seq desc'),
  revokeKey: query<{ id: string; at: number }>(
    'update api_keys set revoked_at = :at where id = :id and revoked_at is null',
  ),
  /** Takes the write path of a real change, without changing anything. */
  touchProbe: query('update probe set value = 1 where id = 1'),
  readProbe: query<Record<never, never>, Pick<Tables['probe'], 'value'>>('select value from probe'),
}
