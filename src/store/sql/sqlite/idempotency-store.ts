/** The idempotency keys of one project. */
import type { Clock } from '../../../lib/clock.ts'
import type { ClaimEnd, ClaimResult, EndClaim, IdempotencyClaim, IdempotencyStore } from '../../idempotency-store.ts'
import { judgeClaim, replyValues } from '../judge-claim.ts'
import { queries } from '../queries.ts'
import type { Connection } from './connection.ts'
import type { GroupCommit } from './group-commit.ts'

type Parts = { readonly writer: Connection; readonly commits: GroupCommit; readonly clock: Clock }

export const createIdempotencyStore = ({ writer, commits, clock }: Parts, projectId: string): IdempotencyStore => ({
  claim: (claim) => commits.write(() => takeClaim(writer, projectId, claim, clock)),
  async renew(key, token, ttlMs) {
    const values = { projectId, ...key, token, leaseUntil: clock.now() + ttlMs }
    await commits.write(() => writer.run(queries.renewKeyUse, values))
  },
  async abandon(key, token) {
    await commits.write(() => writer.run(queries.abandonKeyUse, { projectId, ...key, token }))
  },
})

function takeClaim(writer: Connection, projectId: string, claim: IdempotencyClaim, clock: Clock): ClaimResult {
  const { key, fingerprint, token, leaseMs, expiresAt } = claim
  const now = clock.now()
  const held = judgeClaim(writer.get(queries.findKeyUse, { projectId, ...key }), fingerprint, now)
  if (held !== null) return held
  writer.run(queries.addProject, { projectId })
  writer.run(queries.putKeyUse, { projectId, ...key, token, fingerprint, leaseUntil: now + leaseMs, expiresAt })
  return { type: 'claimed' }
}

/** Of one project: runs inside the unit that wrote something, and answers what was written. */
export const claimEnder =
  (writer: Connection, projectId: string) =>
  <T>(written: T, endClaim: EndClaim<T> | undefined): T => {
    const end = endClaim?.(written)
    if (end) completeClaim(writer, projectId, end)
    return written
  }

/** Runs inside the unit that ends the response. */
export function completeClaim(writer: Connection, projectId: string, { key, token, reply }: ClaimEnd): void {
  const owned = { projectId, ...key, token }
  if (reply === null) writer.run(queries.abandonKeyUse, owned)
  else writer.run(queries.completeKeyUse, { ...owned, ...replyValues(reply) })
}
