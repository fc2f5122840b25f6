/**
 * Writes a call of a tool that a client runs and that is no function. Such a call is shown when it is whole and known to
 * be one: a client can do nothing with half a patch, and a broken one is the model's to repair.
 */
import { type ClientCall, closedCall, openedCall, streamedCommands } from '../protocol/client-items.ts'
import type { ItemStatus } from '../protocol/items.ts'
import type { Program } from '../protocol/programs.ts'
import { type EventSink, type ItemPlace, pushItem } from './event-sink.ts'

export interface ClientCallWriter {
  readonly type: 'client-call'
  readonly id: string
  close(status: ItemStatus): ClientCall | Program
}

export function openClientCall(sink: EventSink, place: ItemPlace, call: ClientCall | Program): ClientCallWriter {
  if (call.type === 'program') return openProgram(sink, place, call)
  const { outputIndex: output_index } = place
  pushItem(sink, 'added', place, openedCall(call))
  streamedCommands(call).forEach((command, command_index) => {
    const ofCommand = { output_index, command_index }
    const tell = <T extends object>(event: T) => ({ ...event, sequence_number: sink.next(), ...ofCommand })
    sink.push(tell({ type: 'response.shell_call_command.added' as const, command: '' }))
    if (command !== '') sink.push(tell({ type: 'response.shell_call_command.delta' as const, delta: command }))
    sink.push(tell({ type: 'response.shell_call_command.done' as const, command }))
  })
  return {
    type: 'client-call',
    id: place.id,
    close(status) {
      const done = closedCall(call, status)
      pushItem(sink, 'done', place, done)
      return done
    },
  }
}

/** It has no states: it is there, and what it gives is an item of its own. */
function openProgram(sink: EventSink, place: ItemPlace, program: Program): ClientCallWriter {
  pushItem(sink, 'added', place, program)
  return {
    type: 'client-call',
    id: place.id,
    close() {
      pushItem(sink, 'done', place, program)
      return program
    },
  }
}
