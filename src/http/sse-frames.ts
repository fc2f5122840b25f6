/**
 * Events as SSE frames. Invariant: a frame is `event: <type>`, LF, `data: <JSON on one line>`, LF, LF. The type comes
 * from a closed set and `JSON.stringify` escapes every CR and LF, so no text can end a line early or begin a field.
 */
import type { Ids } from '../lib/ids.ts'
import { EVENT_SCHEMAS, type ResponseEvent } from '../protocol/events.ts'
import { createEventWriter, createPadding, type EventShape, type EventWriter, writeEvent } from './event-json.ts'

export const DONE_FRAME = 'data: [DONE]\n\n'
export const KEEP_ALIVE_FRAME = ': keep-alive\n\n'

/** Turns events into frames. Throws on a type outside the closed set. */
export type Framer = EventWriter

const PREFIXES: ReadonlyMap<string, string> = new Map(
  Object.keys(EVENT_SCHEMAS).map((type) => [type, `event: ${type}\ndata: `]),
)

const FRAME: EventShape = { before: prefixOf, after: '\n\n' }

export const frame = (event: ResponseEvent): string => writeEvent(event, FRAME)

/** One framer per stream. */
export const createFramer = (): Framer => createEventWriter(FRAME)

/** The same with `obfuscation` on every delta. */
export const createPaddedFramer = (ids: Ids, pool?: string): Framer =>
  createEventWriter(FRAME, createPadding(ids, pool))

function prefixOf(type: string): string {
  const prefix = PREFIXES.get(type)
  if (prefix === undefined) throw new Error('a run yielded an event of an unknown type')
  return prefix
}

/** `error` is not part of a healthy stream: infrastructure failed. Both known forms at once, flat and nested. */
export function errorFrame(
  sequenceNumber: number,
  error: { type: string; code: string | null; message: string },
): string {
  const { type, code, message } = error
  const flat = { type: 'error', sequence_number: sequenceNumber, code, message, param: null }
  return `${prefixOf('error')}${JSON.stringify({ ...flat, error: { type, code, message, param: null } })}\n\n`
}
