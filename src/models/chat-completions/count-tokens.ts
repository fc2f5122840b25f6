/** An estimate of what a request costs. */
import {
  type CountText,
  fileTokens,
  imageTokens,
  openTextCounter,
  TOKENS_FOR_REPLY,
  TOKENS_PER_MESSAGE,
} from '../upstream/estimate-tokens.ts'
import type { ChatRequest } from './encode-request.ts'
import type { ChatMessage, ChatPart } from './wire.ts'

/** Around each tool call or tool declaration. */
const TOKENS_PER_TOOL = 8

export async function estimateTokens(request: ChatRequest): Promise<number> {
  const count = await openTextCounter()
  const messages = request.messages.reduce((sum, message) => sum + countMessage(message, count), 0)
  const tools = Array.isArray(request.tools) ? request.tools : []
  const declared = tools.reduce<number>((sum, tool) => sum + TOKENS_PER_TOOL + count(JSON.stringify(tool)), 0)
  const format = request.response_format ? count(JSON.stringify(request.response_format)) : 0
  return messages + declared + format + TOKENS_FOR_REPLY
}

function countMessage(message: ChatMessage, count: CountText): number {
  const { content } = message
  const text = typeof content === 'string' ? count(content) : countParts(content ?? [], count)
  if (message.role !== 'assistant') return TOKENS_PER_MESSAGE + text
  const calls = (message.tool_calls ?? []).reduce(
    (sum, call) =>
      sum +
      TOKENS_PER_TOOL +
      (call.type === 'function'
        ? count(call.function.name) + count(call.function.arguments)
        : count(call.custom.name) + count(call.custom.input)),
    0,
  )
  const extra = count(message.refusal ?? '') + count(message.reasoning_content ?? message.reasoning ?? '')
  return TOKENS_PER_MESSAGE + text + calls + extra
}

const countParts = (parts: readonly ChatPart[], count: CountText): number =>
  parts.reduce((sum, part) => {
    if (part.type === 'text') return sum + count(part.text)
    if (part.type === 'file') return sum + fileTokens(part.file.file_data)
    return sum + imageTokens(part.image_url.detail)
  }, 0)
