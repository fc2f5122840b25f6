/** A fast fake Chat Completions upstream: `node bench/upstream.ts` prints `READY <port>`. It speaks event streams only. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { isLong, PACES, type Pace, PLAIN_TEXT, replyNameOf, STREAM_TOKENS, sharedMicros, words } from './replies.ts'

/** As many events in one write as a network packet would bring together. */
const EVENTS_PER_WRITE = 16

const chunk = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'bench',
    choices: [{ index: 0, delta, finish_reason: finish }],
  })}\n\n`

const OPENING = chunk({ role: 'assistant', content: '' })
const usage = (tokens: number): string =>
  `data: ${JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'bench',
    choices: [],
    usage: { prompt_tokens: 10, completion_tokens: tokens, total_tokens: tokens + 10 },
  })}\n\n`
const closing = (tokens: number): string => `${chunk({}, 'stop')}${usage(tokens)}data: [DONE]\n\n`

const PLAIN_REPLY = Buffer.from(OPENING + chunk({ content: PLAIN_TEXT }) + closing(100))
const STREAM_WRITES = streamOf(STREAM_TOKENS)

function streamOf(tokens: readonly string[]): Buffer[] {
  return inPackets([OPENING, ...tokens.map((content) => chunk({ content })), closing(tokens.length)])
}

function inPackets(events: readonly string[]): Buffer[] {
  const packets: Buffer[] = []
  for (let i = 0; i < events.length; i += EVENTS_PER_WRITE) {
    packets.push(Buffer.from(events.slice(i, i + EVENTS_PER_WRITE).join('')))
  }
  return packets
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = ''
  for await (const data of request.setEncoding('utf8')) body += data
  const { model }: { model: string } = JSON.parse(body)
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const reply = replyNameOf(model)
  if (reply === 'plain') response.end(PLAIN_REPLY)
  else if (reply === 'stream') sendPackets(response, STREAM_WRITES, 0)
  else if (isLong(reply)) sendPackets(response, streamOf(words(Number(reply.slice('long-'.length)))), 0)
  else sendPaced(response, PACES[reply], 0)
}

/** One packet per turn of the loop: what a socket delivers when the sender never waits. */
function sendPackets(response: ServerResponse, packets: readonly Buffer[], next: number): void {
  const packet = packets[next]
  if (packet === undefined) return void response.end()
  response.write(packet)
  setImmediate(() => sendPackets(response, packets, next + 1))
}

function sendPaced(response: ServerResponse, pace: Pace, sent: number): void {
  if (response.destroyed) return
  if (sent === pace.tokens) return void response.end(closing(pace.tokens))
  const opening = sent === 0 ? OPENING : ''
  response.write(opening + chunk({ content: `${sharedMicros()} ` }))
  setTimeout(() => sendPaced(response, pace, sent + 1), pace.gapMs)
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
})
server.keepAliveTimeout = 0
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') console.log(`READY ${address.port}`)
})
process.once('SIGTERM', () => process.exit(0))
