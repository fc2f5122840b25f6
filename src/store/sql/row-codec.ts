/** Ledger rows and keys, between the port's shape and the values of a row. */
import { KEY_SCOPES, type KeyScope, type StoredKey, USAGE_OUTCOMES, type UsageRow, type UsageSum } from '../store.ts'
import type { Tables } from './tables.ts'
import type { UsageSumRow } from './usage-queries.ts'

type KeyRow = Omit<Tables['api_keys'], 'seq'>

export const toUsageValues = (projectId: string, row: UsageRow) => ({
  id: row.id,
  projectId,
  keyId: row.keyId,
  responseId: row.responseId,
  provider: row.provider,
  model: row.model,
  outcome: row.outcome,
  inputTokens: row.usage.input_tokens,
  cachedTokens: row.usage.input_tokens_details.cached_tokens,
  cacheWriteTokens: row.usage.input_tokens_details.cache_write_tokens,
  outputTokens: row.usage.output_tokens,
  reasoningTokens: row.usage.output_tokens_details.reasoning_tokens,
  totalTokens: row.usage.total_tokens,
  estimated: row.estimated ? 1 : 0,
  durationMs: row.durationMs,
  createdAt: row.createdAt,
  costUsd: row.cost?.usd ?? null,
  cost: row.cost === null ? null : JSON.stringify(row.cost),
})

export const fromUsageRow = (row: Tables['usage']): UsageRow => ({
  id: row.id,
  keyId: row.key_id,
  responseId: row.response_id,
  provider: row.provider,
  model: row.model,
  // Another is that of a later version, which this one cannot name.
  outcome: USAGE_OUTCOMES.find((known) => known === row.outcome) ?? 'interrupted',
  usage: {
    input_tokens: row.input_tokens,
    input_tokens_details: { cached_tokens: row.cached_tokens, cache_write_tokens: row.cache_write_tokens },
    output_tokens: row.output_tokens,
    output_tokens_details: { reasoning_tokens: row.reasoning_tokens },
    total_tokens: row.total_tokens,
  },
  estimated: row.estimated === 1,
  durationMs: row.duration_ms,
  createdAt: row.created_at,
  cost: row.cost === null ? null : JSON.parse(row.cost),
})

const DAY_MS = 86_400_000
const DAY_CHARS = 10

export const fromUsageSum = (row: UsageSumRow): UsageSum => ({
  day: new Date(row.day * DAY_MS).toISOString().slice(0, DAY_CHARS),
  projectId: row.project_id,
  keyId: row.key_id,
  provider: row.provider,
  model: row.model,
  calls: row.calls,
  inputTokens: row.input_tokens,
  cachedTokens: row.cached_tokens,
  outputTokens: row.output_tokens,
  costUsd: row.cost_usd,
  unpricedCalls: row.unpriced,
})

export const toKeyValues = (key: StoredKey) => ({
  id: key.id,
  projectId: key.projectId,
  name: key.name,
  digest: key.digest,
  scopes: JSON.stringify(key.scopes),
  createdAt: key.createdAt,
  expiresAt: key.expiresAt,
  revokedAt: key.revokedAt,
})

export const fromKeyRow = (row: KeyRow): StoredKey => ({
  id: row.id,
  projectId: row.project_id,
  name: row.name,
  digest: row.digest,
  scopes: readScopes(row.scopes),
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  revokedAt: row.revoked_at,
})

/** A scope that this version does not know grants nothing. */
function readScopes(text: string): readonly KeyScope[] {
  const scopes: unknown = JSON.parse(text)
  return Array.isArray(scopes) ? KEY_SCOPES.filter((scope) => scopes.includes(scope)) : []
}
