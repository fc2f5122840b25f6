/** One request of the Gemini API -> one reply: checked as strictly as the real one does, then by script and rules. */
import type { ServerResponse } from 'node:http'
import { readDirectives } from './chat-directives.ts'
import { createPromptCache, planReply } from './chat-plan.ts'
import type { ChatResponder } from './chat-responder.ts'
import { directivesOf } from './chat-rules.ts'
import type { ChatUpstreamOptions, ChatUpstreamRequest, ScriptedReply } from './chat-script.ts'
import { tokensOf } from './chat-shapes.ts'
import { isJson, type Json } from './chat-validate.ts'
import { writeReply } from './chat-write.ts'
import { toGeminiChunks, toGeminiSse } from './gemini-shapes.ts'
import { badKey, type GeminiRefusal, quotaUsed, refusal, statusBody } from './gemini-status.ts'
import { toChatBody } from './gemini-to-chat.ts'
import { isGemini3, validateGeminiRequest } from './gemini-validate.ts'

type Exchange = { readonly request: ChatUpstreamRequest; readonly response: ServerResponse; readonly requestId: string }

const METHOD = /^\/v1beta\/models\/([\w.%-]+):(streamGenerateContent\?alt=sse|countTokens)$/

export function createGeminiResponder(options: ChatUpstreamOptions): ChatResponder {
  const cachedTokens = createPromptCache()
  const seenOnce = new Set<string>()
  let count = 0

  const generate = async (exchange: Exchange, body: Json, model: string, scripted: ScriptedReply): Promise<void> => {
    const { request, response, requestId } = exchange
    const chat = toChatBody(body, model)
    const reply = { ...readDirectives(chat, seenOnce), ...scripted }
    if (reply.silent) return
    if (reply.wire !== undefined) return writeReply(request, response, reply, reply.wire, requestId)
    if (reply.status !== undefined && reply.status >= 400) {
      const words = `Scripted failure ${reply.status} at http://10.0.0.1/internal`
      const failure = reply.status === 429 ? quotaUsed('6.2s') : refusal(reply.status, words)
      return sendJson(exchange, reply.status, statusBody(failure), reply.headers)
    }
    const block = directivesOf(chat).find((directive) => directive.startsWith('block'))
    if (block) return sendBlock(exchange, block.split(' ')[1] ?? 'SAFETY', model)
    const plan = planReply(chat, reply, `fake${String(count).padStart(8, '0')}`, cachedTokens)
    const signed = isGemini3(model)
    const chunks = toGeminiChunks({ ...plan, signed, showThoughts: chat.shows_thoughts === true })
    await writeReply(request, response, reply, toGeminiSse(chunks), requestId)
  }

  const sendBlock = ({ request, response, requestId }: Exchange, reason: string, model: string) => {
    const chunk = {
      promptFeedback: { blockReason: reason },
      usageMetadata: { promptTokenCount: 9, totalTokenCount: 9 },
      modelVersion: model,
    }
    return writeReply(request, response, {}, toGeminiSse([chunk]), requestId)
  }

  return {
    async respond(request, response, scripted) {
      const exchange = { request, response, requestId: `req_fake_${++count}` }
      if (scripted.silent) return
      const unfit = checkKey(request, options)
      if (unfit) return refuse(exchange, unfit)
      if (request.method === 'GET' && request.path.startsWith('/v1beta/models?')) {
        return sendJson(exchange, 200, listModels(options, request.path))
      }
      const [, encoded = '', method = ''] = (request.method === 'POST' && METHOD.exec(request.path)) || []
      const model = decodeURIComponent(encoded)
      if (method === '') return refuse(exchange, refusal(404, `Unknown path ${request.path}.`))
      if (options.models && !options.models.includes(model)) return refuse(exchange, unknownModel(model))
      const body = method === 'countTokens' ? countedOf(request.body, model) : request.body
      const refused = validateGeminiRequest(body, model)
      if (refused || !isJson(body)) return refuse(exchange, refused ?? refusal(400, 'No JSON.'))
      if (method !== 'countTokens') return generate(exchange, body, model, scripted)
      sendJson(exchange, 200, { totalTokens: tokensOf(JSON.stringify(body)).length })
    },
  }
}

/** Keys in a URL are logged on the way. */
function checkKey({ headers, path }: ChatUpstreamRequest, { apiKey }: ChatUpstreamOptions): GeminiRefusal | null {
  if (/[?&]key=/.test(path)) return refusal(400, 'The key stands in the URL.')
  return apiKey === undefined || headers['x-goog-api-key'] === apiKey ? null : badKey()
}

const unknownModel = (model: string) =>
  refusal(404, `models/${model} is not found for API version v1beta, or is not supported for generateContent.`)

/** A count of a whole request names the model again. */
const countedOf = (body: unknown, model: string): unknown => {
  const counted = isJson(body) ? body.generateContentRequest : null
  if (!isJson(counted) || counted.model !== `models/${model}`) return null
  const { model: _, ...request } = counted
  return request
}

const PAGE = 2

/** Two a page, so that paging is seen to work. */
function listModels({ models = ['gemini-3-flash-preview'] }: ChatUpstreamOptions, path: string) {
  const start = Number(new URL(path, 'http://fake').searchParams.get('pageToken') ?? 0)
  const rows = models.map((id) => ({
    name: `models/${id}`,
    displayName: id,
    inputTokenLimit: 1_048_576,
    outputTokenLimit: 65_536,
    supportedGenerationMethods: /embed/.test(id) ? ['embedContent'] : ['generateContent', 'countTokens'],
    thinking: true,
  }))
  const next = start + PAGE < rows.length ? { nextPageToken: String(start + PAGE) } : {}
  return { models: rows.slice(start, start + PAGE), ...next }
}

function refuse(exchange: Exchange, refused: GeminiRefusal): void {
  exchange.request.refused = { status: refused.status, message: refused.message, param: null, code: refused.code }
  sendJson(exchange, refused.status, statusBody(refused))
}

function sendJson({ request, response, requestId }: Exchange, status: number, body: unknown, headers = {}): void {
  request.replied = true
  response.writeHead(status, {
    'content-type': 'application/json; charset=UTF-8',
    'x-request-id': requestId,
    ...headers,
  })
  response.end(JSON.stringify(body))
}
