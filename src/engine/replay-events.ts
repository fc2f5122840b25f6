/**
 * SOURCE: the log of a response after a cursor, and then whatever is added to it until it ends. The same sinks show it
 * that show a run.
 *
 * Invariant: a wake-up is asked for before the log is read, so nothing that is written in between is missed; and it
 * carries no data, so a reader that is slow, late or one of many sees what all others see (law 8).
 */
import type { Clock } from '../lib/clock.ts'
import { wokenWithin } from '../lib/wake-ups.ts'
import { ApiError, badRequest, responseNotFound } from '../protocol/errors.ts'
import type { EventLog, EventPage } from '../store/event-log.ts'
import { RunAbort } from './engine.ts'
import type { RunBatch } from './run-event.ts'

/** A wake-up may be lost, and another process sends none. */
export const LOOK_AGAIN_MS = 1_000

export type ReplayOptions = {
  readonly log: EventLog
  readonly responseId: string
  /** The number of the last event the reader has; -1: none. */
  readonly after: number
  readonly clock: Clock
  /** Aborted when the reader has gone: then the stream just ends. */
  readonly signal: AbortSignal
  /** Aborted when this server lets its background runs go. */
  readonly detached: AbortSignal
}

/** Throws `ApiError` when the reader has to ask again, here or elsewhere; the run is not touched by that. */
export async function* replayEvents(options: ReplayOptions): AsyncGenerator<RunBatch, void> {
  const { log, responseId, clock, signal, detached } = options
  let after = options.after
  for (;;) {
    const woken = log.wakeUp(responseId)
    const page = requirePage(await log.read(responseId, after), responseId)
    if (page.unsettled !== null && !(await log.markSeen(responseId, page.unsettled))) continue
    const last = page.events.at(-1)
    if (last !== undefined) {
      after = last.sequence_number
      yield page.events
    }
    if (page.isLast) return
    if (last !== undefined) continue
    if (hasLeft(signal)) return
    if (signal.aborted || detached.aborted) throw goElsewhere(responseId, after)
    await wokenWithin(LOOK_AGAIN_MS, woken, { clock, signals: [signal, detached] })
  }
}

/** The log of a response that can be streamed again. Throws for every other. */
export async function openLog(log: EventLog, responseId: string): Promise<void> {
  requirePage(await log.read(responseId, Number.MAX_SAFE_INTEGER), responseId)
}

function requirePage(page: EventPage, responseId: string): Extract<EventPage, { type: 'events' }> {
  switch (page.type) {
    case 'events':
      return page
    case 'unknown':
      throw responseNotFound(responseId)
    case 'not-kept':
      throw notStreamable(
        "Only responses created with 'background: true' and 'stream: true' can be streamed again. Leave 'stream' out.",
      )
    case 'expired':
      throw notStreamable(
        `The events of response '${responseId}' are not kept any more. Leave 'stream' out to get the response itself.`,
      )
  }
}

const notStreamable = (message: string) => badRequest('stream', 'invalid_value', message)

const hasLeft = ({ aborted, reason }: AbortSignal) =>
  aborted && !(reason instanceof RunAbort && reason.kind !== 'reader-gone')

const goElsewhere = (responseId: string, after: number) => {
  const cursor = after < 0 ? '' : `&starting_after=${after}`
  return new ApiError({
    status: 503,
    code: 'server_shutting_down',
    message:
      'The server is shutting down; the response goes on. Read on with ' +
      `GET /v1/responses/${responseId}?stream=true${cursor} in a moment.`,
    headers: { 'retry-after': '1', 'x-should-retry': 'true' },
  })
}
