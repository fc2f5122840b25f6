/** Events inside the item of a tool that a server runs, and what they do to the item. */
import type { HostedItem } from './hosted-items.ts'
import { type Static, type TProperties, Type } from './schema.ts'

const event = <const T extends string, P extends TProperties>(type: T, fields: P) =>
  Type.Object({
    type: Type.Literal(type),
    sequence_number: Type.Integer({ minimum: 0 }),
    item_id: Type.String(),
    output_index: Type.Integer({ minimum: 0 }),
    ...fields,
  })
const delta = { delta: Type.String() }

export const HOSTED_EVENT_SCHEMAS = {
  'response.web_search_call.in_progress': event('response.web_search_call.in_progress', {}),
  'response.web_search_call.searching': event('response.web_search_call.searching', {}),
  'response.web_search_call.completed': event('response.web_search_call.completed', {}),
  'response.file_search_call.in_progress': event('response.file_search_call.in_progress', {}),
  'response.file_search_call.searching': event('response.file_search_call.searching', {}),
  'response.file_search_call.completed': event('response.file_search_call.completed', {}),
  'response.code_interpreter_call.in_progress': event('response.code_interpreter_call.in_progress', {}),
  'response.code_interpreter_call_code.delta': event('response.code_interpreter_call_code.delta', delta),
  'response.code_interpreter_call_code.done': event('response.code_interpreter_call_code.done', {
    code: Type.String(),
  }),
  'response.code_interpreter_call.interpreting': event('response.code_interpreter_call.interpreting', {}),
  'response.code_interpreter_call.completed': event('response.code_interpreter_call.completed', {}),
  'response.image_generation_call.in_progress': event('response.image_generation_call.in_progress', {}),
  'response.image_generation_call.generating': event('response.image_generation_call.generating', {}),
  'response.image_generation_call.partial_image': event('response.image_generation_call.partial_image', {
    partial_image_index: Type.Integer({ minimum: 0 }),
    partial_image_b64: Type.String(),
    size: Type.Optional(Type.String()),
    quality: Type.Optional(Type.String()),
    background: Type.Optional(Type.String()),
    output_format: Type.Optional(Type.String()),
  }),
  'response.image_generation_call.completed': event('response.image_generation_call.completed', {}),
  'response.mcp_list_tools.in_progress': event('response.mcp_list_tools.in_progress', {}),
  'response.mcp_list_tools.completed': event('response.mcp_list_tools.completed', {}),
  'response.mcp_list_tools.failed': event('response.mcp_list_tools.failed', {}),
  'response.mcp_call.in_progress': event('response.mcp_call.in_progress', {}),
  'response.mcp_call_arguments.delta': event('response.mcp_call_arguments.delta', delta),
  'response.mcp_call_arguments.done': event('response.mcp_call_arguments.done', { arguments: Type.String() }),
  'response.mcp_call.completed': event('response.mcp_call.completed', {}),
  'response.mcp_call.failed': event('response.mcp_call.failed', {}),
}

export type HostedEventType = keyof typeof HOSTED_EVENT_SCHEMAS
type EventOf<T extends HostedEventType> = Static<(typeof HOSTED_EVENT_SCHEMAS)[T]>
export type HostedEvent = { [T in HostedEventType]: EventOf<T> }[HostedEventType]
/** Without what the composer alone may say. */
export type HostedProgress = {
  [T in HostedEventType]: Omit<EventOf<T>, 'sequence_number' | 'item_id' | 'output_index'>
}[HostedEventType]

export const isHostedEvent = (event: { readonly type: string }): event is HostedEvent =>
  Object.hasOwn(HOSTED_EVENT_SCHEMAS, event.type)

/** Which items an event may stand in. */
const familyOf = (type: HostedEventType): string =>
  type.split('.')[1]?.replace(/^(code_interpreter_call)_code$|^(mcp_call)_arguments$/, '$1$2') ?? ''

/**
 * The item after one of its events; only streamed text changes it, all else comes with the item that closes it.
 *
 * @throws TypeError for an event that this item cannot have, or that does not repeat what was streamed
 */
export function applyHostedEvent(item: HostedItem, event: HostedProgress): HostedItem {
  if (familyOf(event.type) !== item.type) throw new TypeError(`${event.type} does not belong to a ${item.type}`)
  switch (event.type) {
    case 'response.code_interpreter_call_code.delta':
      return item.type === 'code_interpreter_call' ? { ...item, code: (item.code ?? '') + event.delta } : item
    case 'response.mcp_call_arguments.delta':
      return item.type === 'mcp_call' ? { ...item, arguments: item.arguments + event.delta } : item
    case 'response.code_interpreter_call_code.done':
    case 'response.mcp_call_arguments.done': {
      const done = 'code' in event ? event.code : event.arguments
      if (done !== streamedText(item)) throw new TypeError(`${event.type} repeats exactly what was streamed`)
      return item
    }
    default:
      return item
  }
}

/** What of an item is streamed piece by piece. */
export function streamedText(item: HostedItem): string {
  if (item.type === 'code_interpreter_call') return item.code ?? ''
  return item.type === 'mcp_call' ? item.arguments : ''
}
