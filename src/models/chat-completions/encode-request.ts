/** A turn -> the body of `POST /chat/completions`. Always streamed; what was not given is left out, never null. */
import type { ModelTurn } from '../model.ts'
import { nearestEffort } from '../upstream/nearest-effort.ts'
import { encodeMessages } from './encode-messages.ts'
import { encodeTools } from './encode-tools.ts'
import type { Quirks } from './quirks.ts'
import type { ChatMessage } from './wire.ts'

export type ChatRequest = Readonly<Record<string, unknown>> & {
  readonly model: string
  readonly messages: readonly ChatMessage[]
  readonly stream: true
}

/** Throws `ModelError` (`invalid_request`) for content this provider has no form for. */
export function encodeRequest(turn: ModelTurn, quirks: Quirks): ChatRequest {
  const format = encodeFormat(turn, quirks)
  const source = { instructions: joinInstructions(turn.instructions, format.instruction), items: turn.items }
  return {
    model: turn.model,
    messages: encodeMessages(source, quirks),
    stream: true,
    ...(quirks.streamOptions ? { stream_options: { include_usage: true } } : {}),
    ...encodeTools(turn, quirks),
    ...format.field,
    ...encodeSampling(turn, quirks),
    ...encodeEffort(turn, quirks),
    ...encodeHints(turn, quirks),
  }
}

const joinInstructions = (instructions: string | null, more: string | null): string | null =>
  instructions && more ? `${instructions}\n\n${more}` : (instructions ?? more)

type EncodedFormat = { readonly field: Readonly<Record<string, unknown>>; readonly instruction: string | null }

/** Where the provider cannot hold the model to a schema, the model is at least told it. */
function encodeFormat({ text: { format } }: ModelTurn, { structuredOutput }: Quirks): EncodedFormat {
  if (format.type === 'text') return { field: {}, instruction: null }
  const plainJson = structuredOutput === 'none' ? {} : { response_format: { type: 'json_object' } }
  if (format.type === 'json_object') {
    return { field: plainJson, instruction: structuredOutput === 'none' ? ANSWER_IN_JSON : null }
  }
  const { name, schema, description, strict } = format
  if (structuredOutput === 'json_schema') {
    const json_schema = { name, ...(description ? { description } : {}), schema, ...(strict ? { strict } : {}) }
    return { field: { response_format: { type: 'json_schema', json_schema } }, instruction: null }
  }
  return {
    field: plainJson,
    instruction: `${ANSWER_IN_JSON} It must be valid against this JSON Schema:\n${JSON.stringify(schema)}`,
  }
}

const ANSWER_IN_JSON = 'Answer with one JSON object and nothing else: no text around it, no code fence.'

function encodeSampling(turn: ModelTurn, quirks: Quirks): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  const { temperature, topP, maxOutputTokens, stop, topLogprobs } = turn
  if (temperature !== null) fields.temperature = temperature
  if (topP !== null) fields.top_p = topP
  if (quirks.penalties && turn.presencePenalty !== null) fields.presence_penalty = turn.presencePenalty
  if (quirks.penalties && turn.frequencyPenalty !== null) fields.frequency_penalty = turn.frequencyPenalty
  if (maxOutputTokens !== null) fields[quirks.maxTokensField] = maxOutputTokens
  if (stop && stop.length > 0) fields.stop = stop
  if (quirks.logprobs && topLogprobs !== null) {
    fields.logprobs = true
    if (topLogprobs > 0) fields.top_logprobs = topLogprobs
  }
  return fields
}

function encodeEffort({ reasoning }: ModelTurn, { reasoningEffort }: Quirks): Record<string, unknown> {
  if (!reasoningEffort || reasoning.effort === null) return {}
  const effort = nearestEffort(reasoning.effort, reasoningEffort.values)
  if (effort === null) return {}
  return reasoningEffort.field === 'reasoning_effort' ? { reasoning_effort: effort } : { reasoning: { effort } }
}

function encodeHints(turn: ModelTurn, quirks: Quirks): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  const user = quirks.safetyIdentifierField
  if (quirks.verbosity && turn.text.verbosity !== 'medium') fields.verbosity = turn.text.verbosity
  if (quirks.serviceTier && turn.serviceTier && turn.serviceTier !== 'auto') fields.service_tier = turn.serviceTier
  if (quirks.promptCacheKey && turn.promptCacheKey) fields.prompt_cache_key = turn.promptCacheKey
  if (quirks.promptCacheRetention && turn.promptCacheRetention) {
    fields.prompt_cache_retention = turn.promptCacheRetention
  }
  if (user && turn.safetyIdentifier) fields[user] = turn.safetyIdentifier
  return fields
}
