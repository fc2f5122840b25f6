/** One run of the assistant's items -> the parts of one message. */
import type {
  LanguageModelV4ReasoningPart,
  LanguageModelV4TextPart,
  LanguageModelV4ToolCallPart,
} from '@ai-sdk/provider'
import type { CustomToolCall, FunctionCall, OutputMessage, ReasoningItem } from '../../protocol/items.ts'
import type { TurnItem } from '../model.ts'
import { asFields, parseJson } from '../upstream/fields.ts'
import { type Metadata, unpackMetadataState } from './metadata-state.ts'

export type AssistantItem = Extract<TurnItem, OutputMessage | ReasoningItem | FunctionCall | CustomToolCall>
type AssistantPart = LanguageModelV4ReasoningPart | LanguageModelV4TextPart | LanguageModelV4ToolCallPart

export const isCall = (item: AssistantItem): item is AssistantItem & (FunctionCall | CustomToolCall) =>
  item.type === 'function_call' || item.type === 'custom_tool_call'

/** Empty when nothing is left to say. Thoughts that this package did not sign are left out: providers refuse them. */
export function encodeAssistantParts(items: readonly AssistantItem[], packageName: string): AssistantPart[] {
  const states = items.flatMap((item) =>
    item.type === 'reasoning' ? [unpackMetadataState(packageName, item.encrypted_content)] : [],
  )
  const ofCalls: Readonly<Record<string, Metadata>> = Object.assign({}, ...states.map(({ calls }) => calls))
  const ofText = states.findLast(({ text }) => text !== null)?.text ?? null
  const parts = items.flatMap((item): AssistantPart[] => {
    if (item.type === 'reasoning') {
      const { thoughts } = unpackMetadataState(packageName, item.encrypted_content)
      return thoughts.map(({ text, metadata }) => ({ type: 'reasoning', text, providerOptions: metadata }))
    }
    if (isCall(item)) return [encodeCall(item, ofCalls[item.call_id])]
    const text = item.content.map((part) => (part.type === 'output_text' ? part.text : part.refusal)).join('')
    return text === '' ? [] : [{ type: 'text', text, ...(ofText && { providerOptions: ofText }) }]
  })
  return parts.some(({ type }) => type !== 'reasoning') ? parts : []
}

function encodeCall(call: FunctionCall | CustomToolCall, metadata: Metadata | undefined): LanguageModelV4ToolCallPart {
  const input = call.type === 'function_call' ? readArguments(call.arguments) : { input: call.input }
  return {
    type: 'tool-call',
    toolCallId: call.call_id,
    toolName: call.name,
    input,
    ...(metadata && { providerOptions: metadata }),
  }
}

/** Providers want an object. What a model wrote that is none is shown to it as the text it was. */
const readArguments = (text: string) => (text.trim() === '' ? {} : (asFields(parseJson(text)) ?? { input: text }))
