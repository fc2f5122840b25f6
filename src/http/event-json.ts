/**
 * Events as JSON on one line, between whatever a sink writes around each.
 *
 * The tempting wrong way is one `JSON.stringify` per event: deltas of one part differ in their number and in what they
 * bring alone, so the rest of their text is made once.
 */
import type { Ids } from '../lib/ids.ts'
import type { ResponseEvent } from '../protocol/events.ts'

/** What stands around the JSON of an event of this type. `before` throws on a type outside the closed set. */
export type EventShape = { readonly before: (type: string) => string; readonly after: string }
/** One per stream: it remembers what the deltas of the current part have in common. */
export type EventWriter = (event: ResponseEvent) => string
/** What to add to a delta that brings so many bytes, as letters and digits. */
export type Padding = (contentBytes: number) => string

export const writeEvent = (event: ResponseEvent, { before, after }: EventShape): string =>
  `${before(event.type)}${JSON.stringify(event)}${after}`

export function createEventWriter(shape: EventShape, pad: Padding | null = null): EventWriter {
  let mould: DeltaMould | null = null
  return (event) => {
    if (!isDelta(event)) return writeEvent(padded(event, pad), shape)
    if (mould === null || !mould.fits(event)) mould = createMould(event, shape)
    const content = JSON.stringify(event.delta)
    const logprobs = 'logprobs' in event && event.logprobs.length > 0 ? JSON.stringify(event.logprobs) : NO_LOGPROBS
    const bytes = Buffer.byteLength(content) + Buffer.byteLength(logprobs) - EMPTY_BYTES
    return mould.cast(event.sequence_number, content, logprobs, pad === null ? null : pad(bytes))
  }
}

/** Padding for `obfuscation`: random letters whose length hides the length of what a delta brings. */
export const createPadding =
  (ids: Ids, pool = paddingPool(ids)): Padding =>
  (contentBytes) => {
    const length = PAD_BYTES - (contentBytes % PAD_BYTES)
    const start = Math.floor(ids.random() * (pool.length - PAD_BYTES))
    return pool.slice(start, start + length)
  }

/** Deltas without an item id are few, and need no mould. */
function padded(event: ResponseEvent, pad: Padding | null): ResponseEvent {
  if (pad === null || event.type !== 'response.shell_call_command.delta') return event
  return { ...event, ...{ obfuscation: pad(Buffer.byteLength(event.delta)) } }
}

type DeltaEvent = Extract<ResponseEvent, { delta: string; item_id: string }>
const isDelta = (event: ResponseEvent): event is DeltaEvent =>
  'delta' in event && 'item_id' in event && typeof event.delta === 'string'

/** What a delta brings is padded to a multiple of this, so that the size of a packet does not tell the token. */
const PAD_BYTES = 32

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

/** Invariant: what is cast equals `writeEvent(event)`, with `obfuscation` as one more field when there is padding. */
function createMould(event: DeltaEvent, { before, after }: EventShape): DeltaMould {
  const { type, item_id, sequence_number, delta, output_index, ...others } = event
  const { logprobs, ...part } = { logprobs: null, ...others }
  const place = JSON.stringify({ item_id, output_index, ...part }).slice(1, -1)
  const index = partOf(event)
  const start = `${before(type)}{"type":"${type}","sequence_number":`
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
      return `${start}${number}${beforeDelta}${content}${ending}${padded}}${after}`
    },
  }
}

const POOL_PARTS = 64

/** Padding is cut from here at a random place; made once per server. */
export function paddingPool(ids: Ids): string {
  const parts = Array.from({ length: POOL_PARTS }, () => ids.next('pad').slice('pad_'.length))
  return parts.join('')
}
