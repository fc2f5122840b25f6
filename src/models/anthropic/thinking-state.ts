/**
 * A thinking block as one opaque string. The engine seals it into a reasoning item's `encrypted_content` and hands it
 * back opened; it goes back to the provider as it came, or its signature would not fit.
 */
import { asFields, parseJson } from '../upstream/fields.ts'
import type { ThinkingBlock } from './wire.ts'

const VERSION = 'anthropic-1'

export const packThinking = (block: ThinkingBlock): string => JSON.stringify({ v: VERSION, block })

/** Null for anything that was not packed here: the state of another provider is no use to this one. */
export function unpackThinking(state: string | undefined): ThinkingBlock | null {
  if (!state) return null
  const packed = asFields(parseJson(state))
  const block = packed?.v === VERSION ? asFields(packed.block) : null
  const type = block?.type
  return type === 'thinking' || type === 'redacted_thinking' ? { ...block, type } : null
}
