/** The `Reranker` of every `POST /v1/rerank` in the shape of Cohere and Jina: one call, with the clocks of every upstream call. */
import type { Dispatcher } from 'undici'
import type { Clock } from '../../lib/clock.ts'
import { callUpstream, type UpstreamClocks, type UpstreamReply } from '../../lib/upstream-http.ts'
import { ModelError } from '../model.ts'
import type { RankedText, Reranker } from '../reranker.ts'
import { assertAccepted } from '../upstream/assert-accepted.ts'
import { fixedHeaders, secretsOf } from '../upstream/connection.ts'
import { asFields, asList, asNumber, parseJson } from '../upstream/fields.ts'
import { startAttempt } from '../upstream/start-attempt.ts'
import { toModelError } from '../upstream/to-model-error.ts'

export type HttpRerankerOptions = {
  /** The whole address, as `https://api.jina.ai/v1/rerank`. */
  readonly url: string
  /** Null: nothing is sent. */
  readonly apiKey: string | null
  /** Null: the endpoint has one model. */
  readonly model: string | null
  readonly clock: Clock
  readonly clocks: UpstreamClocks
  readonly dispatcher: Dispatcher
}

/** In the log and the metrics. */
export const RERANKER = 'reranker'
/** Some endpoints send the texts back, whatever they are asked. */
export const MAX_RERANK_REPLY_BYTES = 16 * 1024 * 1024

/** Throws `TypeError` for an address or a key that no request could be sent with. */
export function createHttpReranker({ apiKey, clock, clocks, dispatcher, ...options }: HttpRerankerOptions): Reranker {
  const url = new URL(options.url)
  const model = options.model ?? RERANKER
  const connection = { provider: RERANKER, baseUrl: url.href, apiKey }
  const secrets = secretsOf(connection)
  const headers = fixedHeaders(connection, {
    accept: 'application/json',
    ...(apiKey !== null && { authorization: `Bearer ${apiKey.trim()}` }),
  })
  return {
    async rerank({ query, documents }, context) {
      const attempt = startAttempt({ provider: RERANKER, clock, secrets }, model, { usage: () => null }, context)
      let reply: UpstreamReply | null = null
      try {
        const body = JSON.stringify({
          ...(options.model !== null && { model: options.model }),
          ...{ query, documents, top_n: documents.length, return_documents: false },
        })
        reply = await callUpstream({ dispatcher, url, headers, body, signal: context.signal, clock, clocks })
        attempt.replied(reply)
        await assertAccepted(reply, { provider: RERANKER, model, secrets, params: {} }, clock)
        const { text, complete } = await reply.readText(MAX_RERANK_REPLY_BYTES)
        if (!complete) throw malformed(`it is longer than ${MAX_RERANK_REPLY_BYTES} bytes`)
        const ranked = readResults(parseJson(text), documents.length)
        attempt.yielding()
        attempt.end('completed')
        return ranked
      } catch (cause) {
        const failure = toModelError(cause, RERANKER, reply?.status ?? null)
        attempt.end(failure instanceof ModelError && failure.kind === 'aborted' ? 'aborted' : 'failed')
        throw failure
      } finally {
        reply?.destroy()
      }
    },
  }
}

const malformed = (why: string) =>
  new ModelError('malformed', `The reply of the reranker could not be understood: ${why}.`)

function readResults(body: unknown, documents: number): readonly RankedText[] {
  const fields = asFields(body)
  if (fields === null || !Array.isArray(fields.results)) throw malformed('it has no "results"')
  const seen = new Set<number>()
  const ranked = asList(fields.results).map((entry) => {
    const result = asFields(entry)
    const [index, score] = [asNumber(result?.index), asNumber(result?.relevance_score)]
    if (index === null || !Number.isInteger(index) || index < 0 || index >= documents || seen.has(index))
      throw malformed('a result has no "index" of a document, or one that is there twice')
    if (score === null || !Number.isFinite(score)) throw malformed('a result has no "relevance_score"')
    seen.add(index)
    return { index, score }
  })
  return ranked.sort((a, b) => b.score - a.score || a.index - b.index)
}
