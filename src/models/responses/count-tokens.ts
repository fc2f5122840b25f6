/** An estimate of what a request costs, for providers that do not count. */
import {
  fileTokens,
  imageTokens,
  openTextCounter,
  TOKENS_FOR_REPLY,
  TOKENS_PER_MESSAGE,
} from '../upstream/estimate-tokens.ts'
import { asFields } from '../upstream/fields.ts'
import type { WireItem } from './encode-items.ts'
import type { ResponsesRequest } from './encode-request.ts'

export async function estimateTokens({ instructions, input, tools, text }: ResponsesRequest): Promise<number> {
  const count = await openTextCounter()
  let tokens = TOKENS_FOR_REPLY
  const countText = (value: unknown) => {
    const json = typeof value === 'string' ? value : JSON.stringify(value)
    if (json) tokens += count(json)
  }
  for (const value of [instructions, tools, text]) if (value) countText(value)
  for (const item of input) {
    tokens += TOKENS_PER_MESSAGE
    for (const content of contentOf(item)) {
      const part = asFields(content) ?? {}
      if (part.type === 'input_image') tokens += imageTokens(part.detail)
      else if (typeof part.file_data === 'string') tokens += fileTokens(part.file_data)
      else countText(part.text ?? part.refusal ?? content)
    }
  }
  return tokens
}

function contentOf({ type, content, output, ...rest }: WireItem): readonly unknown[] {
  const parts = type === 'reasoning' ? [...(Array.isArray(rest.summary) ? rest.summary : [])] : (content ?? output)
  if (Array.isArray(parts)) return parts
  return [parts ?? `${rest.name ?? ''}${rest.arguments ?? rest.input ?? ''}`]
}
