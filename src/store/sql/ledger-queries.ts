/** Everything asked of the ledger of upstream calls, of the keys, and of the database itself. */
import { type Kysely, sql } from 'kysely'
import { given } from './query.ts'
import { projectOf } from './response-queries.ts'
import type { Tables } from './tables.ts'

type Db = Kysely<Tables>

type UsageParams = {
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
}

type KeyParams = {
  id: string
  projectId: string
  name: string
  digest: string
  scopes: string
  createdAt: number
  expiresAt: number | null
  revokedAt: number | null
}

export const createLedgerQueries = (db: Db) => ({
  /** A row that is there already stays as it is, so a repeated write counts a call once. */
  insertUsage: given<UsageParams>()((bind) =>
    db
      .insertInto('usage')
      .values({
        id: bind('id'),
        project: projectOf(bind('projectId')),
        key_id: bind('keyId'),
        response_id: bind('responseId'),
        provider: bind('provider'),
        model: bind('model'),
        outcome: bind('outcome'),
        input_tokens: bind('inputTokens'),
        cached_tokens: bind('cachedTokens'),
        cache_write_tokens: bind('cacheWriteTokens'),
        output_tokens: bind('outputTokens'),
        reasoning_tokens: bind('reasoningTokens'),
        total_tokens: bind('totalTokens'),
        estimated: bind('estimated'),
        duration_ms: bind('durationMs'),
        created_at: bind('createdAt'),
      })
      .onConflict((conflict) => conflict.columns(['project', 'id']).doNothing()),
  ),
  insertKey: given<KeyParams>()((bind) =>
    db.insertInto('api_keys').values({
      id: bind('id'),
      project_id: bind('projectId'),
      name: bind('name'),
      digest: bind('digest'),
      scopes: bind('scopes'),
      created_at: bind('createdAt'),
      expires_at: bind('expiresAt'),
      revoked_at: bind('revokedAt'),
    }),
  ),
  findKey: given<{ id: string }>()((bind) => db.selectFrom('api_keys').selectAll().where('id', '=', bind('id'))),
  listKeys: given<Record<never, never>>()(() =>
    db.selectFrom('api_keys').selectAll().orderBy('created_at', 'desc').orderBy('seq', 'desc'),
  ),
  revokeKey: given<{ id: string; at: number }>()((bind) =>
    db
      .updateTable('api_keys')
      .set({ revoked_at: bind('at') })
      .where('id', '=', bind('id'))
      .where('revoked_at', 'is', sql.lit(null)),
  ),
  /** Takes the write path of a real change, without changing anything. */
  touchProbe: given<Record<never, never>>()(() =>
    db
      .updateTable('probe')
      .set({ value: sql.lit(1) })
      .where('id', '=', sql.lit(1)),
  ),
  readProbe: given<Record<never, never>>()(() => db.selectFrom('probe').select('value')),
})
