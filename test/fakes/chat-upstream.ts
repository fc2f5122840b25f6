/**
 * A provider for tests: a real HTTP server on 127.0.0.1 with `POST /v1/chat/completions` and `GET /v1/models`, as
 * strict as the real ones (chat-validate). It answers by script (chat-script), by directives in
 * what the user wrote (chat-directives), or by rules over it (chat-rules).
 */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { createResponder } from './chat-responder.ts'
import type { ChatUpstreamOptions, ChatUpstreamRequest, ScriptedReply } from './chat-script.ts'

export type { ChatUpstreamOptions, ChatUpstreamRequest, ScriptedReply } from './chat-script.ts'

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
  /** Only chat requests use up the script: a server may list the models whenever it likes. */
  const nextReply = (request: ChatUpstreamRequest) => {
    if (request.method !== 'POST') return null
    return typeof options.script === 'function' ? options.script(request, count++) : replies.shift()
  }

  const server = createServer((message, response) => {
    void receive(message).then(
      async (request) => {
        if (options.record !== false) requests.push(request)
        response.on('close', () => {
          request.closedEarly = !request.replied
        })
        await responder.respond(request, response, nextReply(request) ?? {})
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
/** Rejects when the condition does not come to hold; the time is for machines that are busy with much else. */
export async function waitUntil(condition: () => boolean, timeoutMs = 60_000): Promise<void> {
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
