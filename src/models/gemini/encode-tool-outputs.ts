/** The outputs of tool calls as function responses, handed out where their calls are. */
import type { TurnItem } from '../model.ts'
import { asFields, parseJson } from '../upstream/fields.ts'
import { pairOutputs, type ToolOutput } from '../upstream/pair-outputs.ts'
import { type ContentDialect, encodePart } from './encode-content.ts'
import type { GeminiPart } from './wire.ts'

export type CallName = { readonly callId: string; readonly name: string }

export type OutputDialect = ContentDialect & {
  readonly mediaInResponses: boolean
}

export interface ToolOutputs {
  /** One function response per call, in their order, and what they cannot hold right after them. */
  of(calls: readonly CallName[]): readonly GeminiPart[]
  /** Throws when an output was left whose call never came. */
  assertAllUsed(): void
}

/** Throws `ModelError` where a call has no output. */
export function createToolOutputs(items: readonly TurnItem[], dialect: OutputDialect): ToolOutputs {
  const outputs = pairOutputs(items)
  return {
    of(calls) {
      const encoded = calls.map((call) => encodeOutput(call, outputs.take(call.callId), dialect))
      return [...encoded.map(({ response }) => response), ...encoded.flatMap(({ media }) => media)]
    },
    assertAllUsed: outputs.assertAllUsed,
  }
}

function encodeOutput({ callId, name }: CallName, { output }: ToolOutput, dialect: OutputDialect) {
  const own = { ...(dialect.vertex ? {} : { id: callId }), name }
  if (typeof output === 'string')
    return { response: { functionResponse: { ...own, response: toObject(output) } }, media: [] }
  const parts = output.map((part) => encodePart(part, dialect))
  const text = parts.flatMap((part) => part.text ?? []).join('\n')
  const media = parts.filter((part) => part.text === undefined)
  const inline = media.flatMap(({ inlineData }) => (inlineData ? [{ inlineData }] : []))
  if (dialect.mediaInResponses && inline.length === media.length) {
    const response = { ...own, response: toObject(text), ...(inline.length > 0 && { parts: inline }) }
    return { response: { functionResponse: response }, media: [] }
  }
  const note: GeminiPart = { text: `Returned by the call ${callId} of ${name}:` }
  return { response: { functionResponse: { ...own, response: toObject(text) } }, media: [note, ...media] }
}

/** A function responds with an object. One that the tool wrote itself goes as it is. */
const toObject = (text: string): Readonly<Record<string, unknown>> => asFields(parseJson(text)) ?? { output: text }
