/** The idempotency keys of one project. */
import { seconds } from '../../../lib/clock.ts'
import type { ClaimEnd, ClaimResult, EndClaim, IdempotencyClaim, IdempotencyStore } from '../../idempotency-store.ts'
import { StorageBusy } from '../errors.ts'
import { judgeClaim, replyValues } from '../judge-claim.ts'
import { queries } from '../queries.ts'
import type { Sql } from '../query.ts'
import { claims } from './conversation-queries.ts'
import type { StoreParts } from './parts.ts'

/** A key may be given up between the try to take it and the look at who has it. */
const MAX_TRIES = 5

export const createIdempotencyStore = (parts: StoreParts, projectId: string): IdempotencyStore => ({
  async claim(claim) {
    await parts.ensureProject(projectId)
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const result = await takeClaim(parts, projectId, claim)
      if (result !== null) return result
    }
    throw new StorageBusy()
  },
  async renew(key, token, ttlMs) {
    await parts.database.run(queries.renewKeyUse, {
      ...{ projectId, ...key, token },
      leaseUntil: parts.clock.now() + ttlMs,
    })
  },
  async abandon(key, token) {
    await parts.database.run(queries.abandonKeyUse, { projectId, ...key, token })
  },
})

/** Null: somebody had it, and has it no longer. */
async function takeClaim(
  { database, clock, owner }: StoreParts,
  projectId: string,
  { key, fingerprint, token, leaseMs, expiresAt }: IdempotencyClaim,
): Promise<ClaimResult | null> {
  const now = clock.now()
  const taken = await database.run(claims.takeKey, {
    ...{ projectId, ...key, fingerprint, token, leaseUntil: now + leaseMs, expiresAt },
    ...{ owner: await owner(), now, nowSeconds: seconds(clock) },
  })
  if (taken > 0) return { type: 'claimed' }
  return judgeClaim(await database.get(queries.findKeyUse, { projectId, ...key }), fingerprint, now)
}

/** Of one project: runs inside the transaction that wrote something, and answers what was written. */
export const claimEnder =
  (projectId: string) =>
  async <T>(sql: Sql, written: T, endClaim: EndClaim<T> | undefined): Promise<T> => {
    const end = endClaim?.(written)
    if (end) await completeClaim(sql, projectId, end)
    return written
  }

/** Runs inside the transaction that ends the response. */
export async function completeClaim(sql: Sql, projectId: string, { key, token, reply }: ClaimEnd): Promise<void> {
  const owned = { projectId, ...key, token }
  if (reply === null) await sql.run(queries.abandonKeyUse, owned)
  else await sql.run(queries.completeKeyUse, { ...owned, ...replyValues(reply) })
}
