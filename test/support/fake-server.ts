/** Real HTTP servers on loopback that play providers and engines. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type FakeServer = {
  readonly root: string
  readonly requests: readonly {
    readonly path: string
    readonly authorization: string | undefined
    readonly body: string
  }[]
  close(): Promise<void>
}

/** What to answer: JSON, a status, raw text, or nothing at all. */
export type Answer = {
  readonly json?: unknown
  readonly status?: number
  readonly text?: string
  readonly hang?: boolean
}

export async function startServer(answer: (path: string, body: string) => Answer): Promise<FakeServer> {
  const requests: { path: string; authorization: string | undefined; body: string }[] = []
  const server = createServer(async (request, reply) => {
    const body = await readBody(request)
    const path = request.url ?? ''
    requests.push({ path, authorization: request.headers.authorization, body })
    send(reply, answer(path, body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    root: `http://127.0.0.1:${port}`,
    requests,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(Buffer.from(part))
  return Buffer.concat(parts).toString('utf8')
}

function send(reply: ServerResponse, { json, status = 200, text, hang }: Answer): void {
  if (hang) return
  reply.writeHead(status, { 'content-type': 'application/json' })
  reply.end(text ?? JSON.stringify(json ?? {}))
}
