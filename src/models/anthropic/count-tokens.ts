/** An estimate of what a request costs, for when the provider does not count. */
import { type CountText, openTextCounter, TOKENS_PER_MESSAGE } from '../upstream/estimate-tokens.ts'
import { asFields, asList, asText, type Fields } from '../upstream/fields.ts'
import type { MessagesRequest } from './wire.ts'

/** Claude's own tokenizer makes more of the same text; it is not published, so this is a rule of thumb. */
const TOKENS_PER_O200K_TOKEN = 1.2
/** A flat guess per image: one of 1000 x 1000 pixels costs about 1334. */
const TOKENS_PER_IMAGE = 1334
/** Base64 of a PDF, whose pages are read as text and as images: about 1500 to 3000 a page. */
const BASE64_CHARS_PER_TOKEN = 16

export async function estimateTokens({ system, messages, tools }: MessagesRequest): Promise<number> {
  const countText = await openTextCounter()
  const count: CountText = (text) => countText(text) * TOKENS_PER_O200K_TOKEN
  const blocks: readonly Fields[] = [
    ...(system ?? []),
    ...messages.flatMap(({ content }): readonly Fields[] => content),
  ]
  const said = blocks.reduce<number>((sum, block) => sum + countBlock(block, count), 0)
  const declared = count(tools ? JSON.stringify(tools) : '')
  return Math.ceil(said + declared + (messages.length + 1) * TOKENS_PER_MESSAGE)
}

function countBlock(block: Fields, count: CountText): number {
  const source = asFields(block.source)
  if (source) {
    if (block.type === 'image') return TOKENS_PER_IMAGE
    const data = asText(source.data) ?? ''
    return source.type === 'text' ? count(data) : Math.ceil(data.length / BASE64_CHARS_PER_TOKEN)
  }
  if (block.type === 'redacted_thinking') return 0
  if (Array.isArray(block.content)) {
    return asList(block.content).reduce<number>((sum, part) => sum + countBlock(asFields(part) ?? {}, count), 0)
  }
  const text = asText(block.text) ?? asText(block.content) ?? asText(block.thinking) ?? ''
  return count(text) + (block.input === undefined ? 0 : count(JSON.stringify(block.input)))
}
