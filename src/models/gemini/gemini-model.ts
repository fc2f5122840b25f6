/** The `Model` of Google's `streamGenerateContent`, at the Gemini API and at Vertex AI. */
import { createUpstreamAgent } from '../../lib/upstream-http.ts'
import type { ModelContext, ModelTurn } from '../model.ts'
import type { AdapterModel, AdapterOptions } from '../upstream/adapter-options.ts'
import { createTokenCountAsker } from '../upstream/ask-token-count.ts'
import { fixedHeaders, secretsOf } from '../upstream/connection.ts'
import { streamUpstream, type UpstreamOptions } from '../upstream/stream-upstream.ts'
import { countBody, estimateTokens } from './count-tokens.ts'
import { createStreamDecoder } from './decode-stream.ts'
import { encodeRequest, type GeminiDialect } from './encode-request.ts'
import { authHeaders, isVertex, methodUrl } from './endpoint.ts'
import { fieldTable, notCarried } from './field-table.ts'
import { PARAM_NAMES } from './param-names.ts'

/** Cutting a context to size asks many times, and those who only copy this API often do not count. */
const COUNT_PAUSE_MS = 15_000

/** Throws `TypeError` for a base URL or a header no request could be sent with. */
export function createGeminiModel(options: AdapterOptions): AdapterModel {
  const { apiKey, capabilities, clocks, clock, ids } = options
  const dialect: GeminiDialect = { vertex: isVertex(options) }
  const headers = fixedHeaders(options, authHeaders(apiKey, options))
  const dispatcher = options.dispatcher ?? createUpstreamAgent(clocks)
  // A base URL that is none must fail now, not at the first call.
  methodUrl(options, 'any', 'streamGenerateContent')

  const upstream: UpstreamOptions = {
    provider: options.provider,
    secrets: secretsOf(options),
    params: PARAM_NAMES,
    encode: (turn) => ({
      url: methodUrl(options, turn.model, 'streamGenerateContent'),
      headers: { ...headers, 'x-client-request-id': ids.next('req') },
      body: JSON.stringify(encodeRequest(turn, dialect)),
    }),
    decoder: (turn, error) => createStreamDecoder({ turn, error }),
    clock,
    clocks,
    dispatcher,
    ...(options.limits && { limits: options.limits }),
  }
  const askCount = createTokenCountAsker(upstream, { field: 'totalTokens', pauseMs: COUNT_PAUSE_MS })

  return {
    capabilities,
    fields: fieldTable(dialect),
    stream: (turn, context) => streamUpstream(upstream, turn, context),
    /** Exact, by `countTokens`; an estimate where the provider does not answer. */
    async countInputTokens(turn: ModelTurn, { signal }: ModelContext) {
      const request = encodeRequest(turn, dialect)
      const url = methodUrl(options, turn.model, 'countTokens')
      const body = JSON.stringify(countBody(request, turn.model, dialect.vertex))
      return (await askCount({ url, headers, body }, { model: turn.model, signal })) ?? (await estimateTokens(request))
    },
    notCarried: (turn) => notCarried(turn, dialect),
    async close() {
      if (!options.dispatcher) await dispatcher.destroy()
    },
  }
}
