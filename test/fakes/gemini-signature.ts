/**
 * Signatures of the fake Gemini: each says which part it belongs to, so a part that comes back with another one, or
 * not exactly as it was, is seen.
 */
import { createHash } from 'node:crypto'
import type { Json } from './chat-validate.ts'

export const DUMMY_SIGNATURES: readonly unknown[] = [
  'skip_thought_signature_validator',
  'context_engineering_is_the_way_to_go',
]

/** `before`: the text of the part in front, which a signed part without text vouches for. */
export function signatureOf(part: Json, before: string): string {
  const { thoughtSignature: _, ...content } = part
  const signed = content.text === '' ? { before } : content
  return createHash('sha256').update(JSON.stringify(signed)).digest('base64')
}
