/**
 * What a run with a job has written so far: its events in batches, the steps that are kept, and how far it is settled.
 *
 * Invariants:
 * - One write of a run at a time, in order; the first that is refused ends the run here (`onLost`), and nothing is
 *   written after it.
 * - The boundary moves only where a turn begins or ends: calls of tools run side by side, and what they tell in between
 *   comes in another order when they are made again.
 * - Readers are served from the store alone, so none of them can hold the run up.
 */
import type { Clock } from '../lib/clock.ts'
import type { ResponseEvent } from '../protocol/events.ts'
import { type FinishedJob, type JobLease, type JobStore, LeaseLost } from '../store/job-store.ts'
import { type RunBatch, type TerminalEvent, toPublicEvent } from './run-event.ts'

/** How long a delta may wait for others to share its write; everything else is written at once. */
export const FLUSH_MS = 50
/** Events that may wait for the store before the run does. */
const MAX_PENDING = 1_000

export interface RunLog {
  /** Null, or a promise: the store is behind, and the run has to wait. */
  add(batch: RunBatch): Promise<void> | null
  /** All that was told so far follows from the steps that are kept. Resolves when that is on disk. */
  settle(): Promise<void>
  /** This is kept of a step; `settles`: all that was told follows from it. Throws when it could not be. */
  keep(step: string, options: { readonly settles: boolean }): Promise<void>
  /** With whatever is not written yet. Throws `LeaseLost` too when an earlier write was refused. */
  finish(event: TerminalEvent, finished: Omit<FinishedJob, 'events'>): Promise<void>
}

export type RunLogParts = {
  readonly jobs: JobStore
  readonly lease: JobLease
  /** Up to here everything is in the log already, and is not written again. */
  readonly boundary: number
  readonly keepsEvents: boolean
  readonly ticks: FlushTicks
  readonly onLost: (error: unknown) => void
}

export function createRunLog({ jobs, lease, ticks, onLost, ...given }: RunLogParts): RunLog {
  let pending: ResponseEvent[] = []
  let last = given.boundary
  let boundary = given.boundary
  let written = given.boundary
  let begins = false
  let isLost = false
  let writing: Promise<void> = Promise.resolve()

  const write = async (step: string | null, upTo: number): Promise<void> => {
    if (isLost) return
    const events = given.keepsEvents ? pending : []
    const progress = { events, boundary: upTo, step, begins }
    if (events.length === 0 && step === null && !begins && upTo === written) return
    pending = []
    begins = false
    try {
      await jobs.write(lease, progress)
      written = progress.boundary
    } catch (error) {
      isLost = true
      onLost(error)
    }
  }
  const flush = (step: string | null = null) => {
    // The boundary of now: a later one belongs to a step that is written later.
    const upTo = boundary
    writing = writing.then(() => write(step, upTo))
    return writing
  }
  const take = (batch: RunBatch): boolean => {
    let isUrgent = false
    for (const event of batch) {
      last = Math.max(last, event.sequence_number)
      if (event.sequence_number <= given.boundary) continue
      if (event.type === 'response.in_progress') begins = true
      if (given.keepsEvents) pending.push(toPublicEvent(event))
      if (!('delta' in event)) isUrgent = true
    }
    return isUrgent
  }
  return {
    add(batch) {
      if (isLost) return null
      const isUrgent = take(batch)
      if (pending.length > MAX_PENDING) return flush()
      if (isUrgent) void flush()
      else if (pending.length > 0) ticks.next(() => void flush())
      return null
    },
    settle() {
      boundary = last
      return flush()
    },
    async keep(step, { settles }) {
      if (settles) boundary = last
      await flush(step)
      if (isLost) throw new Error('the run goes on elsewhere')
    },
    async finish(event, finished) {
      await writing
      // What was refused is in no log, so its end must not be either: whoever takes the job tells all of it again.
      if (isLost) throw new LeaseLost(lease.responseId)
      const events = given.keepsEvents ? [...pending, toPublicEvent(event)] : []
      await jobs.finish(lease, { ...finished, events })
    },
  }
}

/** Calls what asked for the next tick, all at once, so that the writes of many runs share a commit. */
export interface FlushTicks {
  next(flush: () => void): void
}

export function createFlushTicks(clock: Clock): FlushTicks {
  let waiting: (() => void)[] = []
  return {
    next(flush) {
      waiting.push(flush)
      if (waiting.length > 1) return
      clock.after(FLUSH_MS, () => {
        const all = waiting
        waiting = []
        for (const call of all) call()
      })
    },
  }
}
