/** The `Model` of every endpoint that speaks `POST /responses` itself: OpenAI, Azure, engines, another Antiphon. */
import { createUpstreamAgent } from '../../lib/upstream-http.ts'
import type { AdapterModel, AdapterOptions } from '../upstream/adapter-options.ts'
import { createTokenCountAsker } from '../upstream/ask-token-count.ts'
import { endpoint, fixedHeaders, secretsOf } from '../upstream/connection.ts'
import { notCarriedOf } from '../upstream/not-carried.ts'
import { streamUpstream, type UpstreamOptions } from '../upstream/stream-upstream.ts'
import { estimateTokens } from './count-tokens.ts'
import { createResponsesDecoder } from './decode-stream.ts'
import { encodeContext, encodeRequest } from './encode-request.ts'
import { fieldTable } from './field-table.ts'
import { PARAM_NAMES } from './param-names.ts'
import { DEFAULT_RESPONSES_QUIRKS, type ResponsesQuirks } from './quirks.ts'

export type ResponsesModelOptions = AdapterOptions & {
  readonly quirks: Partial<ResponsesQuirks>
  /** The headers that let a call in, made of the key; by default as a bearer token. */
  readonly keyHeaders?: (apiKey: string) => Readonly<Record<string, string>>
}

const bearer = (apiKey: string) => ({ authorization: `Bearer ${apiKey}` })

/** Throws `TypeError` for a base URL or a header no request could be sent with. */
export function createResponsesModel(options: ResponsesModelOptions): AdapterModel {
  const { apiKey, capabilities, clocks, clock, ids, baseUrl, keyHeaders = bearer } = options
  const quirks: ResponsesQuirks = { ...DEFAULT_RESPONSES_QUIRKS, ...options.quirks }
  const url = endpoint(baseUrl, '/responses')
  const headers = fixedHeaders(options, apiKey === null ? {} : keyHeaders(apiKey.trim()))
  const dispatcher = options.dispatcher ?? createUpstreamAgent(clocks)
  const fields = fieldTable(quirks)

  const upstream: UpstreamOptions = {
    provider: options.provider,
    secrets: secretsOf(options),
    params: PARAM_NAMES,
    encode: (turn) => ({
      url,
      headers: { ...headers, 'x-client-request-id': ids.next('req') },
      body: JSON.stringify(encodeRequest(turn, { quirks, capabilities })),
    }),
    decoder: (turn, error) => createResponsesDecoder({ turn, error }),
    clock,
    clocks,
    dispatcher,
    ...(options.limits && { limits: options.limits }),
  }
  const countUrl = endpoint(baseUrl, '/responses/input_tokens')
  const askCount = createTokenCountAsker(upstream, { field: 'input_tokens' })

  return {
    capabilities,
    fields,
    stream: (turn, context) => streamUpstream(upstream, turn, context),
    /** What the provider counts; where it does not, an estimate. */
    async countInputTokens(turn, { signal }) {
      const request = encodeContext(turn, quirks)
      const call = { url: countUrl, headers, body: JSON.stringify(request) }
      const counted = quirks.inputTokens ? await askCount(call, { model: turn.model, signal }) : null
      return counted ?? (await estimateTokens(request))
    },
    notCarried: (turn) => notCarriedOf(fields, turn),
    async close() {
      if (!options.dispatcher) await dispatcher.destroy()
    },
  }
}
