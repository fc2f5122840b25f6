/**
 * The self-test of a sandbox, for all who want to use it: once, and again only after a while where it failed. What failed may
 * have been mended, or the machine too busy; but it is not tried by every request.
 */
import type { Clock } from '../../lib/clock.ts'

const RETEST_MS = 60_000

export function testOnce<T>(test: () => Promise<T>, clock: Clock): () => Promise<T> {
  let tested: Promise<T> | null = null
  const forget = () => {
    tested = null
  }
  return () => {
    if (tested !== null) return tested
    tested = test()
    tested.catch(() => clock.after(RETEST_MS, forget))
    return tested
  }
}
