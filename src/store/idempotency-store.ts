/**
 * PORT: keys that make a request happen once. A key belongs to a project and an endpoint, and stands for one body.
 *
 * The laws, held by `store-idempotency.contract.ts` for every adapter:
 * - Of many claims of one key exactly one is `claimed`, until it is given up, its lease ends, or the key expires.
 * - A claim is completed in the transaction that ends its response, or that makes what was asked for, so that a success
 *   is never repeated.
 */
export interface IdempotencyStore {
  claim(claim: IdempotencyClaim): Promise<ClaimResult>
  /** Puts the end of the lease `ttlMs` from now; does nothing when it was lost. */
  renew(key: IdempotencyKey, token: string, ttlMs: number): Promise<void>
  /** Gives an unfinished claim up: the next one with this key is `claimed`. */
  abandon(key: IdempotencyKey, token: string): Promise<void>
}

export type IdempotencyKey = {
  readonly endpoint: string
  /** SHA-256 of what the client sent, hex: a fixed size, and nothing of theirs at rest. */
  readonly keyDigest: string
}

export type IdempotencyClaim = {
  readonly key: IdempotencyKey
  /** SHA-256 of the canonical body, hex. */
  readonly fingerprint: string
  readonly token: string
  /** How long the claim holds without a `renew`, in milliseconds. */
  readonly leaseMs: number
  /** Seconds since the epoch; from then on the key is free again. */
  readonly expiresAt: number
}

export type ClaimResult =
  | { readonly type: 'claimed' | 'in-flight' | 'other-body' }
  | { readonly type: 'done'; readonly reply: StoredReply }

/** Where the reply is: in the stored response, sealed in the key itself, or nowhere, because nothing may be kept. */
export type StoredReply =
  | { readonly type: 'response'; readonly id: string }
  | { readonly type: 'sealed'; readonly text: string }
  | { readonly type: 'none' }

/** What the end of a run does to its claim. */
export type ClaimEnd = {
  readonly key: IdempotencyKey
  readonly token: string
  /** Null gives the claim up. */
  readonly reply: StoredReply | null
}

/**
 * What a write does to the claim of its request, in its own transaction: from what was written to the end of the claim.
 * Not called when nothing was written.
 */
export type EndClaim<T> = (written: T) => ClaimEnd | null
