/**
 * What a run yields. The wire has no cancelled event and carries no HTTP status, so two of the ends are internal:
 * `run.failed` and `run.cancelled`. A sink decides what its reader is shown (see `toPublicEvent`).
 */
import type { ApiError } from '../protocol/errors.ts'
import type { ResponseEvent } from '../protocol/events.ts'
import type { ResponseObject } from '../protocol/response.ts'

type TerminalInternal = { readonly sequence_number: number; readonly response: ResponseObject }

export type RunFailed = TerminalInternal & {
  readonly type: 'run.failed'
  /** The failure as a JSON request answers it. */
  readonly error: ApiError
}
export type RunCancelled = TerminalInternal & { readonly type: 'run.cancelled' }

export type RunEvent = ResponseEvent | RunFailed | RunCancelled
/** Events that came into being together. How a run is cut into batches means nothing; order does. */
export type RunBatch = readonly RunEvent[]
export type RunStream = AsyncIterable<RunBatch>

export type TerminalEvent = Extract<
  RunEvent,
  { type: 'response.completed' | 'response.incomplete' | 'response.failed' | 'run.failed' | 'run.cancelled' }
>

export function isTerminal(event: RunEvent): event is TerminalEvent {
  switch (event.type) {
    case 'response.completed':
    case 'response.incomplete':
    case 'response.failed':
    case 'run.failed':
    case 'run.cancelled':
      return true
    default:
      return false
  }
}

/** The event a client sees. A cancelled run ends its stream as `response.failed` with status `cancelled`. */
export function toPublicEvent(event: RunEvent): ResponseEvent {
  if (event.type !== 'run.failed' && event.type !== 'run.cancelled') return event
  return { type: 'response.failed', sequence_number: event.sequence_number, response: event.response }
}
