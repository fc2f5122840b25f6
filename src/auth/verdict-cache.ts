/** A bounded memory of what became of a credential; the least recently used entry goes first. */
import type { Principal } from './principal.ts'

export type Verdict = {
  /** Null: no such key. */
  readonly principal: Principal | null
  /** Seconds since the epoch; null: never. */
  readonly expiresAt: number | null
  /** When the store said so, on the clock that never jumps, in milliseconds. */
  readonly checkedAt: number
}

export interface VerdictCache {
  get(fingerprint: string): Verdict | null
  set(fingerprint: string, verdict: Verdict): void
}

export function createVerdictCache(maxEntries: number): VerdictCache {
  const entries = new Map<string, Verdict>()
  return {
    get(fingerprint) {
      const verdict = entries.get(fingerprint)
      if (verdict === undefined) return null
      entries.delete(fingerprint)
      entries.set(fingerprint, verdict)
      return verdict
    },
    set(fingerprint, verdict) {
      entries.delete(fingerprint)
      const oldest = entries.keys().next()
      if (entries.size >= maxEntries && !oldest.done) entries.delete(oldest.value)
      entries.set(fingerprint, verdict)
    },
  }
}
