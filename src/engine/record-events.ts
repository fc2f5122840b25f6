/**
 * Tap: makes a run durable, then passes its events on. The terminal event leaves only after the commit that holds it
 * (law 6). What is written when is data, not a second path.
 */

import { toFailedEnd } from './compose-events.ts'
import { toApiError, toResponseError } from './model-failure.ts'
import { isTerminal, type RunBatch, type RunStream, type TerminalEvent } from './run-event.ts'

export type Recorder = {
  /** Writes the terminal state with everything that belongs to it. Rejects when it is not on disk. */
  finish(event: TerminalEvent): Promise<void>
  /** Told of a terminal state that could not be written. */
  onLost(error: unknown): void
  /** Told of the terminal event just before it is passed on. */
  onEnd(event: TerminalEvent): void
}

export async function* recordEvents(events: RunStream, recorder: Recorder): AsyncGenerator<RunBatch, void> {
  for await (const batch of events) {
    const last = batch.at(-1)
    if (!last || !isTerminal(last)) {
      yield batch
      continue
    }
    if (batch.length > 1) yield batch.slice(0, -1)
    const end = await durable(last, recorder)
    recorder.onEnd(end)
    yield [end]
  }
}

/** The event as it may be told: a success that could not be kept is told as the failure it is. */
async function durable(event: TerminalEvent, recorder: Recorder): Promise<TerminalEvent> {
  try {
    await recorder.finish(event)
    return event
  } catch (error) {
    recorder.onLost(error)
    const cause = toApiError(error)
    return toFailedEnd(event, toResponseError(cause), cause)
  }
}
