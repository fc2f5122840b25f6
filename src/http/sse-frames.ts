/**
 * Events as SSE frames. Invariant: a frame is `event: <type>`, LF, `data: <JSON on one line>`, LF, LF. The type comes
 * from a closed set and `JSON.stringify` escapes every CR and LF, so no text can end a line early or begin a field.
 */
import type { Ids } from '../lib/ids.ts'
import { EVENT_SCHEMAS, type ResponseEvent } from '../protocol/events.ts'

export const DONE_FRAME = 'data: [DONE]\n\n'
export const KEEP_ALIVE_FRAME = ': keep-alive\n\n'

/** Turns events into frames. Throws on a type outside the closed set. */
export type Framer = (event: ResponseEvent) => string

const PREFIXES: ReadonlyMap<string, string> = new Map(
  Object.keys(EVENT_SCHEMAS).map((type) => [type, `event: ${type}\ndata: `]),
)

export function frame(event: ResponseEvent): string {
  return `${prefixOf(event.type)}${JSON.stringify(event)}\n\n`
}

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

type DeltaEvent = Extract<ResponseEvent, { delta: string }>
const isDelta = (event: ResponseEvent): event is DeltaEvent => 'delta' in event

/** What a delta brings is padded to a multiple of this, so that the size of a packet does not tell the token. */
const PAD_BYTES = 32

/**
 * Frames with `obfuscation` on every delta: random letters whose length hides the length of what the delta brings.
 * One framer per stream: it remembers how much of a delta event of the current item is the same each time.
 */
export function createPaddedFramer(ids: Ids, pool = paddingPool(ids)): Framer {
  let itemId = ''
  let type = ''
  let constantBytes = 0
  return (event) => {
    if (!isDelta(event)) return frame(event)
    if (event.item_id !== itemId || event.type !== type) {
      ;({ item_id: itemId, type } = event)
      constantBytes = bytesWithoutContent(event)
    }
    const data = JSON.stringify(event)
    const content = Buffer.byteLength(data) - constantBytes - String(event.sequence_number).length
    const length = PAD_BYTES - (content % PAD_BYTES)
    const start = Math.floor(ids.random() * (pool.length - PAD_BYTES))
    return `${prefixOf(event.type)}${data.slice(0, -1)},"obfuscation":"${pool.slice(start, start + length)}"}\n\n`
  }
}

function bytesWithoutContent(event: DeltaEvent): number {
  const empty = { ...event, sequence_number: 0, delta: '', ...('logprobs' in event && { logprobs: [] }) }
  return Buffer.byteLength(JSON.stringify(empty)) - 1
}

const POOL_PARTS = 64

/** Padding is cut from here at a random place; made once per server. */
export function paddingPool(ids: Ids): string {
  const parts = Array.from({ length: POOL_PARTS }, () => ids.next('pad').slice('pad_'.length))
  return parts.join('')
}
