/**
 * A Chat Completions provider that costs a load test little: the model's name says how it answers, so thousands of calls
 * need no script, and what must come out at the other end is known beforehand.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

const KEEP_ALIVE_MS = 2_000
const FAULTS = ['none', 'refused', 'cut', 'garbage'] as const
export type UpstreamFault = (typeof FAULTS)[number]

export type Pace = {
  readonly tokens: number
  /** Milliseconds between tokens; 0 sends all in one write. */
  readonly gapMs: number
  /** Milliseconds before the headers. */
  readonly holdMs: number
  /** What goes wrong, after half of the tokens where it is not a refusal. */
  readonly fault: UpstreamFault
  /** Tells calls apart; the server keeps a model per name, so few of them where there are many calls. */
  readonly tag: string
}

export type UpstreamCall = {
  readonly model: string
  readonly startedAt: number
  /** Monotonic milliseconds of the moment the connection was closed or the reply was over; null before. */
  endedAt: number | null
  /** Tokens written so far, one by one; 0 where all go in one write. */
  tokens: number
  /** The reply was written to its end. */
  whole: boolean
}

export type LoadUpstream = {
  /** With `/v1`. */
  readonly url: string
  readonly calls: readonly UpstreamCall[]
  openSockets(): number
  close(): Promise<void>
}

const DEFAULTS: Pace = { tokens: 20, gapMs: 0, holdMs: 0, fault: 'none', tag: 'any' }

export function modelOf(pace: Partial<Pace>): string {
  const { tokens, gapMs, holdMs, fault, tag } = { ...DEFAULTS, ...pace }
  return ['load', tokens, gapMs, holdMs, fault, tag].join('.')
}

function paceOf(model: string): Pace {
  const [, tokens, gapMs, holdMs, fault, tag = ''] = model.split('.')
  const known = FAULTS.find((it) => it === fault) ?? 'none'
  return { tokens: Number(tokens), gapMs: Number(gapMs), holdMs: Number(holdMs), fault: known, tag }
}

/** Two bytes in one letter, so that a cut in the wrong place shows. */
const wordOf = (index: number) => `wörd${index} `
export const textOf = (tokens: number) => Array.from({ length: tokens }, (_, index) => wordOf(index)).join('')

const chunk = (choices: object[], usage: object | null = null) =>
  `data: ${JSON.stringify({ id: 'chatcmpl-load', object: 'chat.completion.chunk', created: 1, model: 'load', choices, usage })}\n\n`
const delta = (value: object, finish: string | null = null) =>
  chunk([{ index: 0, delta: value, finish_reason: finish }])
const OPENING = delta({ role: 'assistant', content: '' })
const words: string[] = []
const wordChunk = (index: number) => (words[index] ??= delta({ content: wordOf(index) }))
const closing = (tokens: number) =>
  `${delta({}, 'stop')}${chunk([], { prompt_tokens: 10, completion_tokens: tokens, total_tokens: tokens + 10 })}data: [DONE]\n\n`

/** `record`: keep the calls; a long test does not want them. */
export async function startLoadUpstream({ record = true } = {}): Promise<LoadUpstream> {
  const calls: UpstreamCall[] = []
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    void answer(request, response, (call) => record && calls.push(call)).catch(() => response.destroy())
  })
  // Idle connections of a load that is over are no leak; they are soon gone.
  server.keepAliveTimeout = KEEP_ALIVE_MS
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the upstream has no port')
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    calls,
    openSockets: () => sockets.size,
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, onCall: (call: UpstreamCall) => void) {
  let body = ''
  for await (const piece of request.setEncoding('utf8')) body += piece
  if (request.method !== 'POST') return void response.end('{"object":"list","data":[]}')
  const { model }: { model: string } = JSON.parse(body)
  const call: UpstreamCall = { model, startedAt: performance.now(), endedAt: null, tokens: 0, whole: false }
  onCall(call)
  response.on('close', () => {
    call.whole = response.writableFinished
    call.endedAt = performance.now()
  })
  const pace = paceOf(model)
  if (pace.holdMs === 0) return begin(response, pace, call)
  const held = setTimeout(() => begin(response, pace, call), pace.holdMs)
  response.on('close', () => clearTimeout(held))
}

function begin(response: ServerResponse, pace: Pace, call: UpstreamCall): void {
  if (response.destroyed) return
  if (pace.fault === 'refused') {
    response.writeHead(500, { 'content-type': 'application/json' })
    return void response.end('{"error":{"message":"The engine is out of memory.","type":"server_error"}}')
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  if (pace.gapMs > 0) sendPaced(response, pace, call)
  else sendAtOnce(response, pace)
}

const lastWord = ({ tokens, fault }: Pace) => (fault === 'none' ? tokens : Math.ceil(tokens / 2))

function sendAtOnce(response: ServerResponse, pace: Pace): void {
  const chunks = Array.from({ length: lastWord(pace) }, (_, index) => wordChunk(index))
  finish(response, pace, OPENING + chunks.join(''))
}

function sendPaced(response: ServerResponse, pace: Pace, call: UpstreamCall): void {
  if (response.destroyed) return
  if (call.tokens === lastWord(pace)) {
    finish(response, pace, '')
    return
  }
  response.write((call.tokens === 0 ? OPENING : '') + wordChunk(call.tokens))
  call.tokens += 1
  setTimeout(() => sendPaced(response, pace, call), pace.gapMs)
}

function finish(response: ServerResponse, { tokens, fault }: Pace, rest: string): void {
  if (fault === 'none') response.end(rest + closing(tokens))
  else if (fault === 'garbage') response.end(`${rest}data: {"id": oops\n\n`)
  else response.write(rest || '\n', () => response.socket?.resetAndDestroy())
}
