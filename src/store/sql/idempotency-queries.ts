/** Everything asked of `idempotency_keys`. */
import { query } from './query.ts'
import { PROJECT } from './response-queries.ts'
import type { Tables } from './tables.ts'

type Keys = Tables['idempotency_keys']
type Scope = { projectId: string; endpoint: string; keyDigest: string }
type Owned = Scope & { token: string }

const IS_IT = `project = ${PROJECT} and endpoint = :endpoint and key_digest = :keyDigest`

export const idempotencyQueries = {
  findKeyUse: query<
    Scope,
    Pick<Keys, 'fingerprint' | 'token' | 'lease_until' | 'response_id' | 'sealed' | 'expires_at'>
  >(`
    select fingerprint, token, lease_until, response_id, sealed, expires_at from idempotency_keys where ${IS_IT}`),
  /** Takes the place of whatever stood there before. */
  putKeyUse: query<Owned & { fingerprint: string; leaseUntil: number; expiresAt: number }>(`
    insert into idempotency_keys (project, endpoint, key_digest, fingerprint, token, lease_until, expires_at)
    values (${PROJECT}, :endpoint, :keyDigest, :fingerprint, :token, :leaseUntil, :expiresAt)
    on conflict (project, endpoint, key_digest) do update set fingerprint = excluded.fingerprint,
      token = excluded.token, lease_until = excluded.lease_until, expires_at = excluded.expires_at,
      response_id = null, sealed = null`),
  renewKeyUse: query<Owned & { leaseUntil: number }>(
    `update idempotency_keys set lease_until = :leaseUntil where ${IS_IT} and token = :token`,
  ),
  /** Leaves a claim alone that went to somebody else. */
  completeKeyUse: query<Owned & { responseId: string | null; sealed: string | null }>(`
    update idempotency_keys set token = null, lease_until = null, response_id = :responseId, sealed = :sealed
    where ${IS_IT} and token = :token`),
  abandonKeyUse: query<Owned>(`delete from idempotency_keys where ${IS_IT} and token = :token`),
  abandonAllKeyUses: query('delete from idempotency_keys where token is not null'),
  purgeKeyUses: query<{ now: number; limit: number }>(`
    delete from idempotency_keys where (project, endpoint, key_digest) in (
      select project, endpoint, key_digest from idempotency_keys where expires_at < :now limit :limit)`),
}
