/** Time that stands still until it is moved; whatever becomes due runs then, at once. */
import type { Clock } from '../../src/lib/clock.ts'

export type ManualClock = {
  readonly clock: Clock
  advance(ms: number): void
  /** Timers that wait. */
  pending(): number
}

export function createManualClock(): ManualClock {
  let now = 0
  const timers = new Set<{ readonly at: number; readonly fn: () => void }>()
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    after(ms, fn) {
      const timer = { at: now + ms, fn }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
  }
  const advance = (ms: number) => {
    now += ms
    for (const timer of [...timers]) {
      if (timer.at > now || !timers.delete(timer)) continue
      timer.fn()
    }
  }
  return { clock, advance, pending: () => timers.size }
}
