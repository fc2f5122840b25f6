/** Writes the output of shell commands that run here: opened when they start, told while they run, closed at their end. */
import type { ShellCallOutput } from '../protocol/client-items.ts'
import { applyShellProgress, type ShellProgress } from '../protocol/shell-output.ts'
import { type EventSink, type ItemPlace, pushItem } from './event-sink.ts'

export interface ShellOutputWriter {
  readonly type: 'shell-output'
  /** As it stands now. */
  item(): ShellCallOutput
  tell(event: ShellProgress): void
  finish(status: ShellCallOutput['status']): void
  /** What nobody finished was cut off. */
  close(): ShellCallOutput
}

export function openShellOutput(sink: EventSink, place: ItemPlace, opened: ShellCallOutput): ShellOutputWriter {
  let item = opened
  pushItem(sink, 'added', place, opened)
  return {
    type: 'shell-output',
    item: () => item,
    tell(event) {
      item = applyShellProgress(item, event)
      sink.push({ ...event, sequence_number: sink.next(), item_id: place.id, output_index: place.outputIndex })
    },
    finish(status) {
      item = { ...item, status }
    },
    close() {
      if (item.status === 'in_progress') item = { ...item, status: 'incomplete' }
      pushItem(sink, 'done', place, item)
      return item
    },
  }
}
