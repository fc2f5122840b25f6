/**
 * A provider for tests: a real HTTP server on 127.0.0.1 with `POST /v1/chat/completions` and `GET /v1/models`, as
 * strict as the real ones (chat-validate). It answers by script, or by rules over what the user wrote (chat-rules).
 *
 * Directives in the last user message, for suites that reach it only through another server. `[[once ...]]` applies
 * to the first request with that text only, so a retry succeeds:
 *   [[status 503]]  [[retry-after 2]]  answer with that status and header
 *   [[shape ollama]]                   one of chat-shapes
 *   [[delay 20]]                       milliseconds between chunks
 *   [[split 7]]                        bytes per write
 *   [[cut 200]] [[end 200]]            after 200 bytes the connection is reset, or the reply ends as if it were whole
 *   [[hang 200]] [[hang]]              after 200 bytes nothing more; without a number not even a status line
 *   [[comments]]                       a hanging reply sends keep-alive comments
 *   [[garbage]] [[html]]               not JSON; not a stream
 *   [[json]]                           one JSON object although a stream was asked for
 *   [[stream-error]]                   an error object instead of the end
 *   [[unknown-tool]]                   a call of a tool nobody offered
 *   [[no-usage]]                       no token counts
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { answerByRules, type ChatAnswer, directivesOf, lastUserText } from './chat-rules.ts'
import { CHAT_SHAPES, type ChatReplyPlan, type ChatShape, toCompletion, tokensOf, toSse } from './chat-shapes.ts'
import { type ChatRefusal, isJson, type Json, validateChatRequest } from './chat-validate.ts'

/** How one request is answered. What is left out is as a healthy server has it. */
export type ScriptedReply = {
  /** An answer in place of the rules'. */
  readonly answer?: Partial<ChatAnswer>
  /** The wire bytes themselves in place of any answer. */
  readonly wire?: string | Uint8Array
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly shape?: ChatShape
  /** One JSON object although a stream was asked for. */
  readonly plainJson?: boolean
  readonly usage?: boolean
  /** Bytes per write; by default one write per event. */
  readonly split?: number
  /** Milliseconds between writes. */
  readonly delayMs?: number
  /** After that many bytes the reply stops short: reset, or ended as if it were whole, or silent for ever. */
  readonly stopAt?: number
  readonly stopBy?: 'reset' | 'end' | 'hang'
  /** Never answers, not even with a status line. */
  readonly silent?: boolean
  /** Keep-alive comments while hanging, in milliseconds. */
  readonly commentEveryMs?: number
}

/** For each request the next entry, or what the function says; without one the rules answer. */
export type ChatScript =
  | readonly ScriptedReply[]
  | ((request: ChatUpstreamRequest, index: number) => ScriptedReply | null | undefined)

export type ChatUpstreamRequest = {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  /** Parsed JSON; undefined when it was none. */
  readonly body: unknown
  readonly raw: string
  /** What a strict server had against it. */
  refused: ChatRefusal | null
  /** The client closed its connection before the reply was over. */
  closedEarly: boolean
  /** The reply was written to its end. */
  replied: boolean
}

export type ChatUpstreamOptions = {
  readonly script?: ChatScript
  readonly shape?: ChatShape
  /** Refuse every other key with 401. */
  readonly apiKey?: string
  /** Top-level fields taken besides OpenAI's. */
  readonly extraFields?: readonly string[]
  readonly models?: readonly string[]
  readonly port?: number
  /** Keep the requests, by default; a load test does not want them. */
  readonly record?: boolean
}

export type ChatUpstream = {
  /** The base URL, with `/v1`. */
  readonly url: string
  readonly port: number
  readonly requests: readonly ChatUpstreamRequest[]
  /** Adds a reply to the script's end. */
  push(...replies: readonly ScriptedReply[]): void
  openSockets(): number
  close(): Promise<void>
}

