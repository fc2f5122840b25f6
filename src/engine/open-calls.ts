/**
 * Calls that are being made. Those that last get their row in the ledger while they run, so that a process that dies in
 * the middle leaves it behind.
 *
 * Most calls of a busy server are over before a disk could have been asked, and a write for each would cost as much as
 * the rest of its ledger. So calls are looked at a few times a second, and what has run for a while by then is written
 * together, in one commit.
 *
 * Invariant: a row is opened before it is closed, or not at all. Writes of a store keep their order.
 */
import type { Clock } from '../lib/clock.ts'
import { createPassingSet } from '../lib/passing-set.ts'
import type { ProjectStore, UsageRow } from '../store/store.ts'

/** How often is looked; a call is in the ledger after at most twice as long. */
export const OPEN_CALLS_MS = 125

export type OpenCall = {
  readonly store: Pick<ProjectStore, 'projectId' | 'openUsage'>
  /** Monotonic milliseconds. */
  readonly startedAt: number
  row(): UsageRow
  /** Told of a row that could not be written. */
  onFailure(error: unknown): void
}

export interface OpenCalls {
  /** The function that is returned says that it has ended. */
  add(call: OpenCall): () => void
}

export function createOpenCalls(clock: Clock): OpenCalls {
  /** In the order in which they began. */
  const waiting = createPassingSet<OpenCall>()
  let isTicking = false

  const tick = () => {
    writeAll(waiting.takeWhile(({ startedAt }) => clock.monotonic() - startedAt >= OPEN_CALLS_MS))
    isTicking = waiting.size() > 0
    if (isTicking) clock.after(OPEN_CALLS_MS, tick)
  }
  return {
    add(call) {
      const hasEnded = waiting.add(call)
      if (!isTicking) {
        isTicking = true
        clock.after(OPEN_CALLS_MS, tick)
      }
      return hasEnded
    },
  }
}

function writeAll(calls: readonly OpenCall[]): void {
  const byProject = Map.groupBy(calls, ({ store }) => store.projectId)
  for (const ofProject of byProject.values()) {
    const [first] = ofProject
    first?.store.openUsage(ofProject.map((call) => call.row())).catch(first.onFailure)
  }
}
