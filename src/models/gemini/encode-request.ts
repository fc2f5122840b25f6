/** A turn -> the body of `streamGenerateContent`. What was not given is left out, never null. */
import type { ModelTurn, TurnItem } from '../model.ts'
import { encodeContents } from './encode-contents.ts'
import { encodeSchema } from './encode-schema.ts'
import { encodeThinking } from './encode-thinking.ts'
import { encodeTools } from './encode-tools.ts'
import { familyOf } from './families.ts'
import type { GeminiRequest } from './wire.ts'

export type GeminiDialect = {
  /** Vertex AI: no ids of calls, and no service tier in the body. */
  readonly vertex: boolean
}

/** Throws `ModelError` (`invalid_request`) for content this provider has no form for. */
export function encodeRequest(turn: ModelTurn, { vertex }: GeminiDialect): GeminiRequest {
  const family = familyOf(turn.model)
  const format = encodeFormat(turn)
  const instructions = [turn.instructions, format.instruction].filter(Boolean).join('\n\n') || null
  const generationConfig = {
    ...encodeSampling(turn),
    ...format.fields,
    ...encodeReasoning(turn),
    ...encodeDetail(turn),
  }
  return {
    ...encodeContents({ instructions, items: turn.items }, { ...family, vertex }),
    ...encodeTools(turn, family),
    ...(Object.keys(generationConfig).length > 0 ? { generationConfig } : {}),
    ...(vertex ? {} : encodeTier(turn)),
  }
}

function encodeSampling(turn: ModelTurn): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  const { temperature, topP, maxOutputTokens, stop, topLogprobs, presencePenalty, frequencyPenalty } = turn
  if (temperature !== null) fields.temperature = temperature
  if (topP !== null) fields.topP = topP
  if (maxOutputTokens !== null) fields.maxOutputTokens = maxOutputTokens
  if (stop && stop.length > 0) fields.stopSequences = stop
  if (presencePenalty !== null) fields.presencePenalty = presencePenalty
  if (frequencyPenalty !== null) fields.frequencyPenalty = frequencyPenalty
  if (topLogprobs !== null) {
    fields.responseLogprobs = true
    if (topLogprobs > 0) fields.logprobs = topLogprobs
  }
  return fields
}

type EncodedFormat = { readonly fields: Readonly<Record<string, unknown>>; readonly instruction: string | null }

/** Older models take no format beside functions; the field table says so, and they are at least told. */
export const takesFormat = ({ model, tools }: Pick<ModelTurn, 'model' | 'tools'>): boolean =>
  tools.length === 0 || familyOf(model).jsonWithTools

function encodeFormat(turn: ModelTurn): EncodedFormat {
  const { format } = turn.text
  if (format.type === 'text') return { fields: {}, instruction: null }
  const json = { responseMimeType: 'application/json' }
  if (format.type === 'json_object') {
    return takesFormat(turn) ? { fields: json, instruction: null } : { fields: {}, instruction: ANSWER_IN_JSON }
  }
  const { schema } = encodeSchema(format.schema)
  if (takesFormat(turn)) return { fields: { ...json, responseJsonSchema: schema }, instruction: null }
  const told = `${ANSWER_IN_JSON} It must be valid against this JSON Schema:\n${JSON.stringify(format.schema)}`
  return { fields: {}, instruction: told }
}

const ANSWER_IN_JSON = 'When you answer in text, answer with one JSON object and nothing else: no code fence.'

function encodeReasoning({ model, reasoning }: ModelTurn): Record<string, unknown> {
  const thinkingConfig = encodeThinking(reasoning, familyOf(model).thinking)
  return thinkingConfig ? { thinkingConfig } : {}
}

/** One setting for all media of a request, so it is sent only where all of them ask for little. */
function encodeDetail({ items }: ModelTurn): Record<string, unknown> {
  const parts = items.flatMap(mediaOf)
  const isLow = parts.length > 0 && parts.every(({ detail }) => detail === 'low')
  return isLow ? { mediaResolution: 'MEDIA_RESOLUTION_LOW' } : {}
}

function mediaOf(item: TurnItem): readonly { readonly detail?: string }[] {
  const content = item.type === 'message' ? item.content : isOutput(item) ? item.output : []
  if (typeof content === 'string') return []
  return content.flatMap((part) => (part.type === 'input_image' || part.type === 'input_file' ? [part] : []))
}

const isOutput = (item: TurnItem) => item.type === 'function_call_output' || item.type === 'custom_tool_call_output'

const TIERS: ReadonlySet<string> = new Set(['flex', 'priority'])
const encodeTier = ({ serviceTier }: ModelTurn): { readonly serviceTier?: string } =>
  serviceTier !== null && TIERS.has(serviceTier) ? { serviceTier } : {}
