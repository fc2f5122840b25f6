/** The `Model` of every OpenAI-style `POST /chat/completions`. */
import { createUpstreamAgent } from '../../lib/upstream-http.ts'
import type { AdapterModel, AdapterOptions } from '../upstream/adapter-options.ts'
import { endpoint, fixedHeaders, secretsOf } from '../upstream/connection.ts'
import { streamUpstream, type UpstreamOptions } from '../upstream/stream-upstream.ts'
import { estimateTokens } from './count-tokens.ts'
import { createStreamDecoder } from './decode-stream.ts'
import { encodeRequest } from './encode-request.ts'
import { fieldTable, notCarried } from './field-table.ts'
import { PARAM_NAMES } from './param-names.ts'
import { type Quirks, withQuirks } from './quirks.ts'

export type ChatCompletionsOptions = AdapterOptions & { readonly quirks: Partial<Quirks> }

/** Throws `TypeError` for a base URL or a header no request could be sent with. */
export function createChatCompletionsModel(options: ChatCompletionsOptions): AdapterModel {
  const { apiKey, capabilities, clocks, clock, ids } = options
  const quirks = withQuirks(options.quirks)
  const url = endpoint(options.baseUrl, '/chat/completions')
  const headers = fixedHeaders(options, apiKey === null ? {} : { authorization: `Bearer ${apiKey.trim()}` })
  const dispatcher = options.dispatcher ?? createUpstreamAgent(clocks)

  const upstream: UpstreamOptions = {
    provider: options.provider,
    secrets: secretsOf(options),
    params: PARAM_NAMES,
    encode: (turn) => ({
      url,
      headers: { ...headers, 'x-client-request-id': ids.next('req') },
      body: JSON.stringify(encodeRequest(turn, quirks)),
    }),
    decoder: (turn, error) => createStreamDecoder({ turn, quirks, error }),
    clock,
    clocks,
    dispatcher,
    ...(options.limits && { limits: options.limits }),
  }

  return {
    capabilities,
    fields: fieldTable(quirks),
    stream: (turn, context) => streamUpstream(upstream, turn, context),
    /**
     * An estimate: the encoded messages and tools through the `o200k_base` tokenizer, 3 tokens of frame per message
     * and 3 for the reply, images flat at 765 tokens (85 in low detail), files by their size.
     */
    countInputTokens: async (turn) => estimateTokens(encodeRequest(turn, quirks)),
    notCarried: (turn) => notCarried(turn, quirks),
    async close() {
      if (!options.dispatcher) await dispatcher.destroy()
    },
  }
}
