/**
 * Items -> chat messages.
 *
 * Invariant, because strict servers refuse everything else: an assistant message with tool calls is followed at once
 * by one tool message per call, in the calls' order; and no tool message stands anywhere else. So a run of assistant
 * text, reasoning and calls becomes one assistant message, and outputs are pulled to where their calls are, wherever
 * the client put them.
 */
import type { CustomToolCall, FunctionCall, InputMessage, OutputMessage, ReasoningItem } from '../../protocol/items.ts'
import { ModelError, type TurnItem } from '../model.ts'
import { encodeContent } from './encode-content.ts'
import { createToolOutputs } from './encode-tool-outputs.ts'
import type { Quirks } from './quirks.ts'
import { unpackReasoningState } from './reasoning-state.ts'
import type { ChatAssistantMessage, ChatMessage, ChatToolCall } from './wire.ts'

export type MessagesSource = {
  readonly instructions: string | null
  readonly items: readonly TurnItem[]
}

type Call = FunctionCall | CustomToolCall
/** One assistant message in the making. */
type AssistantRun = {
  message: OutputMessage | null
  readonly reasoning: ReasoningItem[]
  readonly calls: Call[]
}
type Group =
  | { readonly type: 'input'; readonly message: InputMessage }
  | { readonly type: 'assistant'; readonly run: AssistantRun; readonly sinceLastUser: boolean }

/** Throws `ModelError` (`invalid_request`) for content without a form here, and for calls and outputs without a pair. */
export function encodeMessages({ instructions, items }: MessagesSource, quirks: Quirks): readonly ChatMessage[] {
  const messages: ChatMessage[] = []
  if (instructions) messages.push({ role: quirks.developerRole, content: instructions })
  const outputs = createToolOutputs(items, quirks.fileParts)
  for (const group of groupItems(items)) {
    if (group.type === 'input') {
      messages.push(encodeInputMessage(group.message, quirks))
      continue
    }
    const message = encodeRun(group.run, quirks, group.sinceLastUser)
    if (message) messages.push(message, ...outputs.of(group.run.calls.map(({ call_id }) => call_id)))
  }
  outputs.assertAllUsed()
  return quirks.systemMessages === 'first' ? systemFirst(messages) : messages
}

/** Outputs are in no group: they end a run and are placed by their call. */
function groupItems(items: readonly TurnItem[]): readonly Group[] {
  const lastUser = items.findLastIndex((item) => item.type === 'message' && item.role === 'user')
  const groups: Group[] = []
  let run: AssistantRun | null = null
  for (const [index, item] of items.entries()) {
    if (item.type === 'additional_tools' || item.type === 'compaction') continue
    if (run === null || !continues(run, item)) run = null
    if (item.type === 'message' && item.role !== 'assistant') groups.push({ type: 'input', message: item })
    else if (item.type !== 'function_call_output' && item.type !== 'custom_tool_call_output') {
      if (run === null) {
        run = { message: null, reasoning: [], calls: [] }
        groups.push({ type: 'assistant', run, sinceLastUser: index > lastUser })
      }
      if (item.type === 'message') run.message = item
      else if (item.type === 'reasoning') run.reasoning.push(item)
      else run.calls.push(item)
    }
  }
  return groups
}

function continues(run: AssistantRun, item: TurnItem): boolean {
  switch (item.type) {
    case 'function_call':
    case 'custom_tool_call':
      return true
    case 'reasoning':
      // Reasoning opens a message of its own once the one before it is said.
      return run.message === null || run.calls.length > 0 || run.reasoning.length === 0
    case 'message':
      return item.role === 'assistant' && run.message === null
    default:
      return false
  }
}

function encodeInputMessage({ role, content }: InputMessage, { developerRole, fileParts }: Quirks): ChatMessage {
  const encoded = encodeContent(content, fileParts)
  if (role === 'user') return { role, content: encoded }
  if (typeof encoded !== 'string') {
    throw new ModelError('invalid_request', `This provider takes only text in ${role} messages.`, { param: 'input' })
  }
  return { role: role === 'system' ? 'system' : developerRole, content: encoded }
}

/** Null when nothing is left to say: an assistant message without text and calls is refused everywhere. */
function encodeRun(run: AssistantRun, quirks: Quirks, sinceLastUser: boolean): ChatAssistantMessage | null {
  const { text, refusal } = readOutputMessage(run.message, quirks.refusalField)
  const calls = run.calls.map((call) => encodeCall(call, quirks))
  if (text === null && refusal === null && calls.length === 0) return null
  return {
    role: 'assistant',
    content: text,
    ...(refusal === null ? {} : { refusal }),
    ...encodeReasoning(run, quirks, sinceLastUser),
    ...(calls.length > 0 ? { tool_calls: withExtras(calls, run, quirks) } : {}),
  }
}

function readOutputMessage(message: OutputMessage | null, refusalField: boolean) {
  let text = ''
  let refusal = ''
  for (const part of message?.content ?? []) {
    if (part.type === 'output_text') text += part.text
    else if (refusalField) refusal += part.refusal
    else text += part.refusal
  }
  return { text: text || null, refusal: refusal || null }
}

/** `arguments` travel as they are: the provider wrote them. A call without any had an empty object. */
function encodeCall(call: Call, { customTools }: Quirks): ChatToolCall {
  const { call_id: id, name } = call
  if (call.type === 'function_call') {
    return { id, type: 'function', function: { name, arguments: call.arguments || '{}' } }
  }
  if (customTools) return { id, type: 'custom', custom: { name, input: call.input } }
  return { id, type: 'function', function: { name, arguments: JSON.stringify({ input: call.input }) } }
}

function encodeReasoning(run: AssistantRun, quirks: Quirks, sinceLastUser: boolean): Partial<ChatAssistantMessage> {
  if (quirks.reasoningState === 'reasoning_details') {
    const details = run.reasoning.flatMap((item) => unpackReasoningState(item.encrypted_content)?.details ?? [])
    if (details.length > 0) return { reasoning_details: details }
  }
  const input = quirks.reasoningInput
  if (!input || (input.when === 'tool-calls' && !(sinceLastUser && run.calls.length > 0))) return {}
  const text = run.reasoning.map(textOfReasoning).join('\n')
  return text === '' ? {} : { [input.field]: text }
}

const textOfReasoning = ({ content, summary }: ReasoningItem): string =>
  (content && content.length > 0 ? content : summary).map(({ text }) => text).join('\n')

/** Thought signatures go back on the calls they came with. */
function withExtras(calls: readonly ChatToolCall[], run: AssistantRun, quirks: Quirks): readonly ChatToolCall[] {
  if (quirks.reasoningState !== 'extra_content') return calls
  const extras = Object.assign(
    {},
    ...run.reasoning.map((item) => unpackReasoningState(item.encrypted_content)?.callExtras),
  )
  return calls.map((call) => {
    const extra: unknown = extras[call.id]
    return extra === undefined || call.type !== 'function' ? call : { ...call, extra_content: extra }
  })
}

/** One system message at the start; what comes later speaks as the user, in its place (see `Quirks.systemMessages`). */
function systemFirst(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const leading: string[] = []
  const rest: ChatMessage[] = []
  for (const message of messages) {
    if (message.role !== 'system' && message.role !== 'developer') rest.push(message)
    else if (rest.length === 0) leading.push(message.content)
    else rest.push({ role: 'user', content: message.content })
  }
  return leading.length === 0 ? rest : [{ role: 'system', content: leading.join('\n\n') }, ...rest]
}
