/** Events as JSON on one line, as every sink writes them. */
import type { Ids } from '../lib/ids.ts'
import { EVENT_SCHEMAS, type ResponseEvent } from '../protocol/events.ts'

/** Throws on a type outside the closed set. */
export type EventWriter = (event: ResponseEvent) => string

export const eventJson: EventWriter = (event) => {
  if (!Object.hasOwn(EVENT_SCHEMAS, event.type)) throw new Error('a run yielded an event of an unknown type')
  return JSON.stringify(event)
}

type DeltaEvent = Extract<ResponseEvent, { delta: string }>
const isDelta = (event: ResponseEvent): event is DeltaEvent => 'delta' in event

/** What a delta brings is padded to a multiple of this, so that the size of a packet does not tell the token. */
const PAD_BYTES = 32

/**
 * Events with `obfuscation` on every delta: random letters whose length hides the length of what the delta brings.
 * One writer per stream: it remembers how much of a delta event of the current item is the same each time.
 */
export function createPaddedJson(ids: Ids, pool = paddingPool(ids)): EventWriter {
  let itemId = ''
  let type = ''
  let constantBytes = 0
  return (event) => {
    if (!isDelta(event)) return eventJson(event)
    if (event.item_id !== itemId || event.type !== type) {
      ;({ item_id: itemId, type } = event)
      constantBytes = bytesWithoutContent(event)
    }
    const data = eventJson(event)
    const content = Buffer.byteLength(data) - constantBytes - String(event.sequence_number).length
    const length = PAD_BYTES - (content % PAD_BYTES)
    const start = Math.floor(ids.random() * (pool.length - PAD_BYTES))
    return `${data.slice(0, -1)},"obfuscation":"${pool.slice(start, start + length)}"}`
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
