/** The Response as it begins: every field present, the request echoed with its defaults filled in. */
import type { TextFormat } from '../protocol/options.ts'
import { type CreateResponseRequest, conversationIdOf } from '../protocol/request.ts'
import type { ResponseObject } from '../protocol/response.ts'
import type { ToolChoice, ToolSpec } from '../protocol/tools.ts'

export type InitialParts = {
  readonly id: string
  /** Seconds since the epoch. */
  readonly createdAt: number
  readonly model: string
  readonly store: boolean
  readonly prompt: ResponseObject['prompt']
  readonly tools: ToolSpec[]
  readonly toolChoice: ToolChoice
}

export function initialResponse(request: CreateResponseRequest, parts: InitialParts): ResponseObject {
  const cacheOptions = request.prompt_cache_options
  const conversationId = conversationIdOf(request)
  return {
    id: parts.id,
    object: 'response',
    created_at: parts.createdAt,
    status: request.background ? 'queued' : 'in_progress',
    background: request.background ?? false,
    completed_at: null,
    error: null,
    incomplete_details: null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    max_tool_calls: request.max_tool_calls ?? null,
    model: parts.model,
    output: [],
    output_text: '',
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: request.previous_response_id ?? null,
    conversation: conversationId === null ? null : { id: conversationId },
    prompt: parts.prompt,
    prompt_cache_key: request.prompt_cache_key ?? null,
    prompt_cache_retention: cacheRetention(request.prompt_cache_retention),
    reasoning: echoReasoning(request.reasoning),
    safety_identifier: request.safety_identifier ?? null,
    service_tier: serviceTier(request.service_tier),
    store: parts.store,
    temperature: request.temperature ?? 1,
    top_p: request.top_p ?? 1,
    presence_penalty: request.presence_penalty ?? 0,
    frequency_penalty: request.frequency_penalty ?? 0,
    text: { format: echoFormat(request.text?.format), verbosity: request.text?.verbosity ?? 'medium' },
    tool_choice: parts.toolChoice,
    tools: parts.tools,
    top_logprobs: request.top_logprobs ?? 0,
    truncation: request.truncation ?? 'disabled',
    usage: null,
    user: request.user ?? null,
    metadata: request.metadata ?? {},
    moderation: null,
    content_filters: null,
    // Last, because what follows a spread is added to the object field by field.
    ...(cacheOptions && {
      prompt_cache_options: { mode: cacheOptions.mode ?? 'implicit', ttl: cacheOptions.ttl ?? '30m' },
    }),
  }
}

/** Both spellings of the short retention mean the same; one is echoed. */
const cacheRetention = (retention: CreateResponseRequest['prompt_cache_retention']) =>
  retention === 'in-memory' ? 'in_memory' : (retention ?? null)

/** `auto` and absence run on the default tier; `fast` is another word for `priority`. */
function serviceTier(tier: CreateResponseRequest['service_tier']): ResponseObject['service_tier'] {
  if (!tier || tier === 'auto') return 'default'
  return tier === 'fast' ? 'priority' : tier
}

function echoReasoning(reasoning: CreateResponseRequest['reasoning']): ResponseObject['reasoning'] {
  return {
    effort: reasoning?.effort ?? null,
    summary: reasoning?.summary ?? reasoning?.generate_summary ?? null,
    ...(reasoning?.context ? { context: reasoning.context } : {}),
    ...(reasoning?.mode ? { mode: reasoning.mode } : {}),
  }
}

function echoFormat(format: NonNullable<CreateResponseRequest['text']>['format']): TextFormat {
  if (!format) return { type: 'text' }
  if (format.type !== 'json_schema') return { type: format.type }
  return {
    type: 'json_schema',
    name: format.name,
    schema: format.schema,
    ...(format.description ? { description: format.description } : {}),
    strict: format.strict ?? false,
  }
}
