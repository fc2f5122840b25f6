/** The outputs of tool calls, handed out where their calls are. */
import type { CustomToolCallOutput, FunctionCallOutput } from '../../protocol/items.ts'
import { ModelError, type TurnItem } from '../model.ts'
import { encodePart, joinText } from './encode-content.ts'
import type { ChatMessage, ChatPart, ChatTextPart } from './wire.ts'

type Output = FunctionCallOutput | CustomToolCallOutput

export interface ToolOutputs {
  /** The tool messages of these calls, in their order, and what tool messages cannot hold right after them. */
  of(callIds: readonly string[]): readonly ChatMessage[]
  /** Throws when an output was left whose call never came. */
  assertAllUsed(): void
}

/** Ids may repeat from turn to turn (some providers count from 0 in each): the nth output answers the nth call. */
export function createToolOutputs(items: readonly TurnItem[], fileParts: boolean): ToolOutputs {
  const byCallId = new Map<string, Output[]>()
  for (const item of items) {
    if (item.type !== 'function_call_output' && item.type !== 'custom_tool_call_output') continue
    const queue = byCallId.get(item.call_id)
    if (queue) queue.push(item)
    else byCallId.set(item.call_id, [item])
  }
  return {
    of(callIds) {
      const encoded = callIds.map((id) => {
        const output = byCallId.get(id)?.shift()
        if (!output) throw refuse(`No tool output found for function call ${id}.`)
        return encodeOutput(output, fileParts)
      })
      return [...encoded.map(({ tool }) => tool), ...encoded.flatMap(({ media }) => media ?? [])]
    },
    assertAllUsed() {
      for (const [id, queue] of byCallId) {
        if (queue.length > 0) throw refuse(`No tool call found for function call output with call_id ${id}.`)
      }
    },
  }
}

const refuse = (message: string) => new ModelError('invalid_request', message, { param: 'input' })

/** Tool messages hold text only; images and files follow in a user message that says where they are from. */
function encodeOutput({ call_id: id, output }: Output, fileParts: boolean): { tool: ChatMessage; media?: ChatMessage } {
  if (typeof output === 'string') return { tool: { role: 'tool', tool_call_id: id, content: output } }
  const parts = output.map((part) => encodePart(part, fileParts))
  const texts: ChatTextPart[] = []
  const media: ChatPart[] = []
  for (const part of parts) {
    if (part.type === 'text') texts.push(part)
    else media.push(part)
  }
  const content = joinText(texts)
  if (media.length === 0) return { tool: { role: 'tool', tool_call_id: id, content } }
  const note: ChatPart = { type: 'text', text: `Returned by the tool call ${id}:` }
  return {
    tool: { role: 'tool', tool_call_id: id, content: content || 'The result is in the next user message.' },
    media: { role: 'user', content: [note, ...media] },
  }
}
