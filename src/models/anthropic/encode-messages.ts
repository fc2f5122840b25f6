/**
 * Items -> the system prompt and the messages.
 *
 * Invariants, because this API refuses everything else: the calls of an assistant message are answered at the start of
 * the user message right after it, whatever the client put between them; thinking stands where it came, unchanged, and
 * never at the end of a message; the first message and the last are not the assistant's.
 */
import type { CustomToolCall, FunctionCall, OutputMessage } from '../../protocol/items.ts'
import { ModelError, type TurnItem } from '../model.ts'
import { asFields, parseJson } from '../upstream/fields.ts'
import { pairOutputs, type ToolOutput } from '../upstream/pair-outputs.ts'
import { arrangeMessages, type Entry } from './arrange-messages.ts'
import { type CallIds, createCallIds } from './call-ids.ts'
import { encodeParts } from './encode-content.ts'
import { unpackThinking } from './thinking-state.ts'
import type { AssistantBlock, Message, TextBlock, ToolResultBlock, ToolUseBlock } from './wire.ts'

export type MessagesSource = {
  readonly instructions: string | null
  readonly items: readonly TurnItem[]
}

export type EncodedMessages = {
  readonly system: readonly TextBlock[]
  readonly messages: readonly Message[]
}

type Call = FunctionCall | CustomToolCall

/** Throws `ModelError` (`invalid_request`) for content without a form here, and for calls and outputs without a pair. */
export function encodeMessages(
  { instructions, items }: MessagesSource,
  { systemMessages }: { readonly systemMessages: boolean },
): EncodedMessages {
  const system: TextBlock[] = instructions?.trim() ? [{ type: 'text', text: instructions }] : []
  const entries: Entry[] = []
  const outputs = pairOutputs(items)
  const ids = createCallIds()
  let run: TurnItem[] = []
  const endRun = () => {
    if (run.length > 0) entries.push(...encodeRun(run, ids, (callId) => outputs.take(callId)))
    run = []
  }
  for (const item of items) {
    if (isOfAssistant(item)) {
      run.push(item)
      continue
    }
    endRun()
    if (item.type !== 'message' || item.role === 'assistant') continue
    const content = encodeParts(item.content)
    if (item.role === 'user') entries.push({ role: 'user', content })
    else if (entries.length === 0) system.push(...textOnly(content, item.role))
    else entries.push({ role: 'system', content: textOnly(content, item.role) })
  }
  endRun()
  outputs.assertAllUsed()
  return { system, messages: arrangeMessages(entries, systemMessages) }
}

/** Everything else ends a run of the assistant's; outputs are placed by their calls. */
const isOfAssistant = (item: TurnItem): boolean =>
  item.type === 'message'
    ? item.role === 'assistant'
    : item.type === 'reasoning' || item.type === 'function_call' || item.type === 'custom_tool_call'

function textOnly(blocks: readonly { readonly type: string }[], role: string): TextBlock[] {
  return blocks.map((block) => {
    if (isText(block)) return block
    throw new ModelError('invalid_request', `This provider takes only text in ${role} messages.`, { param: 'input' })
  })
}

const isText = (block: { readonly type: string }): block is TextBlock => block.type === 'text'

/** What the assistant said and called between two things of others, and the answers to its calls. */
function encodeRun(run: readonly TurnItem[], ids: CallIds, outputOf: (callId: string) => ToolOutput): readonly Entry[] {
  const results: ToolResultBlock[] = []
  const content = run.flatMap((item): AssistantBlock[] => {
    if (item.type === 'message' && item.role === 'assistant') return encodeText(item)
    if (item.type === 'reasoning') return thinkingOf(item.encrypted_content)
    if (item.type !== 'function_call' && item.type !== 'custom_tool_call') return []
    const id = ids.claim(item.call_id)
    results.push(encodeOutput(outputOf(item.call_id), id))
    return [encodeCall(item, id)]
  })
  const said: Entry = { role: 'assistant', content }
  return results.length > 0 ? [said, { role: 'user', content: results }] : [said]
}

const encodeText = ({ content }: OutputMessage): TextBlock[] =>
  content.flatMap((part) => {
    const text = part.type === 'output_text' ? part.text : part.refusal
    return text.trim() === '' ? [] : [{ type: 'text', text }]
  })

/** Input must be an object here; what is none, because it was cut or was never JSON, travels as one text. */
function encodeCall(call: Call, id: string): ToolUseBlock {
  const { name } = call
  if (call.type === 'custom_tool_call') return { type: 'tool_use', id, name, input: { input: call.input } }
  const input = call.arguments.trim() === '' ? {} : asFields(parseJson(call.arguments))
  return { type: 'tool_use', id, name, input: input ?? { arguments: call.arguments } }
}

/** A breakpoint inside an output is one behind it: what stands within is not cached by itself. */
function encodeOutput({ output, status }: ToolOutput, id: string): ToolResultBlock {
  const parts = typeof output === 'string' ? [] : encodeParts(output)
  const mark = parts.findLast(({ cache_control }) => cache_control !== undefined)?.cache_control
  const content = typeof output === 'string' ? output : parts.map(({ cache_control: _, ...part }) => part)
  return {
    type: 'tool_result',
    tool_use_id: id,
    content: content.length === 0 ? '' : content,
    ...(status === 'incomplete' ? { is_error: true as const } : {}),
    ...(mark && { cache_control: mark }),
  }
}

function thinkingOf(state: string | undefined): AssistantBlock[] {
  const block = unpackThinking(state)
  return block ? [block] : []
}
