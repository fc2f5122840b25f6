/** A provider of one wire format: a real HTTP server on loopback that answers by script. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fields, type Heard, type Incoming, type Outgoing, type Reply, type Wire } from './said.ts'

export type Provider = {
  /** What `api_base` is set to. */
  readonly baseUrl: string
  /** Answers in order; the last one again and again. */
  script(replies: readonly Reply[]): void
  /** Every turn since the last script. */
  readonly heard: readonly Heard[]
  /** The same turns as they came. */
  readonly bodies: readonly string[]
  close(): Promise<void>
}

export async function startProvider(wire: Wire): Promise<Provider> {
  let replies: readonly Reply[] = []
  let heard: Heard[] = []
  let bodies: string[] = []

  const answer = (incoming: Incoming): Outgoing => {
    if (!wire.asks(incoming.path)) return wire.other(incoming)
    const reply = replies[Math.min(heard.length, replies.length - 1)]
    heard.push(wire.hear(incoming))
    bodies.push(JSON.stringify(incoming.body))
    if (reply === undefined) throw new Error('The script says nothing about this turn.')
    return 'fails' in reply ? wire.fail(reply.fails) : wire.say(reply, incoming)
  }
  const server = createServer((request, response) => {
    receive(request).then(
      (incoming) => send(response, answer(incoming)),
      () => response.destroy(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}${wire.base}`,
    script(next) {
      replies = next
      heard = []
      bodies = []
    },
    get heard() {
      return heard
    },
    get bodies() {
      return bodies
    },
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

async function receive(request: IncomingMessage): Promise<Incoming> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part)
  const text = Buffer.concat(parts).toString('utf8')
  const { pathname } = new URL(request.url ?? '/', 'http://provider')
  return { path: pathname, headers: request.headers, body: fields(text === '' ? {} : JSON.parse(text)) }
}

function send(response: ServerResponse, { status, headers, body }: Outgoing): void {
  response.writeHead(status, headers)
  response.end(body)
}
