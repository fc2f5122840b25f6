/** Thinking that the fake has signed, and will take back only unchanged. */
import { createHash } from 'node:crypto'
import { traitsOf } from './anthropic-models.ts'
import { isJson, type Json } from './chat-validate.ts'

export interface SignatureBook {
  /** A signature for a thought that answers this request. `shown`: as the client sees it. */
  sign(shown: string, body: Json): string
  /** What is wrong with the thinking in a request; null when nothing is. */
  check(body: Json): string | null
}

export function createSignatureBook(): SignatureBook {
  const signed = new Map<string, { readonly shown: string; readonly prefix: string }>()
  return {
    sign(shown, body) {
      const signature = `signature+of/thought=${signed.size}`
      signed.set(signature, { shown, prefix: prefixOf(body, (body.messages as unknown[]).length) })
      return signature
    },
    check(body) {
      for (const { block, index, at } of thoughtsIn(body.messages)) {
        const known = signed.get(String(block.signature ?? block.data))
        if (!known || known.shown !== String(block.thinking ?? ''))
          return `${at}: Invalid \`signature\` in \`thinking\` block`
        if (isBound(body) && known.prefix !== prefixOf(body, index)) {
          return `${at}: \`thinking\` blocks cannot be used after a change before them.`
        }
      }
      return null
    },
  }
}

function isBound({ model, thinking }: Json): boolean {
  const binding = isJson(thinking) && isJson(thinking.block_binding) ? thinking.block_binding : {}
  return traitsOf(String(model)).bound && binding.prefix_mismatch_behavior !== 'drop_block'
}

function* thoughtsIn(messages: unknown) {
  for (const [index, message] of (Array.isArray(messages) ? messages : []).entries()) {
    for (const [part, block] of (isJson(message) && Array.isArray(message.content) ? message.content : []).entries()) {
      if (isJson(block) && (block.type === 'thinking' || block.type === 'redacted_thinking')) {
        yield { block, index, at: `messages.${index}.content.${part}` }
      }
    }
  }
}

/** Everything before a message, but for where it is cached. */
function prefixOf({ system, tools, messages }: Json, end: number): string {
  const text = JSON.stringify([system, tools, (messages as unknown[]).slice(0, end)], (name, value: unknown) =>
    name === 'cache_control' ? undefined : value,
  )
  return createHash('sha256').update(text).digest('hex')
}
