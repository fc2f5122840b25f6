/**
 * Tap: makes a run durable, then passes its events on. The terminal event leaves only after the commit that holds it
 * (law 6). What is written when is data, not a second path: a run that keeps its events has a `keep`.
 */

import { toFailedEnd } from './compose-events.ts'
import { toApiError, toResponseError } from './model-failure.ts'
import { isTerminal, type RunBatch, type RunStream, type TerminalEvent } from './run-event.ts'

export type Recorder = {
  /** Takes note of events that do not end the run. Null, or a promise: the run has to wait. Absent: they are not kept. */
  keep?(batch: RunBatch): Promise<void> | null
  /**
   * Writes the terminal state with everything that belongs to it. Rejects when it is not on disk. `left`: somebody else
   * goes on with the run, so that it ended here is told to nobody.
   */
  finish(event: TerminalEvent): Promise<'kept' | 'left'>
  /** Told of a terminal state that could not be written. */
  onLost(error: unknown): void
  /** Told when the run has ended here. */
  onOver(): void
  /** Told of the terminal event just before it is passed on. */
  onEnd(event: TerminalEvent): void
}

export async function* recordEvents(events: RunStream, recorder: Recorder): AsyncGenerator<RunBatch, void> {
  for await (const batch of events) {
    const last = batch.at(-1)
    if (!last || !isTerminal(last)) {
      const wait = recorder.keep?.(batch)
      if (wait) await wait
      yield batch
      continue
    }
    const before = batch.slice(0, -1)
    if (before.length > 0) {
      const wait = recorder.keep?.(before)
      if (wait) await wait
      yield before
    }
    const end = await durable(last, recorder)
    recorder.onOver()
    if (end === null) return
    recorder.onEnd(end)
    yield [end]
  }
}

/** The event as it may be told: a success that could not be kept is told as the failure it is. Null: not at all. */
async function durable(event: TerminalEvent, recorder: Recorder): Promise<TerminalEvent | null> {
  try {
    return (await recorder.finish(event)) === 'kept' ? event : null
  } catch (error) {
    recorder.onLost(error)
    const cause = toApiError(error)
    return toFailedEnd(event, toResponseError(cause), cause)
  }
}
