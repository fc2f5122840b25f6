/** What is still going on, so that a shutdown can wait for it and stop it. */
import type { RunAbort } from '../engine/engine.ts'
import type { Clock } from '../lib/clock.ts'

export type ActiveRequests = {
  /** Registers one piece of work; the returned function says that it is over, and may be called twice. */
  enter(stop?: (reason: RunAbort) => void): () => void
  stopAll(reason: RunAbort): void
  /** Waits until nothing is left, at most `ms`. Answers whether nothing is left. */
  idle(clock: Clock, ms: number): Promise<boolean>
}

/** Emptied when its work is over, as in `open-calls.ts` and for the same reason. */
type Entry = { stop: ((reason: RunAbort) => void) | undefined }

export function createActiveRequests(): ActiveRequests {
  const entries = new Set<Entry>()
  const waiting = new Set<() => void>()
  const leave = (entry: Entry) => {
    entry.stop = undefined
    entries.delete(entry)
    if (entries.size === 0) for (const wake of [...waiting]) wake()
  }
  return {
    enter(stop) {
      const entry: Entry = { stop }
      entries.add(entry)
      return () => leave(entry)
    },
    stopAll(reason) {
      for (const entry of [...entries]) entry.stop?.(reason)
    },
    idle: (clock, ms) =>
      new Promise((resolve) => {
        if (entries.size === 0) return resolve(true)
        const done = () => {
          cancel()
          waiting.delete(done)
          resolve(entries.size === 0)
        }
        const cancel = clock.after(ms, done)
        waiting.add(done)
      }),
  }
}
