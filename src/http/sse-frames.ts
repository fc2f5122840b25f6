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
 * One framer per stream, see `createFramer`.
 */
export function createPaddedFramer(ids: Ids, pool = paddingPool(ids)): Framer {
  return createFramer((contentBytes) => {
    const length = PAD_BYTES - (contentBytes % PAD_BYTES)
    const start = Math.floor(ids.random() * (pool.length - PAD_BYTES))
    return pool.slice(start, start + length)
  })
}

/**
 * One framer per stream: deltas of one part differ in their number and in what they bring, so the rest of their frame is
 * made once. `pad`: what to add to a delta that brings so many bytes, as letters and digits.
 */
export function createFramer(pad: ((contentBytes: number) => string) | null = null): Framer {
  let mould: DeltaMould | null = null
  return (event) => {
    if (!isDelta(event)) return frame(event)
    if (mould === null || !mould.fits(event)) mould = createMould(event)
    const content = JSON.stringify(event.delta)
    const logprobs = 'logprobs' in event && event.logprobs.length > 0 ? JSON.stringify(event.logprobs) : NO_LOGPROBS
    const bytes = Buffer.byteLength(content) + Buffer.byteLength(logprobs) - EMPTY_BYTES
    return mould.cast(event.sequence_number, content, logprobs, pad === null ? null : pad(bytes))
  }
}

const NO_LOGPROBS = '[]'
/** Of `""` and `[]`. */
const EMPTY_BYTES = 4

type DeltaMould = {
  fits(event: DeltaEvent): boolean
  cast(sequenceNumber: number, content: string, logprobs: string, padding: string | null): string
}

/** Which of its item's parts a delta belongs to. */
const partOf = (event: DeltaEvent): number =>
  'content_index' in event ? event.content_index : 'summary_index' in event ? event.summary_index : 0

/** Invariant: what is cast equals `frame(event)`, with `obfuscation` as one more field when there is padding. */
function createMould(event: DeltaEvent): DeltaMould {
  const { type, item_id, sequence_number, delta, output_index, ...others } = event
  const { logprobs, ...part } = { logprobs: null, ...others }
  const place = JSON.stringify({ item_id, output_index, ...part }).slice(1, -1)
  const index = partOf(event)
  const start = `${prefixOf(type)}{"type":"${type}","sequence_number":`
  const beforeDelta = `,${place},"delta":`
  return {
    fits: (other) =>
      other.item_id === item_id &&
      other.type === type &&
      partOf(other) === index &&
      other.output_index === output_index,
    cast(number, content, givenLogprobs, padding) {
      const ending = logprobs === null ? '' : `,"logprobs":${givenLogprobs}`
      const padded = padding === null ? '' : `,"obfuscation":"${padding}"`
      return `${start}${number}${beforeDelta}${content}${ending}${padded}}\n\n`
    },
  }
}

const POOL_PARTS = 64

/** Padding is cut from here at a random place; made once per server. */
export function paddingPool(ids: Ids): string {
  const parts = Array.from({ length: POOL_PARTS }, () => ids.next('pad').slice('pad_'.length))
  return parts.join('')
}
