/**
 * Where Gemini's thought signatures belong, as the opaque state of a reasoning item. The engine seals it into
 * `encrypted_content` and hands it back opened.
 *
 * A signature must come back on exactly the part it came with, and the API has no place for it on a message or a call.
 * So a reasoning item beside the part carries it: before a call or a text that begins with it; behind a text whose
 * later parts came signed, because that text was already on its way to the client.
 */
import { asFields, asList, asNumber, asText, parseJson } from '../upstream/fields.ts'

/** A part of a text, in UTF-16 units; of length 0: a part of its own without text. */
export type SignedText = { readonly start: number; readonly length: number; readonly signature: string }

export type ThoughtState = {
  /** Of the function call right behind this item. */
  readonly call?: string
  /** Of the first part of the text right behind this item. */
  readonly next?: { readonly length: number; readonly signature: string }
  /** Of parts of the text right before this item, in their order. */
  readonly previous?: readonly SignedText[]
  /** Of this item's own summary. */
  readonly thought?: string
}

const VERSION = 1

export const packThoughtState = (state: ThoughtState): string => JSON.stringify({ gemini: VERSION, ...state })

/** Empty for anything we did not pack: a state of another adapter or version is no use here. */
export function unpackThoughtState(text: string | undefined): ThoughtState {
  const fields = text ? asFields(parseJson(text)) : null
  if (fields?.gemini !== VERSION) return {}
  const call = asText(fields.call)
  const thought = asText(fields.thought)
  const next = asFields(fields.next)
  const signature = asText(next?.signature)
  const previous = asList(fields.previous).flatMap(readSignedText)
  return {
    ...(call && { call }),
    ...(thought && { thought }),
    ...(signature && { next: { length: asNumber(next?.length) ?? 0, signature } }),
    ...(previous.length > 0 && { previous }),
  }
}

function readSignedText(entry: unknown): SignedText[] {
  const fields = asFields(entry)
  const signature = asText(fields?.signature)
  const start = asNumber(fields?.start)
  const length = asNumber(fields?.length)
  return signature && start !== null && length !== null ? [{ start, length, signature }] : []
}
