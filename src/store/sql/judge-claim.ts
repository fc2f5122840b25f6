/** What the row of an idempotency key says to one who wants the key, and how a reply is kept in it. */
import type { ClaimResult, StoredReply } from '../idempotency-store.ts'
import type { Tables } from './tables.ts'

const MS = 1000

type KeyUse = Pick<
  Tables['idempotency_keys'],
  'fingerprint' | 'token' | 'lease_until' | 'response_id' | 'sealed' | 'expires_at'
>

/** Null: the key is free, because nobody has it, it has expired, or its owner was not heard of. `now`: milliseconds. */
export function judgeClaim(row: KeyUse | undefined, fingerprint: string, now: number): ClaimResult | null {
  if (row === undefined || row.expires_at <= Math.floor(now / MS)) return null
  if (row.token !== null && (row.lease_until ?? 0) <= now) return null
  if (row.fingerprint !== fingerprint) return { type: 'other-body' }
  if (row.response_id !== null) return { type: 'done', reply: { type: 'response', id: row.response_id } }
  if (row.sealed !== null) return { type: 'done', reply: { type: 'sealed', text: row.sealed } }
  if (row.token === null) return { type: 'done', reply: { type: 'none' } }
  return { type: 'in-flight' }
}

export const replyValues = (reply: StoredReply) => ({
  responseId: reply.type === 'response' ? reply.id : null,
  sealed: reply.type === 'sealed' ? reply.text : null,
})
