/** What a writer of one item needs of the composer. */
import type { ResponseEvent } from '../protocol/events.ts'

export type EventSink = {
  /** The next sequence number; each is taken exactly once, in the order of the events. */
  next(): number
  push(event: ResponseEvent): void
}

export type ItemPlace = { readonly id: string; readonly outputIndex: number }
