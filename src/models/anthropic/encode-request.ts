/** A turn -> the body of `POST /messages`. Always streamed; what was not given is left out, never null. */
import type { ModelCapabilities, ModelTurn, NotCarried } from '../model.ts'
import { placeBreakpoints } from './encode-cache.ts'
import { encodeMessages } from './encode-messages.ts'
import { encodeSampling } from './encode-sampling.ts'
import { encodeThinking } from './encode-thinking.ts'
import { encodeTools } from './encode-tools.ts'
import type { Family } from './family.ts'
import { carriesFormat, closeObjects } from './schema-support.ts'
import type { MessagesRequest } from './wire.ts'

export type RequestOptions = {
  readonly family: Family
  readonly capabilities: Pick<ModelCapabilities, 'maxOutputTokens' | 'structuredOutput'>
}

export type EncodedRequest = {
  readonly body: MessagesRequest
  /** Of `anthropic-beta`. */
  readonly betas: readonly string[]
  readonly lost: readonly NotCarried[]
}

/** Throws `ModelError` (`invalid_request`) for content this provider has no form for. */
export function encodeRequest(turn: ModelTurn, { family, capabilities }: RequestOptions): EncodedRequest {
  const maxTokens = maxTokensOf(turn, family, capabilities.maxOutputTokens)
  const said = encodeMessages(turn, family)
  const { forcedTools } = family
  const { structuredOutput } = capabilities
  const { tools = [], ...choice } = encodeTools(turn, said.messages, { forcedTools, strictTools: structuredOutput })
  const thinking = encodeThinking({ turn, messages: said.messages, maxTokens }, family)
  const sampling = encodeSampling(turn, family, isThinking(thinking.thinking?.type))
  const prompt = placeBreakpoints({ tools, ...said }, turn)
  const { format } = turn.text
  const config = {
    ...(thinking.effort && { effort: thinking.effort }),
    ...(format.type === 'json_schema' &&
      carriesFormat(format, structuredOutput) && {
        format: { type: 'json_schema', schema: closeObjects(format.schema) },
      }),
  }
  return {
    body: {
      model: turn.model,
      max_tokens: maxTokens,
      stream: true,
      ...(prompt.system.length > 0 && { system: prompt.system }),
      messages: prompt.messages,
      ...(prompt.tools.length > 0 && { tools: prompt.tools }),
      ...choice,
      ...(thinking.thinking && { thinking: thinking.thinking }),
      ...(Object.keys(config).length > 0 && { output_config: config }),
      ...sampling.fields,
      ...encodeHints(turn),
    },
    betas: thinking.betas,
    lost: [...thinking.lost.map((param) => ({ param, weight: 'hint' as const })), ...sampling.lost],
  }
}

/** Where nobody knows how much a model can write. */
const USUAL_MAX_TOKENS = 32_000

/** The field is required. No limit of the client's means the model's own; one above that means the same. */
function maxTokensOf({ maxOutputTokens }: ModelTurn, { countsMaxTokens }: Family, most: number | null): number {
  const known = most ?? USUAL_MAX_TOKENS
  if (maxOutputTokens !== null) return most === null ? maxOutputTokens : Math.min(maxOutputTokens, most)
  return countsMaxTokens ? Math.min(known, USUAL_MAX_TOKENS) : known
}

const isThinking = (type: string | undefined) => type === 'enabled' || type === 'adaptive'

/** Both ask only for capacity: `auto` is the provider's own default and is left out. */
const SERVICE_TIERS: Readonly<Record<string, string>> = { default: 'standard_only', priority: 'auto' }
/** The provider takes no longer identifier. */
const MAX_USER_ID_CHARS = 256

export const carriesServiceTier = (tier: string | null): boolean =>
  tier === null || tier === 'auto' || Object.hasOwn(SERVICE_TIERS, tier)
export const carriesSafetyIdentifier = (id: string | null): boolean => id === null || id.length <= MAX_USER_ID_CHARS

function encodeHints({ serviceTier, safetyIdentifier }: ModelTurn): Record<string, unknown> {
  const tier = serviceTier === null ? undefined : SERVICE_TIERS[serviceTier]
  return {
    ...(tier === undefined ? {} : { service_tier: tier }),
    ...(safetyIdentifier && carriesSafetyIdentifier(safetyIdentifier)
      ? { metadata: { user_id: safetyIdentifier } }
      : {}),
  }
}
