/** The `Embedder` of every OpenAI-style `POST /embeddings`: one call, with the clocks and errors of every upstream call. */
import type { Dispatcher } from 'undici'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import { callUpstream, type UpstreamClocks, type UpstreamReply } from '../../lib/upstream-http.ts'
import type { Usage } from '../../protocol/response.ts'
import type { Embedded, Embedder, EmbedderLimits, EmbedRequest } from '../embedder.ts'
import { ModelError } from '../model.ts'
import { assertAccepted } from '../upstream/assert-accepted.ts'
import { type Connection, endpoint, fixedHeaders, secretsOf } from '../upstream/connection.ts'
import { asFields, asList, asNumber, type Fields, parseJson } from '../upstream/fields.ts'
import { mapErrorBody, type ParamNames, type UpstreamErrorContext } from '../upstream/map-error.ts'
import { startAttempt } from '../upstream/start-attempt.ts'
import { toModelError } from '../upstream/to-model-error.ts'
import { readUsage } from './decode-usage.ts'

export type OpenAiEmbedderOptions = Connection & {
  readonly limits: EmbedderLimits
  readonly clock: Clock
  readonly clocks: UpstreamClocks
  readonly ids: Ids
  readonly dispatcher: Dispatcher
}

/** A reply that is larger is none: it would be 2,048 vectors of 3,072 numbers, each written out in full. */
export const MAX_EMBEDDING_REPLY_BYTES = 160 * 1024 * 1024
const PARAM_NAMES: ParamNames = { model: 'model', input: 'input', dimensions: 'dimensions', user: 'user' }

/** Throws `TypeError` for a base URL or a header no request could be sent with. */
export function createOpenAiEmbedder(options: OpenAiEmbedderOptions): Embedder {
  const { apiKey, provider, clock, clocks, dispatcher, ids } = options
  const url = endpoint(options.baseUrl, '/embeddings')
  const headers = fixedHeaders(options, {
    accept: 'application/json',
    ...(apiKey !== null && { authorization: `Bearer ${apiKey.trim()}` }),
  })
  const secrets = secretsOf(options)
  const read = async (request: EmbedRequest, reply: UpstreamReply, context: UpstreamErrorContext) => {
    await assertAccepted(reply, context, clock)
    const { text, complete, valid } = await reply.readText(MAX_EMBEDDING_REPLY_BYTES)
    if (!complete) throw malformed(`it is longer than ${MAX_EMBEDDING_REPLY_BYTES} bytes`)
    const body = valid ? asFields(parseJson(text)) : null
    if (body === null) throw malformed('it is no JSON object')
    if (asFields(body.error)) throw mapErrorBody(body, context)
    return { vectors: readVectors(body, request), usage: readUsage(body, null) }
  }
  return {
    limits: options.limits,
    async embed(request, context) {
      let usage: Usage | null = null
      const attempt = startAttempt({ provider, clock, secrets }, request.model, { usage: () => usage }, context)
      let reply: UpstreamReply | null = null
      try {
        const sent = { ...headers, 'x-client-request-id': ids.next('req') }
        const body = JSON.stringify(toBody(request))
        reply = await callUpstream({ dispatcher, url, headers: sent, body, signal: context.signal, clock, clocks })
        attempt.replied(reply)
        const embedded: Embedded = await read(request, reply, {
          provider,
          model: request.model,
          secrets,
          params: PARAM_NAMES,
        })
        attempt.yielding()
        usage = embedded.usage
        attempt.end('completed')
        return embedded
      } catch (cause) {
        const failure = toModelError(cause, provider, reply?.status ?? null)
        attempt.end(failure instanceof ModelError && failure.kind === 'aborted' ? 'aborted' : 'failed')
        throw failure
      } finally {
        reply?.destroy()
      }
    },
  }
}

const toBody = ({ model, inputs, dimensions, user }: EmbedRequest) => ({
  model,
  input: inputs,
  encoding_format: 'float',
  ...(dimensions !== null && { dimensions }),
  ...(user !== null && { user }),
})

const malformed = (why: string) => new ModelError('malformed', `The reply could not be understood: ${why}.`)

/** In the order of the inputs, whatever the order of the reply. */
function readVectors(body: Fields, { inputs, dimensions }: EmbedRequest): number[][] {
  const vectors: number[][] = []
  for (const [at, entry] of asList(body.data).entries()) {
    const fields = asFields(entry)
    vectors[asNumber(fields?.index) ?? at] = readVector(fields?.embedding)
  }
  // A hole is not counted by its length: an index may be far behind the others, or twice there.
  if (vectors.length !== inputs.length || Object.keys(vectors).length !== inputs.length) {
    throw malformed(`${inputs.length} embeddings were asked for, and not as many came`)
  }
  const length = vectors[0]?.length ?? 0
  if (vectors.some((vector) => vector.length !== length)) throw malformed('its embeddings differ in length')
  if (dimensions !== null && length !== dimensions) {
    const message = `This model cannot make embeddings of ${dimensions} dimensions: they have ${length}.`
    throw new ModelError('invalid_request', message, { param: 'dimensions', status: 400 })
  }
  return vectors
}

function readVector(value: unknown): number[] {
  if (typeof value === 'string') return readBase64(value)
  const numbers = asList(value)
  if (numbers.length === 0) throw malformed('an embedding is empty')
  return numbers.map((number) => {
    if (typeof number !== 'number' || !Number.isFinite(number)) throw malformed('an embedding holds what is no number')
    return number
  })
}

const FLOAT_BYTES = 4

/** Some servers answer so whatever they are asked for. */
function readBase64(text: string): number[] {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length === 0 || bytes.length % FLOAT_BYTES !== 0) throw malformed('an embedding is cut off')
  return Array.from({ length: bytes.length / FLOAT_BYTES }, (_, at) => bytes.readFloatLE(at * FLOAT_BYTES))
}
