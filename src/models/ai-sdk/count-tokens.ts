/** An estimate of what a call costs, by OpenAI's `o200k_base` tokenizer; most other models are within 10 to 20 %. */
import type { LanguageModelV4CallOptions, LanguageModelV4Message } from '@ai-sdk/provider'
import { loadTokenizer } from '../../lib/tokenizer.ts'

/** The frame around each message, and the one that opens the reply. */
const TOKENS_PER_MESSAGE = 3
const TOKENS_FOR_REPLY = 3
/** Around each tool call or tool declaration. */
const TOKENS_PER_TOOL = 8
/** A flat guess per image, and per byte of any other file: one token per 6 bytes, 8 characters of base64. */
const TOKENS_PER_IMAGE = 765
const BASE64_CHARS_PER_TOKEN = 8

type Count = (text: string) => number
type Part = Exclude<LanguageModelV4Message['content'], string>[number]

export async function countCallTokens({ prompt, tools, responseFormat }: LanguageModelV4CallOptions): Promise<number> {
  const tokenizer = await loadTokenizer()
  const count: Count = (text) => (text === '' ? 0 : tokenizer.count(text))
  const messages = prompt.reduce((sum, { content }) => {
    const parts: readonly Part[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content
    return sum + TOKENS_PER_MESSAGE + parts.reduce((of, part) => of + countPart(part, count), 0)
  }, 0)
  const declared = (tools ?? []).reduce((sum, tool) => sum + TOKENS_PER_TOOL + count(JSON.stringify(tool)), 0)
  const schema = responseFormat?.type === 'json' ? count(JSON.stringify(responseFormat.schema ?? {})) : 0
  return messages + declared + schema + TOKENS_FOR_REPLY
}

function countPart(part: Part, count: Count): number {
  switch (part.type) {
    case 'text':
    case 'reasoning':
      return count(part.text)
    case 'file': {
      if (part.mediaType.startsWith('image')) return TOKENS_PER_IMAGE
      const { data } = part
      const size = data.type === 'data' && typeof data.data === 'string' ? data.data.length : 0
      return Math.ceil(size / BASE64_CHARS_PER_TOKEN)
    }
    case 'tool-call':
      return TOKENS_PER_TOOL + count(part.toolName) + count(JSON.stringify(part.input))
    case 'tool-result':
      return part.output.type === 'text' ? count(part.output.value) : count(JSON.stringify(part.output))
    default:
      return 0
  }
}
