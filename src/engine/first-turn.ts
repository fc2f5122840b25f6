/** A request whose context is resolved -> what the model is asked first. */
import { scopedKey } from '../lib/scoped-key.ts'
import type { HostedTurn, ModelTurn, TurnItem, TurnToolChoice } from '../models/model.ts'
import type { CreateResponseRequest } from '../protocol/request.ts'
import type { ResponseObject } from '../protocol/response.ts'
import { declarationsOf, type OfferedTools } from './resolve-tools.ts'

export type FirstTurnParts = {
  readonly projectId: string
  /** The Response as it begins: its values are the request's with their defaults. */
  readonly response: ResponseObject
  /** The name the provider knows. */
  readonly model: string
  readonly items: readonly TurnItem[]
  readonly tools: OfferedTools
  readonly toolChoice: TurnToolChoice
  /** Tools that the provider runs; null: none. */
  readonly hosted: HostedTurn | null
}

export function firstTurn(request: CreateResponseRequest, parts: FirstTurnParts): ModelTurn {
  const { response, tools } = parts
  const logprobs = request.include?.includes('message.output_text.logprobs') ?? false
  return {
    model: parts.model,
    instructions: request.instructions ?? null,
    items: parts.items,
    tools: declarationsOf(tools),
    ...(parts.hosted && { hosted: parts.hosted }),
    toolChoice: parts.toolChoice,
    parallelToolCalls: response.parallel_tool_calls,
    text: response.text,
    reasoning: response.reasoning,
    temperature: request.temperature ?? null,
    topP: request.top_p ?? null,
    presencePenalty: request.presence_penalty ?? null,
    frequencyPenalty: request.frequency_penalty ?? null,
    topLogprobs: logprobs ? (request.top_logprobs ?? 0) : null,
    maxOutputTokens: request.max_output_tokens ?? null,
    stop: request.stop ?? null,
    serviceTier: request.service_tier ?? null,
    // Two projects that use the same key must not share a provider's cache.
    promptCacheKey: request.prompt_cache_key ? scopedKey(parts.projectId, request.prompt_cache_key) : null,
    promptCacheRetention: response.prompt_cache_retention,
    safetyIdentifier: request.safety_identifier ?? request.user ?? null,
    metadata: response.metadata,
  }
}
