/**
 * Resolves `Authorization: Bearer KEY` to a principal.
 *
 * Invariants:
 * - The store's word is trusted for `cacheTtlMs`, so a revoked key ends within that time on every process.
 * - A store that cannot answer is a 503, never a 401: a client would throw a good key away. Keys the store knew within
 *   the last minute keep working meanwhile.
 * - Secrets are compared as digests, in constant time, and an unknown id costs the same comparison as a known one.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import { type Clock, seconds } from '../lib/clock.ts'
import { createLruMap } from '../lib/lru-map.ts'
import { ApiError, invalidKey, missingKey } from '../protocol/errors.ts'
import { KEY_SCOPES, type KeyStore } from '../store/store.ts'
import { digestSecret, parseApiKey } from './api-keys.ts'
import type { BadKeyLimit } from './bad-key-limit.ts'
import type { Authenticator, Principal } from './principal.ts'

export const DEFAULT_PROJECT = 'proj_default'
const DEFAULT_TTL_MS = 5_000
/** How long a key that the store knew works on while the store cannot answer. */
const STALE_MS = 60_000
const MAX_CACHED = 10_000
const MAX_CREDENTIAL_LENGTH = 1_024

/** What became of a credential. */
type Verdict = {
  /** Null: no such key. */
  readonly principal: Principal | null
  /** Seconds since the epoch; null: never. */
  readonly expiresAt: number | null
  /** When the store said so, on the clock that never jumps, in milliseconds. */
  readonly checkedAt: number
}

export type StaticKey = {
  readonly key: string
  readonly principal: Principal
  /** Seconds since the epoch; null: never. */
  readonly expiresAt: number | null
}

export type KeyAuthenticatorOptions = {
  readonly keys: KeyStore
  readonly pepper: Buffer
  /** Keys that do not live in the store. */
  readonly staticKeys: readonly StaticKey[]
  readonly clock: Clock
  readonly badKeyLimit: BadKeyLimit
  readonly cacheTtlMs?: number
}

export function createKeyAuthenticator(options: KeyAuthenticatorOptions): Authenticator {
  const { clock, badKeyLimit, cacheTtlMs = DEFAULT_TTL_MS } = options
  const fixed = new Map(options.staticKeys.map((it) => [fingerprintOf(it.key), it]))
  const cache = createLruMap<string, Verdict>(MAX_CACHED)
  const pending = new Map<string, Promise<Verdict>>()
  const isYounger = (verdict: Verdict, ms: number) => clock.monotonic() - verdict.checkedAt < ms

  /** Requests that come at once with one key share one look into the store. */
  const check = (credential: string, fingerprint: string): Promise<Verdict> => {
    const running = pending.get(fingerprint)
    if (running !== undefined) return running
    const started = lookUp(credential, options)
      .then((verdict) => {
        cache.set(fingerprint, verdict)
        return verdict
      })
      .finally(() => pending.delete(fingerprint))
    pending.set(fingerprint, started)
    return started
  }

  const verdictOf = async (credential: string, address: string): Promise<Verdict> => {
    const fingerprint = fingerprintOf(credential)
    const known = fixed.get(fingerprint)
    if (known !== undefined) return { ...known, checkedAt: clock.monotonic() }
    const cached = cache.get(fingerprint)
    // Only keys the store does not know are refused unread: a good key works on beside somebody's bad ones.
    if (cached?.principal == null) refuseWhenBlocked(badKeyLimit, address)
    if (cached !== undefined && isYounger(cached, cacheTtlMs)) return cached
    try {
      return await check(credential, fingerprint)
    } catch (error) {
      if (cached?.principal != null && isYounger(cached, STALE_MS)) return cached
      throw storeUnavailable(error)
    }
  }

  return {
    async authenticate(authorization, address) {
      const credential = readCredential(authorization)
      if (credential === null) throw missingKey()
      const { principal, expiresAt } = await verdictOf(credential, address)
      if (principal !== null && (expiresAt === null || expiresAt > seconds(clock))) return principal
      badKeyLimit.record(address)
      throw invalidKey()
    },
  }
}

/** For `--no-auth`: everybody is the same principal, with all scopes. */
export function createOpenAuthenticator(): Authenticator {
  const principal: Principal = { projectId: DEFAULT_PROJECT, keyId: 'no-auth', scopes: new Set(KEY_SCOPES) }
  return { authenticate: () => Promise.resolve(principal) }
}

/** The cache and the map of fixed keys never hold a credential itself. */
const fingerprintOf = (credential: string) => hash('sha256', credential, 'base64')

/**
 * Null when there is none. Clients and proxies that each add a header arrive as `Bearer a, Bearer b`: the same key
 * twice is one key, two different ones are refused, because which of them counts is anyone's guess.
 */
function readCredential(authorization: string | null): string | null {
  if (authorization === null || authorization.trim() === '') return null
  if (authorization.length > MAX_CREDENTIAL_LENGTH) throw invalidKey()
  const parts = authorization.split(/,\s*(?=Bearer\s)/i).map((part) => /^\s*Bearer\s+(\S+)\s*$/i.exec(part)?.[1])
  const [first] = parts
  if (first === undefined || parts.includes(undefined)) {
    // `Bearer` alone is what a client sends whose key is empty.
    if (/^\s*Bearer\s*$/i.test(authorization)) return null
    throw invalidKey()
  }
  if (parts.some((part) => part !== first)) {
    const message = 'The request holds two different API keys in its Authorization header; send exactly one.'
    throw new ApiError({ status: 400, message })
  }
  return first
}

async function lookUp(credential: string, { keys, pepper, clock }: KeyAuthenticatorOptions): Promise<Verdict> {
  const parsed = parseApiKey(credential)
  const checkedAt = clock.monotonic()
  const stored = parsed === null ? null : await keys.find(parsed.id)
  const given = digestSecret(pepper, parsed?.secret ?? credential)
  // On a miss the digest is compared with another one, so that the time tells nothing about the id.
  const same = isSameDigest(given, stored?.digest ?? digestSecret(pepper, given))
  if (stored === null || !same || stored.revokedAt !== null) return { principal: null, expiresAt: null, checkedAt }
  const { projectId, id, scopes, expiresAt } = stored
  return { principal: { projectId, keyId: id, scopes: new Set(scopes) }, expiresAt, checkedAt }
}

function isSameDigest(given: string, stored: string): boolean {
  const [a, b] = [Buffer.from(given, 'hex'), Buffer.from(stored, 'hex')]
  return a.length === b.length && timingSafeEqual(a, b)
}

function refuseWhenBlocked(limit: BadKeyLimit, address: string): void {
  const waitMs = limit.blockedForMs(address)
  if (waitMs <= 0) return
  throw new ApiError({
    status: 429,
    code: 'rate_limit_exceeded',
    type: 'requests',
    message: 'Too many requests with a wrong API key came from this address. Mend the key, then wait and try again.',
    headers: { 'retry-after': String(Math.ceil(waitMs / 1_000)) },
  })
}

const storeUnavailable = (cause: unknown) =>
  new ApiError({
    status: 503,
    code: cause instanceof ApiError && cause.status === 503 ? cause.code : 'service_unavailable',
    message: 'The server cannot check API keys at the moment. The key was not refused; try again.',
    headers: { 'retry-after': '2' },
    cause,
  })
