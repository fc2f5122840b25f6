/**
 * Anthropic for tests: a real HTTP server on 127.0.0.1 with `/v1/messages`, `/v1/messages/count_tokens` and
 * `/v1/models`, as strict as the real one. It answers by script, or by rules over what the user wrote
 * (anthropic-answer).
 */
import type { ServerResponse } from 'node:http'
import { answerByRules } from './anthropic-answer.ts'
import { toFrames, toMessage } from './anthropic-frames.ts'
import { FAKE_MODELS } from './anthropic-models.ts'
import { createSignatureBook } from './anthropic-signatures.ts'
import { type AnthropicRefusal, refuse as refused, validateMessages } from './anthropic-validate.ts'
import type { ChatUpstreamRequest, ScriptedReply } from './chat-script.ts'
import { isJson, type Json } from './chat-validate.ts'
import { writeReply } from './chat-write.ts'
import { type FakeOptions, type FakeUpstream, type Responder, startFakeUpstream } from './fake-upstream.ts'

/** `error`: the body that goes with a status, in the place of a usual one. */
export type AnthropicReply = Omit<ScriptedReply, 'answer' | 'shape' | 'usage'> & { readonly error?: Json }

export type AnthropicOptions = FakeOptions<AnthropicReply> & {
  /** Refuse every other key with 401. */
  readonly apiKey?: string
  readonly models?: readonly Json[]
  /** Rows of a page of models. */
  readonly pageSize?: number
  /** Like those who only copy the API: no `count_tokens`. */
  readonly counts?: boolean
}

export type AnthropicUpstream = FakeUpstream<AnthropicReply>

export const startAnthropicUpstream = (options: AnthropicOptions = {}): Promise<AnthropicUpstream> =>
  startFakeUpstream(options, createAnthropicResponder(options))

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
}

function createAnthropicResponder(options: AnthropicOptions): Responder<AnthropicReply> {
  const book = createSignatureBook()
  const cache = createPrefixCache()
  let replies = 0
  let calls = 0

  const refuse = (exchange: Exchange, { status, type, message }: AnthropicRefusal) => {
    exchange.request.refused = { status, message, param: null, code: type }
    sendJson(exchange, status, { type: 'error', error: { type, message }, request_id: exchange.id })
  }
  const answer = async (exchange: Exchange, body: Json, reply: Partial<AnthropicReply>) => {
    const { request, response, id } = exchange
    if (reply.status !== undefined && reply.status !== 200) {
      const error = reply.error ?? { type: ERROR_TYPES[reply.status] ?? 'api_error', message: 'As the script says.' }
      return sendJson(exchange, reply.status, { type: 'error', error, request_id: id }, reply.headers)
    }
    if (reply.wire !== undefined) return writeReply(request, response, reply, reply.wire, id)
    const head = { id: `msg_${++replies}`, model: String(body.model), usage: cache(body) }
    const said = answerByRules(body, book, () => `toolu_${++calls}`)
    if (reply.plainJson) return sendJson(exchange, 200, toMessage(head, said), reply.headers)
    return writeReply(request, response, reply, toFrames(head, said), id)
  }

  return {
    async respond(request, response, reply) {
      const exchange = { request, response, id: `req_fake_${++replies}` }
      if (reply.silent) return
      const unfit = checkHeaders(request, options)
      if (unfit) return refuse(exchange, unfit)
      const [path = '', query = ''] = request.path.split('?')
      if (request.method === 'GET' && path === '/v1/models') return sendJson(exchange, 200, listModels(query, options))
      const counting = path === '/v1/messages/count_tokens' && options.counts !== false
      if (request.method !== 'POST' || (path !== '/v1/messages' && !counting)) {
        return refuse(exchange, { status: 404, type: 'not_found_error', message: 'Not Found' })
      }
      const { body } = request
      const problem = validateMessages(body, counting)
      if (problem || !isJson(body)) return refuse(exchange, problem ?? refused('No JSON.'))
      const unsigned = book.check(body)
      if (unsigned) return refuse(exchange, refused(unsigned))
      if (!Object.hasOwn(FAKE_MODELS, String(body.model))) {
        return refuse(exchange, { status: 404, type: 'not_found_error', message: `model: ${body.model}` })
      }
      if (counting) return sendJson(exchange, 200, { input_tokens: promptTokens(body) })
      await answer(exchange, body, reply)
    },
  }
}

type Exchange = { readonly request: ChatUpstreamRequest; readonly response: ServerResponse; readonly id: string }

function checkHeaders({ headers }: ChatUpstreamRequest, { apiKey }: AnthropicOptions): AnthropicRefusal | null {
  if (apiKey !== undefined && headers['x-api-key'] !== apiKey) {
    return { status: 401, type: 'authentication_error', message: `invalid x-api-key ${headers['x-api-key']}` }
  }
  return headers['anthropic-version'] === '2023-06-01' ? null : refused('anthropic-version: header is required')
}

const promptOf = ({ tools, system, messages }: Json) => JSON.stringify([tools ?? [], system ?? [], messages])
const promptTokens = (body: Json) => Math.ceil(promptOf(body).length / 4)

/** What stands before the last breakpoint is written once, and read from then on. */
function createPrefixCache(): (body: Json) => Json {
  const known: string[] = []
  return (body) => {
    const marked = promptOf(body)
    const end = marked.lastIndexOf(',"cache_control"')
    const plain = (text: string) => text.replaceAll(/,"cache_control":\{[^}]*\}/g, '')
    const prefix = end < 0 ? '' : plain(marked.slice(0, end))
    const before = known.filter((text) => prefix.startsWith(text)).map((text) => text.length)
    const read = Math.ceil(Math.max(0, ...before) / 4)
    const written = Math.max(0, Math.ceil(prefix.length / 4) - read)
    if (prefix !== '') known.push(prefix)
    return {
      input_tokens: Math.max(1, Math.ceil(plain(marked).length / 4) - read - written),
      cache_creation_input_tokens: written,
      cache_read_input_tokens: read,
    }
  }
}

const usualModels = (): readonly Json[] =>
  Object.keys(FAKE_MODELS).map((id) => ({ type: 'model', id, display_name: id, created_at: '2026-01-01T00:00:00Z' }))

function listModels(query: string, { models = usualModels(), pageSize = 1000 }: AnthropicOptions): Json {
  const wanted = new URLSearchParams(query)
  const after = models.findIndex(({ id }) => id === wanted.get('after_id')) + 1
  const size = Math.min(pageSize, Number(wanted.get('limit') ?? 20))
  const data = models.slice(after, after + size)
  const has_more = after + size < models.length
  return { data, has_more, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null }
}

function sendJson({ request, response, id }: Exchange, status: number, body: unknown, headers = {}): void {
  request.replied = true
  response.writeHead(status, { 'content-type': 'application/json', 'request-id': id, ...headers })
  response.end(JSON.stringify(body))
}
