/** Writes one call that the client executes: a function call's JSON arguments, or a custom tool's free text. */

import { createTextBuilder } from '../lib/text-builder.ts'
import type { CustomToolCall, FunctionCall, ItemStatus } from '../protocol/items.ts'
import { type EventSink, type ItemPlace, pushItem } from './event-sink.ts'

export type CallItem = FunctionCall | CustomToolCall

export interface CallWriter {
  readonly type: 'call'
  /** Of its item. */
  readonly id: string
  delta(delta: string): void
  /** Announces the whole input; the item itself stays open until `close`. */
  endInput(): void
  input(): string
  close(status: ItemStatus): CallItem
}

/** `opened`: the item with zero values, made by the tool that owns it. */
export function openCall(sink: EventSink, place: ItemPlace, opened: CallItem): CallWriter {
  const ofItem = { item_id: place.id, output_index: place.outputIndex }
  const input = createTextBuilder()
  let ended = false
  pushItem(sink, 'added', place, opened)

  const endInput = () => {
    if (ended) return
    ended = true
    if (opened.type === 'function_call') {
      sink.push({
        type: 'response.function_call_arguments.done',
        sequence_number: sink.next(),
        ...ofItem,
        name: opened.name,
        arguments: input.toString(),
      })
    } else {
      sink.push({
        type: 'response.custom_tool_call_input.done',
        sequence_number: sink.next(),
        ...ofItem,
        input: input.toString(),
      })
    }
  }

  return {
    type: 'call',
    id: place.id,
    delta(delta) {
      input.add(delta)
      sink.push({
        type:
          opened.type === 'function_call'
            ? 'response.function_call_arguments.delta'
            : 'response.custom_tool_call_input.delta',
        sequence_number: sink.next(),
        ...ofItem,
        delta,
      })
    },
    endInput,
    input: () => input.toString(),
    close(status) {
      endInput()
      const done: CallItem =
        opened.type === 'function_call'
          ? { ...opened, status, arguments: input.toString() }
          : { ...opened, status, input: input.toString() }
      pushItem(sink, 'done', place, done)
      return done
    },
  }
}
