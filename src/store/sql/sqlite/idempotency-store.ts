/** The idempotency keys of one project. */
import { type Clock, seconds } from '../../../lib/clock.ts'
import type { ClaimEnd, ClaimResult, EndClaim, IdempotencyClaim, IdempotencyStore } from '../../idempotency-store.ts'
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
  const row = writer.get(queries.findKeyUse, { projectId, ...key })
  const isAlive = row !== undefined && row.expires_at > seconds(clock)
  const isAbandoned = row?.token != null && (row.lease_until ?? 0) <= now
  if (isAlive && !isAbandoned) {
    if (row.fingerprint !== fingerprint) return { type: 'other-body' }
    if (row.response_id !== null) return { type: 'done', reply: { type: 'response', id: row.response_id } }
    if (row.sealed !== null) return { type: 'done', reply: { type: 'sealed', text: row.sealed } }
    if (row.token === null) return { type: 'done', reply: { type: 'none' } }
    return { type: 'in-flight' }
  }
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
  else {
    const responseId = reply.type === 'response' ? reply.id : null
    const sealed = reply.type === 'sealed' ? reply.text : null
    writer.run(queries.completeKeyUse, { ...owned, responseId, sealed })
  }
}
