/** What a writer of one item needs of the composer. */
import type { ResponseEvent } from '../protocol/events.ts'
import type { OutputItem } from '../protocol/items.ts'

export type EventSink = {
  /** The next sequence number; each is taken exactly once, in the order of the events. */
  next(): number
  push(event: ResponseEvent): void
}

export type ItemPlace = { readonly id: string; readonly outputIndex: number }

/** Tells that an item has opened (`added`, with zero values) or closed (`done`, final). */
export function pushItem(sink: EventSink, step: 'added' | 'done', place: ItemPlace, item: OutputItem): void {
  const sequence_number = sink.next()
  sink.push({ type: `response.output_item.${step}`, sequence_number, output_index: place.outputIndex, item })
}
