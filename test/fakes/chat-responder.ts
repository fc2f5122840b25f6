/** One request -> one reply: checked as strictly as a real server would, then by script, directives and rules. */
import type { ServerResponse } from 'node:http'
import { readDirectives, withFaults } from './chat-directives.ts'
import { createPromptCache, planReply } from './chat-plan.ts'
import type { ChatUpstreamOptions, ChatUpstreamRequest, ScriptedReply } from './chat-script.ts'
import { toCompletion, toSse } from './chat-shapes.ts'
import { type ChatRefusal, isJson, type Json, validateChatRequest } from './chat-validate.ts'
import { writeReply } from './chat-write.ts'
import { embeddingsReply, refuseEmbeddings } from './embeddings-reply.ts'

export interface ChatResponder {
  respond(request: ChatUpstreamRequest, response: ServerResponse, scripted: ScriptedReply): Promise<void>
}

type Exchange = { readonly request: ChatUpstreamRequest; readonly response: ServerResponse; readonly requestId: string }

export function createResponder(options: ChatUpstreamOptions): ChatResponder {
  const cachedTokens = createPromptCache()
  const seenOnce = new Set<string>()
  let count = 0

  const answer = async (exchange: Exchange, body: Json, scripted: ScriptedReply): Promise<void> => {
    const { request, response, requestId } = exchange
    const reply = { ...readDirectives(body, seenOnce), ...scripted }
    if (reply.silent) return
    if (reply.wire !== undefined) return writeReply(request, response, reply, reply.wire, requestId)
    if (reply.status !== undefined && reply.status >= 400) {
      const message = `Scripted failure ${reply.status} at http://10.0.0.1/internal`
      const error = { message, type: 'server_error', param: null, code: null }
      return sendJson(exchange, reply.status, { error }, reply.headers)
    }
    const plan = planReply(body, reply, `chatcmpl-${String(count).padStart(8, '0')}`, cachedTokens)
    if (body.stream !== true || reply.plainJson) {
      const { usage, ...rest } = toCompletion(plan)
      return sendJson(exchange, 200, reply.usage === false ? rest : { ...rest, usage }, reply.headers)
    }
    const frames = toSse(plan, reply.shape ?? options.shape ?? 'openai')
    await writeReply(request, response, reply, withFaults(frames, body), requestId)
  }

  const embed = async (exchange: Exchange, scripted: ScriptedReply): Promise<void> => {
    const { request, response, requestId } = exchange
    const { body } = request
    const refusal = refuseEmbeddings(body)
    if (refusal || !isJson(body))
      return refuse(exchange, refusal ?? { status: 400, message: '', param: null, code: null })
    if (scripted.wire !== undefined) return writeReply(request, response, scripted, scripted.wire, requestId)
    if (scripted.status !== undefined && scripted.status >= 400) {
      const error = { message: `Scripted failure ${scripted.status}`, type: 'server_error', param: null, code: null }
      return sendJson(exchange, scripted.status, { error }, scripted.headers)
    }
    sendJson(exchange, 200, embeddingsReply(body), scripted.headers)
  }

  return {
    async respond(request, response, scripted) {
      const exchange = { request, response, requestId: `req_fake_${++count}` }
      if (scripted.silent) return
      const unfit = checkKey(request, options)
      if (unfit) return refuse(exchange, unfit)
      if (request.method === 'GET' && request.path === '/v1/models') return sendJson(exchange, 200, listModels(options))
      if (request.method === 'POST' && request.path === '/v1/embeddings') return embed(exchange, scripted)
      const refusal = options.check
        ? options.check(request)
        : (checkPath(request) ?? validateChatRequest(request.body, options.extraFields))
      if (refusal || !isJson(request.body)) {
        return refuse(exchange, refusal ?? { status: 400, message: 'No JSON.', param: null, code: null })
      }
      const unknown = checkModel(request.body, options)
      return unknown ? refuse(exchange, unknown) : answer(exchange, request.body, scripted)
    },
  }
}

const checkKey = ({ headers }: ChatUpstreamRequest, { apiKey }: ChatUpstreamOptions): ChatRefusal | null =>
  apiKey === undefined || headers.authorization === `Bearer ${apiKey}`
    ? null
    : {
        status: 401,
        message: `Incorrect API key provided: ${headers.authorization}.`,
        param: null,
        code: 'invalid_api_key',
      }

const checkPath = ({ method, path }: ChatUpstreamRequest): ChatRefusal | null =>
  method === 'POST' && path === '/v1/chat/completions'
    ? null
    : { status: 404, message: `Unknown request URL: ${method} ${path}.`, param: null, code: 'unknown_url' }

const checkModel = ({ model }: Json, { models }: ChatUpstreamOptions): ChatRefusal | null =>
  !models || models.includes(String(model))
    ? null
    : { status: 404, message: `The model '${model}' does not exist.`, param: 'model', code: 'model_not_found' }

const listModels = ({ models = ['fake-model'] }: ChatUpstreamOptions) => ({
  object: 'list',
  data: models.map((id) => ({ id, object: 'model', created: 0, owned_by: 'fake' })),
})

function refuse(exchange: Exchange, refusal: ChatRefusal): void {
  exchange.request.refused = refusal
  const { message, param, code, status } = refusal
  sendJson(exchange, status, { error: { message, type: 'invalid_request_error', param, code } })
}

function sendJson({ request, response, requestId }: Exchange, status: number, body: unknown, headers = {}): void {
  request.replied = true
  response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': requestId, ...headers })
  response.end(JSON.stringify(body))
}
