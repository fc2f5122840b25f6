/** The HTTP side of both floors: `POST /v1/responses`, `GET /v1/responses/{id}`, and nothing else. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Pool } from 'undici'
import {
  createUpstream,
  type FloorRequest,
  type FloorResponse,
  type Message,
  runFloor,
  toMessages,
} from './translate.ts'

export type FloorStore = {
  /** The messages of a chain so far. */
  history(id: string): readonly Message[]
  save(response: FloorResponse, messages: readonly Message[]): void
  /** The stored response as JSON text. */
  load(id: string): string | null
}

const PATH = '/v1/responses'

export function startFloorServer(store: FloorStore): void {
  const upstream = createUpstream(process.argv[2] ?? '')
  const server = createServer((request, response) => {
    if (request.method === 'GET') return answerStored(store, request, response)
    answer(store, upstream, request, response).catch((error: unknown) => {
      console.error(error)
      response.destroy()
    })
  })
  server.keepAliveTimeout = 0
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (address !== null && typeof address === 'object') console.log(`READY ${address.port}`)
  })
  process.once('SIGTERM', () => process.exit(0))
}

function answerStored(store: FloorStore, request: IncomingMessage, response: ServerResponse): void {
  const body = store.load((request.url ?? '').slice(PATH.length + 1))
  response.writeHead(body === null ? 404 : 200, { 'content-type': 'application/json' })
  response.end(body ?? '{}')
}

async function answer(
  store: FloorStore,
  upstream: Pool,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  let body = ''
  for await (const data of incoming.setEncoding('utf8')) body += data
  const request: FloorRequest = JSON.parse(body)
  const { previous_response_id: previous } = request
  const messages = [...(previous === undefined ? [] : store.history(previous)), ...toMessages(request)]
  if (request.stream === true) outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
  const send = request.stream === true ? (frame: string) => void outgoing.write(frame) : null
  const response = await runFloor(upstream, request, messages, send)
  if (request.store !== false) store.save(response, [...messages, { role: 'assistant', content: textOf(response) }])
  if (request.stream === true) {
    outgoing.end('data: [DONE]\n\n')
  } else {
    outgoing.writeHead(200, { 'content-type': 'application/json' })
    outgoing.end(JSON.stringify(response))
  }
}

function textOf(response: FloorResponse): string {
  const [item] = response.output
  return item !== undefined && 'content' in item && Array.isArray(item.content) ? String(item.content[0]?.text) : ''
}
