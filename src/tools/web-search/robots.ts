/** What sites ask of robots (RFC 9309), read once an hour per site. */
import type { Clock } from '../../lib/clock.ts'
import { FetchError, fetchPublic } from '../../lib/fetch-public.ts'
import { createLruMap } from '../../lib/lru-map.ts'
import type { OutboundGuard } from '../../lib/outbound-guard.ts'
import { readRobotsRules } from './robots-rules.ts'

export interface Robots {
  /** Throws `FetchError` only when the caller leaves. */
  mayRead(url: URL, signal: AbortSignal): Promise<boolean>
}

/** Sites name it so in their rules. */
export const ROBOT_NAME = 'antiphon'
const LIMITS = { maxBytes: 512 * 1024, timeoutMs: 5000, maxRedirects: 5 }
const MAX_SITES = 500
const MAX_AGE_MS = 3_600_000

type Rules = { readonly mayRead: (url: URL) => boolean; readonly readAt: number }

export function createRobots({ guard, clock }: { guard: OutboundGuard; clock: Clock }): Robots {
  const sites = createLruMap<string, Rules>(MAX_SITES)
  return {
    async mayRead(url, signal) {
      const known = sites.get(url.origin)
      if (known !== undefined && clock.monotonic() - known.readAt < MAX_AGE_MS) return known.mayRead(url)
      const mayRead = await readRules(url.origin, { guard, clock, signal })
      sites.set(url.origin, { mayRead, readAt: clock.monotonic() })
      return mayRead(url)
    },
  }
}

type ReadOptions = { readonly guard: OutboundGuard; readonly clock: Clock; readonly signal: AbortSignal }

/** A site without rules may be read; one that cannot say them at the moment may not. */
async function readRules(origin: string, { guard, clock, signal }: ReadOptions): Promise<Rules['mayRead']> {
  const address = `${origin}/robots.txt`
  try {
    const { status, bytes } = await fetchPublic(guard, address, { limits: LIMITS, signal, clock })
    if (status >= 500 || status === 429) return () => false
    if (status !== 200) return () => true
    const rules = readRobotsRules(bytes.toString('utf8'), ROBOT_NAME)
    return ({ pathname, search }) => rules.allows(`${pathname}${search}`)
  } catch (error) {
    if (!(error instanceof FetchError) || error.kind === 'aborted') throw error
    // Larger than any set of rules, redirected in circles, or not readable: there are no rules.
    const isThere = error.kind === 'too_large' || error.kind === 'too_many_redirects' || error.kind === 'malformed'
    return () => isThere
  }
}
