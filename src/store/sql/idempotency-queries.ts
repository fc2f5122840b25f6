/** Everything asked of `idempotency_keys`. */
import { type Kysely, type SqlBool, sql } from 'kysely'
import { given } from './query.ts'
import { projectOf } from './response-queries.ts'
import type { Tables } from './tables.ts'

type Db = Kysely<Tables>
type Scope = { projectId: string; endpoint: string; keyDigest: string }
type Owned = Scope & { token: string }

const nothing = sql.lit(null)

export const createIdempotencyQueries = (db: Db) => ({
  findKeyUse: given<Scope>()((bind) =>
    db
      .selectFrom('idempotency_keys')
      .select(['fingerprint', 'token', 'lease_until', 'response_id', 'sealed', 'expires_at'])
      .where('project', '=', projectOf(bind('projectId')))
      .where('endpoint', '=', bind('endpoint'))
      .where('key_digest', '=', bind('keyDigest')),
  ),
  /** Takes the place of whatever stood there before. */
  putKeyUse: given<Owned & { fingerprint: string; leaseUntil: number; expiresAt: number }>()((bind) =>
    db
      .insertInto('idempotency_keys')
      .values({
        project: projectOf(bind('projectId')),
        endpoint: bind('endpoint'),
        key_digest: bind('keyDigest'),
        fingerprint: bind('fingerprint'),
        token: bind('token'),
        lease_until: bind('leaseUntil'),
        expires_at: bind('expiresAt'),
      })
      .onConflict((conflict) =>
        conflict.columns(['project', 'endpoint', 'key_digest']).doUpdateSet((row) => ({
          fingerprint: row.ref('excluded.fingerprint'),
          token: row.ref('excluded.token'),
          lease_until: row.ref('excluded.lease_until'),
          expires_at: row.ref('excluded.expires_at'),
          response_id: nothing,
          sealed: nothing,
        })),
      ),
  ),
  renewKeyUse: given<Owned & { leaseUntil: number }>()((bind) =>
    db
      .updateTable('idempotency_keys')
      .set({ lease_until: bind('leaseUntil') })
      .where('project', '=', projectOf(bind('projectId')))
      .where('endpoint', '=', bind('endpoint'))
      .where('key_digest', '=', bind('keyDigest'))
      .where('token', '=', bind('token')),
  ),
  /** Leaves a claim alone that went to somebody else. */
  completeKeyUse: given<Owned & { responseId: string | null; sealed: string | null }>()((bind) =>
    db
      .updateTable('idempotency_keys')
      .set({ token: nothing, lease_until: nothing, response_id: bind('responseId'), sealed: bind('sealed') })
      .where('project', '=', projectOf(bind('projectId')))
      .where('endpoint', '=', bind('endpoint'))
      .where('key_digest', '=', bind('keyDigest'))
      .where('token', '=', bind('token')),
  ),
  abandonKeyUse: given<Owned>()((bind) =>
    db
      .deleteFrom('idempotency_keys')
      .where('project', '=', projectOf(bind('projectId')))
      .where('endpoint', '=', bind('endpoint'))
      .where('key_digest', '=', bind('keyDigest'))
      .where('token', '=', bind('token')),
  ),
  abandonAllKeyUses: given<Record<never, never>>()(() =>
    db.deleteFrom('idempotency_keys').where('token', 'is not', nothing),
  ),
  purgeKeyUses: given<{ now: number; limit: number }>()((bind) =>
    db.deleteFrom('idempotency_keys').where(
      sql<SqlBool>`(project, endpoint, key_digest) in (
          select project, endpoint, key_digest from idempotency_keys
          where expires_at < ${bind('now')} limit ${bind('limit')})`,
    ),
  ),
})
