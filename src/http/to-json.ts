/** SINK: a run as one JSON document. The stream is read to its end; there is no second, non-streaming way. */
import { isTerminal, type RunStream, type TerminalEvent } from '../engine/run-event.ts'
import { internalError } from '../protocol/errors.ts'
import type { ResponseObject } from '../protocol/response.ts'

/**
 * The terminal snapshot. A cancelled run answers with its cancelled Response; a failed one throws its `ApiError`.
 * Whoever loses the reader aborts the run's signal; this goes on reading until the run has ended by itself (law 7).
 */
export async function toJson(events: RunStream): Promise<ResponseObject> {
  let end: TerminalEvent | null = null
  for await (const batch of events) {
    const last = batch.at(-1)
    if (last !== undefined && isTerminal(last)) end = last
  }
  if (end === null) throw internalError(new Error('a run ended without a terminal event'))
  if (end.type === 'run.failed') throw end.error
  return end.response
}