export async function startChatUpstream(options: ChatUpstreamOptions = {}): Promise<ChatUpstream> {
  const requests: ChatUpstreamRequest[] = []
  const sockets = new Set<Socket>()
  const replies: ScriptedReply[] = Array.isArray(options.script) ? [...options.script] : []
  const responder = createResponder(options)
  let count = 0

  const server = createServer((message, response) => {
    void receive(message).then(
      async (request) => {
        const index = count++
        if (options.record !== false) requests.push(request)
        response.on('close', () => {
          request.closedEarly = !request.replied
        })
        const scripted = typeof options.script === 'function' ? options.script(request, index) : replies.shift()
        await responder.respond(request, response, scripted ?? {})
      },
      () => message.destroy(),
    )
  })
  server.on('connection', (socket) => {
    socket.setNoDelay(true)
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const { port } = readAddress(server.address())
  return {
    url: `http://127.0.0.1:${port}/v1`,
    port,
    requests,
    push: (...more) => void replies.push(...more),
    openSockets: () => sockets.size,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      const gone = [...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)))
      for (const socket of sockets) socket.destroy()
      await Promise.all([closed, ...gone])
    },
  }
}

/** Waits until a condition holds; throws when it does not in time. */
export async function waitUntil(condition: () => boolean, timeoutMs = 1000): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!condition()) {
    if (performance.now() > end) throw new Error(`The condition did not hold within ${timeoutMs} ms.`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

function readAddress(address: string | AddressInfo | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new Error('The server has no port.')
  return address
}

async function receive(message: IncomingMessage): Promise<ChatUpstreamRequest> {
  const parts: Buffer[] = []
  for await (const part of message) parts.push(part)
  const raw = Buffer.concat(parts).toString('utf8')
  const { method = '', url = '', headers } = message
  return { method, path: url, headers, body: parse(raw), raw, refused: null, closedEarly: false, replied: false }
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

// ---- answering ------------------------------------------------------------------------------------------------

/** As many prompts are remembered for the count of cached tokens. */
const MAX_PROMPTS = 16

function createResponder(options: ChatUpstreamOptions) {
  const prompts: string[] = []
  const seenOnce = new Set<string>()
  let count = 0

  const sendJson = (
    request: ChatUpstreamRequest,
    response: ServerResponse,
    status: number,
    body: unknown,
    headers = {},
  ) => {
    request.replied = true
    response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': `req_fake_${count}`, ...headers })
    response.end(JSON.stringify(body))
  }
  const refuse = (request: ChatUpstreamRequest, response: ServerResponse, refusal: ChatRefusal) => {
    request.refused = refusal
    const { message, param, code, status } = refusal
    sendJson(request, response, status, { error: { message, type: 'invalid_request_error', param, code } })
  }
  const cachedTokens = (prompt: string): number => {
    const shared = prompts.map((before) => commonPrefix(before, prompt))
    prompts.push(prompt)
    if (prompts.length > MAX_PROMPTS) prompts.shift()
    const tokens = tokensOf(prompt.slice(0, Math.max(0, ...shared))).length
    return tokens - (tokens % 16)
  }

  return {
    async respond(request: ChatUpstreamRequest, response: ServerResponse, scripted: ScriptedReply): Promise<void> {
      count++
      if (scripted.silent) return
      if (options.apiKey !== undefined && request.headers.authorization !== `Bearer ${options.apiKey}`) {
        return refuse(request, response, {
          status: 401,
          message: `Incorrect API key provided: ${request.headers.authorization}.`,
          param: null,
          code: 'invalid_api_key',
        })
      }
      if (request.method === 'GET' && request.path === '/v1/models') {
        const data = (options.models ?? ['fake-model']).map((id) => ({
          id,
          object: 'model',
          created: 0,
          owned_by: 'fake',
        }))
        return sendJson(request, response, 200, { object: 'list', data })
      }
      if (request.method !== 'POST' || request.path !== '/v1/chat/completions') {
        return refuse(request, response, {
          status: 404,
          message: `Unknown request URL: ${request.method} ${request.path}.`,
          param: null,
          code: 'unknown_url',
        })
      }
      const refusal = validateChatRequest(request.body, options.extraFields)
      if (refusal || !isJson(request.body)) {
        return refuse(request, response, refusal ?? { status: 400, message: 'No JSON.', param: null, code: null })
      }
      const body = request.body
      if (options.models && !options.models.includes(String(body.model))) {
        return refuse(request, response, {
          status: 404,
          message: `The model '${body.model}' does not exist.`,
          param: 'model',
          code: 'model_not_found',
        })
      }
      const reply = { ...readDirectives(body, seenOnce), ...scripted }
      if (reply.silent) return
      if (reply.wire === undefined && reply.status !== undefined && reply.status >= 400) {
        const error = {
          message: `Scripted failure ${reply.status} at http://10.0.0.1/internal`,
          type: 'server_error',
          param: null,
          code: null,
        }
        return sendJson(request, response, reply.status, { error }, reply.headers)
      }
      const requestId = `req_fake_${count}`
      if (reply.wire !== undefined) return writeReply(request, response, reply, reply.wire, requestId)
      const plan = planReply(body, reply, `chatcmpl-${String(count).padStart(8, '0')}`, cachedTokens)
      if (body.stream !== true || reply.plainJson) {
        const { usage, ...rest } = toCompletion(plan)
        return sendJson(request, response, 200, reply.usage === false ? rest : { ...rest, usage }, reply.headers)
      }
      const frames = toSse(plan, reply.shape ?? options.shape ?? 'openai')
      await writeReply(request, response, reply, withFaults(frames, body), requestId)
    },
  }
}

const commonPrefix = (a: string, b: string): number => {
  const end = Math.min(a.length, b.length)
  let at = 0
  while (at < end && a.charCodeAt(at) === b.charCodeAt(at)) at++
  return at
}

const numberOf = (text: string | undefined): number | undefined =>
  text === undefined || text === '' ? undefined : Number(text)

function readDirectives(body: Json, seenOnce: Set<string>): ScriptedReply {
  const once = lastUserText(body)
  const again = seenOnce.has(once)
  let reply: ScriptedReply = {}
  for (const directive of directivesOf(body)) {
    const words = directive.split(/\s+/)
    if (words[0] === 'once') {
      seenOnce.add(once)
      if (again) continue
      words.shift()
    }
    reply = { ...reply, ...toReply(words[0] ?? '', words[1]) }
  }
  return reply
}

function toReply(name: string, value: string | undefined): ScriptedReply {
  const number = numberOf(value)
  switch (name) {
    case 'status':
      return { status: number ?? 500 }
    case 'retry-after':
      return { headers: { 'retry-after': value ?? '1' } }
    case 'shape': {
      const shape = CHAT_SHAPES.find((known) => known === value)
      return shape ? { shape } : {}
    }
    case 'delay':
      return { delayMs: number ?? 10 }
    case 'split':
      return { split: number ?? 1 }
    case 'cut':
      return { stopAt: number ?? 0, stopBy: 'reset' }
    case 'end':
      return { stopAt: number ?? 0, stopBy: 'end' }
    case 'hang':
      return number === undefined ? { silent: true } : { stopAt: number, stopBy: 'hang' }
    case 'comments':
      return { commentEveryMs: 20 }
    case 'html':
      return { wire: '<!doctype html><title>Bad gateway</title>', headers: { 'content-type': 'text/html' } }
    case 'json':
      return { plainJson: true }
    case 'no-usage':
      return { usage: false }
    case 'unknown-tool':
      return { answer: { text: '', calls: [{ kind: 'function', name: 'no_such_tool', input: '{}' }] } }
    default:
      return {}
  }
}

/** Faults of the content itself: they take the place of the last half of the events. */
function withFaults(frames: readonly string[], body: Json): readonly string[] {
  const names = directivesOf(body).map((directive) => directive.split(/\s+/)[0])
  const half = frames.slice(0, Math.ceil(frames.length / 2))
  if (names.includes('garbage')) return [...half, 'data: {"id": oops\n\n']
  if (!names.includes('stream-error')) return frames
  return [...half, 'data: {"error":{"message":"Upstream worker died","type":"server_error","code":500}}\n\n']
}

function planReply(
  body: Json,
  reply: ScriptedReply,
  id: string,
  cachedTokens: (prompt: string) => number,
): ChatReplyPlan {
  const full: ChatAnswer = { ...answerByRules(body), ...reply.answer }
  const limit = numberField(body.max_completion_tokens) ?? numberField(body.max_tokens) ?? Number.POSITIVE_INFINITY
  const { answer, cut, tokens } = limitAnswer(stopAtSequences(full, body.stop), limit)
  const prompt = JSON.stringify(body.messages)
  const promptTokens = tokensOf(prompt).length
  const options = isJson(body.stream_options) ? body.stream_options : {}
  return {
    id,
    model: String(body.model),
    answer,
    finish: cut ? 'length' : answer.calls.length > 0 ? 'tool_calls' : 'stop',
    usage: {
      prompt: promptTokens,
      cached: Math.min(promptTokens, cachedTokens(prompt)),
      completion: tokens,
      reasoning: tokensOf(answer.reasoning).length,
    },
    includeUsage: options.include_usage === true && reply.usage !== false,
    topLogprobs: body.logprobs === true ? (numberField(body.top_logprobs) ?? 0) : null,
  }
}

const numberField = (value: unknown): number | null => (typeof value === 'number' ? value : null)

function stopAtSequences(answer: ChatAnswer, stop: unknown): ChatAnswer {
  const sequences = (Array.isArray(stop) ? stop : [stop]).filter((word) => typeof word === 'string' && word !== '')
  const ends = sequences.map((word) => answer.text.indexOf(word)).filter((at) => at >= 0)
  return ends.length === 0 ? answer : { ...answer, text: answer.text.slice(0, Math.min(...ends)) }
}

/** Spends the budget in the order a model writes: reasoning, text or refusal, the arguments of the calls. */
function limitAnswer(answer: ChatAnswer, limit: number): { answer: ChatAnswer; cut: boolean; tokens: number } {
  let spent = 0
  let cut = false
  const take = (text: string): string => {
    const tokens = tokensOf(text)
    const taken = tokens.slice(0, Math.max(0, limit - spent))
    spent += taken.length
    cut ||= taken.length < tokens.length
    return taken.join('')
  }
  const reasoning = take(answer.reasoning)
  const text = take(answer.text)
  const refusal = take(answer.refusal)
  const calls = answer.calls.flatMap((call) => (cut ? [] : [{ ...call, input: take(call.input) }]))
  return { answer: { reasoning, text, refusal, calls }, cut, tokens: spent }
}

// ---- writing --------------------------------------------------------------------------------------------------

async function writeReply(
  request: ChatUpstreamRequest,
  response: ServerResponse,
  reply: ScriptedReply,
  content: string | Uint8Array | readonly string[],
  requestId: string,
): Promise<void> {
  response.writeHead(reply.status ?? 200, {
    'content-type': 'text/event-stream',
    'x-request-id': requestId,
    ...reply.headers,
  })
  response.flushHeaders()
  let left = reply.stopAt ?? Number.POSITIVE_INFINITY
  for (const piece of pieces(content, reply.split)) {
    if (response.destroyed) return
    const part = piece.subarray(0, left)
    left -= part.length
    if (part.length > 0) response.write(part)
    if (left <= 0) break
    if (reply.delayMs) await new Promise((resolve) => setTimeout(resolve, reply.delayMs))
    else if (reply.split !== undefined || response.writableNeedDrain)
      await new Promise((resolve) => setImmediate(resolve))
  }
  if (left <= 0 && reply.stopBy === 'hang') return keepQuiet(response, reply.commentEveryMs)
  if (left <= 0 && reply.stopBy === 'reset') {
    // Let what was written leave first; a reset would take it along.
    await new Promise((resolve) => setTimeout(resolve, 2))
    request.replied = true
    response.socket?.destroy()
    return
  }
  request.replied = true
  response.end()
}

function* pieces(content: string | Uint8Array | readonly string[], split: number | undefined): Generator<Buffer> {
  if (split === undefined && Array.isArray(content)) {
    for (const frame of content) yield Buffer.from(frame)
    return
  }
  const bytes = Buffer.from(
    content instanceof Uint8Array ? content : typeof content === 'string' ? content : content.join(''),
  )
  const size = Math.max(1, split ?? bytes.length)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

function keepQuiet(response: ServerResponse, everyMs: number | undefined): void {
  if (everyMs === undefined) return
  const timer = setInterval(() => response.write(': keep-alive\n\n'), everyMs)
  response.on('close', () => clearInterval(timer))
}
