/**
 * A turn -> the body of `POST /responses`. Always streamed, and never stored: state stays here, so that any replica and
 * any other provider can go on from it. What was not given is left out, never null.
 */
import type { ModelCapabilities, ModelTurn } from '../model.ts'
import { encodeItems, type WireItem } from './encode-items.ts'
import { encodeTools } from './encode-tools.ts'
import type { ResponsesQuirks } from './quirks.ts'

export type ResponsesRequest = Readonly<Record<string, unknown>> & {
  readonly model: string
  readonly input: readonly WireItem[]
}

export type EncodeOptions = {
  readonly quirks: ResponsesQuirks
  readonly capabilities: Pick<ModelCapabilities, 'reasoning'>
}

/** Throws `ModelError` (`invalid_request`) for content this provider has no form for. */
export function encodeRequest(turn: ModelTurn, options: EncodeOptions): ResponsesRequest {
  const { quirks } = options
  const include = encodeInclude(turn, options)
  return {
    ...encodeContext(turn, quirks),
    stream: true,
    store: false,
    ...(quirks.obfuscationOption ? { stream_options: { include_obfuscation: false } } : {}),
    ...(include.length > 0 ? { include } : {}),
    ...(turn.hosted?.maxCalls ? { max_tool_calls: turn.hosted.maxCalls } : {}),
    ...encodeSampling(turn, quirks),
    ...encodeHints(turn),
  }
}

/** What the model is shown, as counting tokens wants it too. */
export function encodeContext(turn: ModelTurn, quirks: ResponsesQuirks): ResponsesRequest {
  return {
    model: turn.model,
    ...(turn.instructions ? { instructions: turn.instructions } : {}),
    input: encodeItems(turn, quirks),
    ...encodeTools(turn, quirks),
    ...encodeText(turn),
    ...encodeReasoning(turn),
  }
}

/** Sealed reasoning is asked of models that reason: OpenAI refuses the wish on others. */
function encodeInclude(turn: ModelTurn, { quirks, capabilities }: EncodeOptions): readonly string[] {
  return [
    ...(quirks.encryptedReasoning && capabilities.reasoning ? ['reasoning.encrypted_content'] : []),
    ...(turn.topLogprobs === null ? [] : ['message.output_text.logprobs']),
    ...(turn.hosted?.include ?? []),
  ]
}

function encodeText({ text: { format, verbosity } }: ModelTurn): Record<string, unknown> {
  const text = {
    ...(format.type === 'text' ? {} : { format }),
    ...(verbosity === 'medium' ? {} : { verbosity }),
  }
  return Object.keys(text).length > 0 ? { text } : {}
}

function encodeReasoning({ reasoning }: ModelTurn): Record<string, unknown> {
  const given = Object.entries(reasoning).filter(([, value]) => value !== null && value !== undefined)
  return given.length > 0 ? { reasoning: Object.fromEntries(given) } : {}
}

function encodeSampling(turn: ModelTurn, quirks: ResponsesQuirks): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  const { temperature, topP, presencePenalty, frequencyPenalty, topLogprobs, maxOutputTokens, stop } = turn
  if (temperature !== null) fields.temperature = temperature
  if (topP !== null) fields.top_p = topP
  if (quirks.penalties && presencePenalty !== null) fields.presence_penalty = presencePenalty
  if (quirks.penalties && frequencyPenalty !== null) fields.frequency_penalty = frequencyPenalty
  if (topLogprobs) fields.top_logprobs = topLogprobs
  if (maxOutputTokens !== null) fields.max_output_tokens = maxOutputTokens
  if (quirks.stop && stop && stop.length > 0) fields.stop = stop
  return fields
}

function encodeHints(turn: ModelTurn): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  if (turn.serviceTier && turn.serviceTier !== 'auto') fields.service_tier = turn.serviceTier
  if (turn.promptCacheKey) fields.prompt_cache_key = turn.promptCacheKey
  if (turn.promptCacheRetention) fields.prompt_cache_retention = turn.promptCacheRetention
  if (turn.safetyIdentifier) fields.safety_identifier = turn.safetyIdentifier
  return fields
}
