/**
 * What a provider sealed of its reasoning, as one opaque string. Its own id of the item belongs to it: OpenAI refuses a
 * sealed text under another id.
 */
import { asFields, asText, parseJson } from '../upstream/fields.ts'

export type ReasoningState = { readonly id: string | null; readonly encryptedContent: string }

const VERSION = 1

export const packReasoningState = ({ id, encryptedContent }: ReasoningState): string =>
  JSON.stringify({ v: VERSION, id, encrypted_content: encryptedContent })

/** Null for anything we did not pack: the state of another adapter is no use here. */
export function unpackReasoningState(text: string | undefined): ReasoningState | null {
  if (!text) return null
  const state = asFields(parseJson(text))
  const encryptedContent = asText(state?.encrypted_content)
  if (state?.v !== VERSION || encryptedContent === null) return null
  return { id: asText(state.id), encryptedContent }
}
