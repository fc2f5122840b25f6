/**
 * Chat messages -> input items. A message may become several items: text beside tool calls, reasoning before text.
 *
 * Invariant: `origins[k]` says where item `k` came from, so that whatever is wrong with an item can be told in the words
 * of the request.
 */
import type { MessagePart, ToolOutputPart } from '../content.ts'
import { type ApiError, badRequest, missingParameter } from '../errors.ts'
import type { InputItemParam } from '../items.ts'
import type { ChatMessage, ChatPart, ChatToolCall } from './request.ts'

/** Where an item came from; `fields`: the item's fields by their names in the request. */
export type Origin = { readonly path: string; readonly fields: Readonly<Record<string, string>> }
export type ChatItems = { readonly items: readonly InputItemParam[]; readonly origins: readonly Origin[] }

type CallKind = 'function' | 'custom'
type Draft = { readonly items: InputItemParam[]; readonly origins: Origin[]; readonly kinds: Map<string, CallKind> }

const PART_FIELDS = { image_url: 'image_url.url', file_data: 'file.file_data', file_id: 'file.file_id' }
const OUTPUT_FIELDS = { call_id: 'tool_call_id', output: 'content' }
const CALL_FIELDS: Readonly<Record<CallKind, Readonly<Record<string, string>>>> = {
  function: { call_id: 'id', name: 'function.name', arguments: 'function.arguments' },
  custom: { call_id: 'id', name: 'custom.name', input: 'custom.input' },
}

/** Throws `ApiError` 400 for what a role cannot hold and for what this server does not take. */
export function toItems(messages: readonly ChatMessage[]): ChatItems {
  const draft: Draft = { items: [], origins: [], kinds: new Map() }
  for (const [index, message] of messages.entries()) addMessage(draft, message, `messages[${index}]`)
  return draft
}

function addMessage(draft: Draft, message: ChatMessage, path: string): void {
  if (message.audio) throw unsupported(`${path}.audio`, 'This server does not take or make audio.')
  if (message.function_call) throw unsupported(`${path}.function_call`, "Use 'tool_calls' instead.")
  switch (message.role) {
    case 'system':
    case 'developer':
    case 'user':
      addPlain(draft, message, message.role, path)
      break
    case 'assistant':
      addAssistant(draft, message, path)
      break
    case 'tool':
      addOutput(draft, message, path)
      break
    case 'function':
      throw unsupported(`${path}.role`, "The role 'function' is not supported. Use 'tool' with a 'tool_call_id'.")
  }
}

function addPlain(draft: Draft, message: ChatMessage, role: 'system' | 'developer' | 'user', path: string): void {
  refuseFields(message, ['tool_calls', 'tool_call_id'], role, path)
  const { content } = message
  if (content === null || content === undefined) throw missingParameter(`${path}.content`)
  const parts = typeof content === 'string' ? content : content.map((part, at) => toInputPart(part, partPath(path, at)))
  push(draft, { type: 'message', role, content: parts }, { path, fields: PART_FIELDS })
}

function addAssistant(draft: Draft, message: ChatMessage, path: string): void {
  refuseFields(message, ['tool_call_id'], 'assistant', path)
  const { reasoning_content: reasoning, tool_calls: calls } = message
  if (reasoning) {
    const content = [{ type: 'reasoning_text' as const, text: reasoning }]
    push(draft, { type: 'reasoning', summary: [], content }, { path: `${path}.reasoning_content`, fields: {} })
  }
  const parts = assistantParts(message, path)
  if (parts.length > 0)
    push(draft, { type: 'message', role: 'assistant', content: parts }, { path, fields: PART_FIELDS })
  for (const [at, call] of (calls ?? []).entries()) addCall(draft, call, `${path}.tool_calls[${at}]`)
  const isEmpty = parts.length === 0 && !reasoning && (calls ?? []).length === 0
  if (isEmpty && message.content !== '') throw missingParameter(`${path}.content`)
}

