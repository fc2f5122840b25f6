/** The `Model` of Anthropic's Messages API, and of those who speak it at another address. */
import { createUpstreamAgent } from '../../lib/upstream-http.ts'
import type { ModelTurn } from '../model.ts'
import type { AdapterModel, AdapterOptions } from '../upstream/adapter-options.ts'
import { createTokenCountAsker } from '../upstream/ask-token-count.ts'
import { endpoint, fixedHeaders, secretsOf } from '../upstream/connection.ts'
import { streamUpstream, type UpstreamOptions } from '../upstream/stream-upstream.ts'
import { estimateTokens } from './count-tokens.ts'
import { createStreamDecoder } from './decode-stream.ts'
import { type EncodedRequest, encodeRequest } from './encode-request.ts'
import { familyOf } from './family.ts'
import { fieldTable, notCarried } from './field-table.ts'
import { PARAM_NAMES } from './param-names.ts'
import { ANTHROPIC_VERSION } from './providers.ts'

/** `model`: the name the provider knows; its generation decides how it is asked. */
export type AnthropicOptions = AdapterOptions & { readonly model: string }

/** Throws `TypeError` for a base URL or a header no request could be sent with. */
export function createAnthropicModel(options: AnthropicOptions): AdapterModel {
  const { clocks, clock, capabilities } = options
  const request = { family: familyOf(options.model), capabilities }
  const encode = (turn: ModelTurn) => encodeRequest(turn, request)
  const headersOf = createHeaders(options)
  const url = endpoint(options.baseUrl, '/messages')
  const countUrl = endpoint(options.baseUrl, '/messages/count_tokens')
  const dispatcher = options.dispatcher ?? createUpstreamAgent(clocks)
  const upstream: UpstreamOptions = {
    provider: options.provider,
    secrets: secretsOf(options),
    params: PARAM_NAMES,
    encode(turn) {
      const { body, betas } = encode(turn)
      return { url, headers: headersOf(betas), body: JSON.stringify(body) }
    },
    decoder: (turn, error) => createStreamDecoder({ turn, error }),
    clock,
    clocks,
    dispatcher,
    ...(options.limits && { limits: options.limits }),
  }
  const askCount = createTokenCountAsker(upstream, { field: 'input_tokens' })

  return {
    capabilities,
    fields: fieldTable(request),
    stream: (turn, context) => streamUpstream(upstream, turn, context),
    /** What the provider counts; where it does not, an estimate (see count-tokens). */
    async countInputTokens(turn, { signal }) {
      const { body, betas } = encode(turn)
      const call = { url: countUrl, headers: headersOf(betas), body: JSON.stringify(countedPart(body)) }
      return (await askCount(call, { model: body.model, signal })) ?? (await estimateTokens(body))
    },
    notCarried: (turn) => notCarried(turn, request, encode),
    async close() {
      if (!options.dispatcher) await dispatcher.destroy()
    },
  }
}

/** Of a request, what costs input tokens; counting refuses the rest. */
function countedPart({ model, system, messages, tools, tool_choice, thinking, output_config }: EncodedRequest['body']) {
  return { model, system, messages, tools, tool_choice, thinking, output_config }
}

/** The operator may choose another version, and betas of their own beside ours. */
function createHeaders(options: AnthropicOptions): (betas: readonly string[]) => Record<string, string> {
  const { apiKey } = options
  const fixed = fixedHeaders(options, apiKey === null ? {} : { 'x-api-key': apiKey.trim() })
  const version = fixed['anthropic-version'] ?? ANTHROPIC_VERSION
  const always = fixed['anthropic-beta']?.split(',').map((beta) => beta.trim()) ?? []
  return (betas) => {
    const all = [...new Set([...always, ...betas])].filter((beta) => beta !== '').join(',')
    return { ...fixed, 'anthropic-version': version, ...(all === '' ? {} : { 'anthropic-beta': all }) }
  }
}
