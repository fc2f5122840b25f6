/** Writes the item of a tool that the server runs: opened with the call, told while it runs, closed with what it gave. */
import { applyHostedEvent, type HostedProgress } from '../protocol/hosted-events.ts'
import { abandonedItem, type HostedItem, isOpenStatus } from '../protocol/hosted-items.ts'
import { type EventSink, type ItemPlace, pushItem } from './event-sink.ts'

export interface HostedWriter {
  readonly type: 'hosted'
  /** As it stands now. */
  item(): HostedItem
  tell(event: HostedProgress): void
  /** How the item will close; its id and what was streamed of it stay. */
  finish(item: HostedItem): void
  /** An item that nobody finished was abandoned. */
  close(): HostedItem
}

/** `opened`: the item as it begins, made by the tool that owns it. */
export function openHosted(sink: EventSink, place: ItemPlace, opened: HostedItem): HostedWriter {
  let item = opened
  const ofProgram = 'caller' in opened && opened.caller ? { caller: opened.caller } : null
  pushItem(sink, 'added', place, opened)
  return {
    type: 'hosted',
    item: () => item,
    tell(event) {
      item = applyHostedEvent(item, event)
      sink.push({ ...event, sequence_number: sink.next(), item_id: place.id, output_index: place.outputIndex })
    },
    finish(final) {
      item = { ...final, ...ofProgram }
    },
    close() {
      if ('status' in item && isOpenStatus(item.status)) item = abandonedItem(item)
      pushItem(sink, 'done', place, item)
      return item
    },
  }
}
