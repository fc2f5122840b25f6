/** The server that every scripted provider of the tests is: real HTTP on 127.0.0.1, its requests kept. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { ChatUpstreamRequest } from './chat-script.ts'

export type FakeUpstream<Reply> = {
  /** The base URL, with `/v1`. */
  readonly url: string
  readonly port: number
  readonly requests: readonly ChatUpstreamRequest[]
  /** Adds a reply to the script's end. */
  push(...replies: readonly Reply[]): void
  openSockets(): number
  close(): Promise<void>
}

export type FakeOptions<Reply> = {
  /** For each POST the next entry, or what the function says. */
  readonly script?:
    | readonly Reply[]
    | ((request: ChatUpstreamRequest, index: number) => Reply | null | undefined)
    | undefined
  readonly port?: number
  /** Keep the requests, by default; a load test does not want them. */
  readonly record?: boolean
}

export type Responder<Reply> = {
  respond(request: ChatUpstreamRequest, response: ServerResponse, reply: Partial<Reply>): Promise<void>
}

export async function startFakeUpstream<Reply>(
  options: FakeOptions<Reply>,
  responder: Responder<Reply>,
): Promise<FakeUpstream<Reply>> {
  const requests: ChatUpstreamRequest[] = []
  const sockets = new Set<Socket>()
  const { script } = options
  const replies: Reply[] = typeof script === 'function' ? [] : [...(script ?? [])]
  let count = 0
  /** Only calls of a model use up the script: a server may list the models and count at Google whenever it likes. */
  const nextReply = (request: ChatUpstreamRequest) => {
    if (request.method !== 'POST' || request.path.endsWith(':countTokens')) return null
    return typeof script === 'function' ? script(request, count++) : replies.shift()
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
