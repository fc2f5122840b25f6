/**
 * Items -> the prompt of a call.
 *
 * Invariant, because packages refuse everything else: at most one system message, at the start; an assistant message
 * with calls is followed at once by one tool message with one result per call, in the calls' order. So a run of
 * assistant text, reasoning and calls becomes one message, and outputs are pulled to where their calls are.
 */
import type { LanguageModelV4Message, LanguageModelV4Prompt, LanguageModelV4ToolResultPart } from '@ai-sdk/provider'
import type { InputMessage } from '../../protocol/items.ts'
import { ModelError, type TurnItem } from '../model.ts'
import { pairOutputs, type ToolOutput } from '../upstream/pair-outputs.ts'
import { type AssistantItem, encodeAssistantParts, isCall } from './encode-assistant-parts.ts'
import { encodePart, type PromptPart } from './encode-content.ts'

export type PromptSource = {
  readonly instructions: string | null
  readonly items: readonly TurnItem[]
}

/** Throws `ModelError` (`invalid_request`) for content without a form here, and for calls and outputs without a pair. */
export function encodePrompt({ instructions, items }: PromptSource, packageName: string): LanguageModelV4Prompt {
  const system: string[] = instructions ? [instructions] : []
  const messages: LanguageModelV4Message[] = []
  const outputs = pairOutputs(items)
  for (const group of groupItems(items)) {
    if (group.type === 'input') {
      const { role, parts } = encodeInput(group.message)
      // What the developer says later speaks as the user, in its place: moved, it would refer to something else.
      if (role !== 'user' && messages.length === 0) system.push(textOf(parts))
      else pushUser(messages, parts)
      continue
    }
    const content = encodeAssistantParts(group.items, packageName)
    if (content.length > 0) messages.push({ role: 'assistant', content })
    const results = group.items.filter(isCall).map(({ call_id, name }) => encodeResult(outputs.take(call_id), name))
    if (results.length > 0) messages.push({ role: 'tool', content: results })
  }
  outputs.assertAllUsed()
  return system.length === 0 ? messages : [{ role: 'system', content: system.join('\n\n') }, ...messages]
}

type Group =
  | { readonly type: 'input'; readonly message: InputMessage }
  | { readonly type: 'assistant'; readonly items: AssistantItem[] }

/** Outputs are in no group: they end a run and are placed by their call. */
function groupItems(items: readonly TurnItem[]): readonly Group[] {
  const groups: Group[] = []
  let run: AssistantItem[] | null = null
  for (const item of items) {
    if (item.type === 'additional_tools' || item.type === 'compaction') continue
    if (item.type === 'message' && item.role !== 'assistant') {
      groups.push({ type: 'input', message: item })
      run = null
    } else if (item.type === 'function_call_output' || item.type === 'custom_tool_call_output') run = null
    else {
      if (run === null) {
        run = []
        groups.push({ type: 'assistant', items: run })
      }
      run.push(item)
    }
  }
  return groups
}

function encodeInput({ role, content }: InputMessage) {
  const parts = content.map(encodePart)
  if (role !== 'user' && parts.some(({ type }) => type !== 'text')) {
    throw new ModelError('invalid_request', `This provider takes only text in ${role} messages.`, { param: 'input' })
  }
  return { role, parts }
}

const textOf = (parts: readonly PromptPart[]) => parts.map((part) => (part.type === 'text' ? part.text : '')).join('\n')

/** Neighbours of one role are one message: some providers want the roles to alternate. */
function pushUser(messages: LanguageModelV4Message[], parts: PromptPart[]): void {
  const last = messages.at(-1)
  if (last?.role === 'user') messages[messages.length - 1] = { role: 'user', content: [...last.content, ...parts] }
  else messages.push({ role: 'user', content: parts })
}

function encodeResult({ call_id: toolCallId, output }: ToolOutput, toolName: string): LanguageModelV4ToolResultPart {
  const result = { type: 'tool-result', toolCallId, toolName } as const
  if (typeof output === 'string') return { ...result, output: { type: 'text', value: output } }
  const parts = output.map(encodePart)
  if (parts.every(({ type }) => type === 'text')) return { ...result, output: { type: 'text', value: textOf(parts) } }
  return { ...result, output: { type: 'content', value: parts } }
}
