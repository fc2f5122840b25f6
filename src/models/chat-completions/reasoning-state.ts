/**
 * What a provider wants to see again on later turns, as one opaque string. The engine seals it into a reasoning
 * item's `encrypted_content` and hands it back opened.
 */
import { asFields, asList, type Fields, parseJson } from '../upstream/fields.ts'

export type ReasoningState = {
  /** OpenRouter's `reasoning_details`, merged from its fragments. */
  readonly details: readonly unknown[]
  /** Gemini's `extra_content` (thought signatures) of tool calls, by the provider's call id. */
  readonly callExtras: Fields
}

const VERSION = 1

export const packReasoningState = ({ details, callExtras }: ReasoningState): string | undefined =>
  details.length === 0 && Object.keys(callExtras).length === 0
    ? undefined
    : JSON.stringify({ v: VERSION, details, callExtras })

/** Null for anything we did not pack: a state of another provider or version is no use here. */
export function unpackReasoningState(text: string | undefined): ReasoningState | null {
  if (!text) return null
  const state = asFields(parseJson(text))
  if (state?.v !== VERSION) return null
  return { details: asList(state.details), callExtras: asFields(state.callExtras) ?? {} }
}
