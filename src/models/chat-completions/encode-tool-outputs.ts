/** The outputs of tool calls, handed out where their calls are. */
import type { TurnItem } from '../model.ts'
import { pairOutputs, type ToolOutput } from '../upstream/pair-outputs.ts'
import { encodePart, joinText } from './encode-content.ts'
import type { ChatMessage, ChatPart, ChatTextPart } from './wire.ts'

export interface ToolOutputs {
  /** The tool messages of these calls, in their order, and what tool messages cannot hold right after them. */
  of(callIds: readonly string[]): readonly ChatMessage[]
  /** Throws when an output was left whose call never came. */
  assertAllUsed(): void
}

export function createToolOutputs(items: readonly TurnItem[], fileParts: boolean): ToolOutputs {
  const outputs = pairOutputs(items)
  return {
    of(callIds) {
      const encoded = callIds.map((id) => encodeOutput(outputs.take(id), fileParts))
      return [...encoded.map(({ tool }) => tool), ...encoded.flatMap(({ media }) => media ?? [])]
    },
    assertAllUsed: outputs.assertAllUsed,
  }
}

/** Tool messages hold text only; images and files follow in a user message that says where they are from. */
function encodeOutput(
  { call_id: id, output }: ToolOutput,
  fileParts: boolean,
): { tool: ChatMessage; media?: ChatMessage } {
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
