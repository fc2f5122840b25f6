/** An estimate of what a request costs, by OpenAI's `o200k_base` tokenizer; most other models are within 10 to 20 %. */
import { loadTokenizer } from '../../lib/tokenizer.ts'
import type { ChatRequest } from './encode-request.ts'
import type { ChatMessage, ChatPart } from './wire.ts'

/** The frame around each message, and the one that opens the reply. */
const TOKENS_PER_MESSAGE = 3
const TOKENS_FOR_REPLY = 3
/** Around each tool call or tool declaration. */
const TOKENS_PER_TOOL = 8
/** A flat guess per image: OpenAI's price of a 1024 x 1024 image in high and in low detail. */
const TOKENS_PER_IMAGE = 765
const TOKENS_PER_LOW_IMAGE = 85
/** A file is guessed by its size: one token per 6 bytes, which are 8 characters of base64. */
const BASE64_CHARS_PER_TOKEN = 8

type Count = (text: string) => number

export async function countRequestTokens(request: ChatRequest): Promise<number> {
  const tokenizer = await loadTokenizer()
  const count: Count = (text) => (text === '' ? 0 : tokenizer.count(text))
  const messages = request.messages.reduce((sum, message) => sum + countMessage(message, count), 0)
  const tools = Array.isArray(request.tools) ? request.tools : []
  const declared = tools.reduce<number>((sum, tool) => sum + TOKENS_PER_TOOL + count(JSON.stringify(tool)), 0)
  const format = request.response_format ? count(JSON.stringify(request.response_format)) : 0
  return messages + declared + format + TOKENS_FOR_REPLY
}

function countMessage(message: ChatMessage, count: Count): number {
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

const countParts = (parts: readonly ChatPart[], count: Count): number =>
  parts.reduce((sum, part) => {
    if (part.type === 'text') return sum + count(part.text)
    if (part.type === 'file') return sum + Math.ceil(part.file.file_data.length / BASE64_CHARS_PER_TOKEN)
    return sum + (part.image_url.detail === 'low' ? TOKENS_PER_LOW_IMAGE : TOKENS_PER_IMAGE)
  }, 0)
