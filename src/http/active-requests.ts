/** What is still going on, so that a shutdown can wait for it and stop it. */
import type { RunAbort } from '../engine/engine.ts'
import type { Clock } from '../lib/clock.ts'
import { createPassingSet } from '../lib/passing-set.ts'

export type ActiveRequests = {
  /** Registers one piece of work; the returned function says that it is over, and may be called twice. */
  enter(stop?: (reason: RunAbort) => void): () => void
  stopAll(reason: RunAbort): void
  /** Waits until nothing is left, at most `ms`. Answers whether nothing is left. */
  idle(clock: Clock, ms: number): Promise<boolean>
}

type Entry = { readonly stop: ((reason: RunAbort) => void) | undefined }

export function createActiveRequests(): ActiveRequests {
  const entries = createPassingSet<Entry>()
  const waiting = new Set<() => void>()
  return {
    enter(stop) {
      const leave = entries.add({ stop })
      return () => {
        leave()
        if (entries.size() === 0) for (const wake of [...waiting]) wake()
      }
    },
    stopAll(reason) {
      for (const { stop } of entries.values()) stop?.(reason)
    },
    idle: (clock, ms) =>
      new Promise((resolve) => {
        if (entries.size() === 0) return resolve(true)
        const done = () => {
          cancel()
          waiting.delete(done)
          resolve(entries.size() === 0)
        }
        const cancel = clock.after(ms, done)
        waiting.add(done)
      }),
  }
}