function assistantParts({ content, refusal }: ChatMessage, path: string): MessagePart[] {
  const written = typeof content === 'string' ? [{ type: 'text' as const, text: content }] : (content ?? [])
  const parts = written.flatMap((part, at): MessagePart[] => {
    if (part.type === 'text') return part.text === '' ? [] : [{ type: 'output_text', text: part.text }]
    if (part.type === 'refusal') return [{ type: 'refusal', refusal: part.refusal }]
    throw wrongPart(`${partPath(path, at)}.type`, part.type, 'assistant')
  })
  return refusal ? [...parts, { type: 'refusal', refusal }] : parts
}

function addCall({ kinds, ...draft }: Draft, call: ChatToolCall, path: string): void {
  const kind: CallKind = call.type ?? (call.custom ? 'custom' : 'function')
  kinds.set(call.id, kind)
  const origin = { path, fields: CALL_FIELDS[kind] }
  if (kind === 'function') {
    if (!call.function) throw missingParameter(`${path}.function`)
    const { name, arguments: args } = call.function
    push(draft, { type: 'function_call', call_id: call.id, name, arguments: args }, origin)
  } else {
    if (!call.custom) throw missingParameter(`${path}.custom`)
    push(draft, { type: 'custom_tool_call', call_id: call.id, ...call.custom }, origin)
  }
}

/** The answer of a tool, of the kind of the call it answers. */
function addOutput(draft: Draft, message: ChatMessage, path: string): void {
  refuseFields(message, ['tool_calls', 'refusal', 'reasoning_content'], 'tool', path)
  const { tool_call_id: id, content } = message
  if (!id) throw missingParameter(`${path}.tool_call_id`)
  if (content === null || content === undefined) throw missingParameter(`${path}.content`)
  const output =
    typeof content === 'string' ? content : content.map((part, at) => toInputPart(part, partPath(path, at)))
  const kind = draft.kinds.get(id)
  if (kind === undefined) {
    const why = `'tool_call_id' ${JSON.stringify(id)} belongs to no 'tool_calls' of an assistant message before it.`
    throw badRequest(`${path}.tool_call_id`, 'invalid_value', `Invalid '${path}': ${why}`)
  }
  const type = kind === 'custom' ? 'custom_tool_call_output' : 'function_call_output'
  push(draft, { type, call_id: id, output }, { path, fields: { ...PART_FIELDS, ...OUTPUT_FIELDS } })
}

function push({ items, origins }: Omit<Draft, 'kinds'>, item: InputItemParam, origin: Origin): void {
  items.push(item)
  origins.push(origin)
}

function toInputPart(part: ChatPart, path: string): ToolOutputPart {
  switch (part.type) {
    case 'text':
      return { ...breakpointOf(part), type: 'input_text', text: part.text }
    case 'image_url': {
      const { url, detail } = part.image_url
      return { ...breakpointOf(part), type: 'input_image', image_url: url, detail: detail ?? null }
    }
    case 'file':
      return { ...breakpointOf(part), type: 'input_file', ...part.file }
    case 'input_audio':
      throw unsupported(path, 'This server does not take audio. Send a transcript as text.')
    case 'refusal':
      throw wrongPart(`${path}.type`, part.type, 'user')
  }
}

type Breakpoint = Pick<Extract<ChatPart, { type: 'text' }>, 'prompt_cache_breakpoint'>
const breakpointOf = ({ prompt_cache_breakpoint: given }: Breakpoint) =>
  given ? { prompt_cache_breakpoint: given } : {}

const partPath = (path: string, at: number) => `${path}.content[${at}]`

type RoleField = 'tool_calls' | 'tool_call_id' | 'refusal' | 'reasoning_content'

/** What a role cannot hold would change the conversation if it were left out, so it is refused. */
function refuseFields(message: ChatMessage, fields: readonly RoleField[], role: string, path: string): void {
  for (const field of fields) {
    const value = message[field]
    if (value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) continue
    throw badRequest(
      `${path}.${field}`,
      'invalid_value',
      `Invalid '${path}.${field}': a message of role '${role}' cannot hold it.`,
    )
  }
}

const unsupported = (param: string, why: string): ApiError =>
  badRequest(param, 'unsupported_value', `Unsupported value: '${param}'. ${why}`)

const wrongPart = (param: string, type: string, role: string) =>
  badRequest(param, 'invalid_value', `Invalid value: '${type}'. A message of role '${role}' cannot hold such a part.`)
