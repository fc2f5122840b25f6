/** Ledger rows and keys, between the port's shape and the values of a row. */
import { KEY_SCOPES, type KeyScope, type StoredKey, type UsageRow } from '../store.ts'
import type { Tables } from './tables.ts'

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
