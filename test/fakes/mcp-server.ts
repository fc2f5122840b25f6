/** An MCP server over Streamable HTTP that does what a test says, down to the bytes. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Json = Record<string, unknown>
export type McpRequest = { readonly method: string; readonly params: Json; readonly headers: IncomingHttpHeaders }
/** A result, or null when it has answered by itself. */
export type McpAnswer = (request: McpRequest & { readonly id: unknown }, reply: ServerResponse) => Json | null

export type FakeMcp = {
  /** `host:port`. */
  readonly host: string
  readonly url: string
  /** Of the protocol, in order. */
  readonly requests: readonly McpRequest[]
  /** Names of the tools that were called. */
  readonly calls: readonly string[]
  /** What it lists from now on. */
  tools: readonly Json[]
  /** In the place of its usual answers, by method. */
  answers: Readonly<Record<string, McpAnswer>>
  /** Answers a GET, which opens a stream; null: there is none. */
  stream: ((reply: ServerResponse) => void) | null
  /** Connections that were made. */
  readonly connections: number
  close(): Promise<void>
}

export const fakeTool = (name: string, more: Json = {}): Json => ({
  name,
  description: `Does ${name}.`,
  inputSchema: { type: 'object', properties: { message: { type: 'string' } } },
  ...more,
})

export async function startFakeMcp(tools: readonly Json[] = [fakeTool('look')]): Promise<FakeMcp> {
  const requests: McpRequest[] = []
  let fake: FakeMcp
  let connections = 0
  const answer: McpAnswer = (request, reply) => {
    const own = fake.answers[request.method]
    if (own) return own(request, reply)
    if (request.method === 'initialize') return INITIALIZED
    if (request.method === 'tools/list') return { tools: fake.tools }
    if (request.method === 'tools/call') return textResult(`did ${String(request.params.name)}`)
    return {}
  }
  const server = createServer(async (request, reply) => {
    // The far side going away in the middle is what many tests are about.
    reply.on('error', () => {})
    if (request.method === 'GET' && fake.stream) return fake.stream(reply)
    if (request.method !== 'POST') return reply.writeHead(request.method === 'DELETE' ? 200 : 405).end()
    const { id, method, params = {} } = await readJson(request)
    requests.push({ method: String(method), params: params as Json, headers: request.headers })
    if (id === undefined) return reply.writeHead(202).end()
    const result = answer({ id, method: String(method), params: params as Json, headers: request.headers }, reply)
    if (result !== null) sendJson(reply, { jsonrpc: '2.0', id, ...('error' in result ? result : { result }) })
  })
  server.on('connection', () => {
    connections += 1
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  fake = {
    tools,
    answers: {},
    stream: null,
    host,
    url: `http://${host}/mcp`,
    requests,
    get calls() {
      return requests.filter(({ method }) => method === 'tools/call').map(({ params }) => String(params.name))
    },
    get connections() {
      return connections
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
  return fake
}

const INITIALIZED = {
  protocolVersion: '2025-06-18',
  capabilities: { tools: {} },
  serverInfo: { name: 'fake', version: '1' },
}

export const textResult = (text: string, more: Json = {}): Json => ({ content: [{ type: 'text', text }], ...more })

export function sendJson(reply: ServerResponse, body: unknown): void {
  reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function readJson(request: IncomingMessage): Promise<Json> {
  let text = ''
  for await (const part of request) text += part
  return JSON.parse(text)
}

/** Ways in which a server does not answer. */
export const FAULTS = {
  silence: () => null,
  'an endless stream': (_: unknown, reply: ServerResponse) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' })
    const timer = setInterval(() => reply.write(': still here\n\n'), 5)
    reply.on('close', () => clearInterval(timer))
    return null
  },
  'a stream that ends without an answer': (_: unknown, reply: ServerResponse) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' }).end(': bye\n\n')
    return null
  },
  'an answer to another request': ({ id }: { readonly id: unknown }, reply: ServerResponse) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: Number(id) + 1000, result: textResult('not yours') })
    reply.writeHead(200, { 'content-type': 'text/event-stream' }).write(`event: message\ndata: ${body}\n\n`)
    return null
  },
  'a huge reply': (_: unknown, reply: ServerResponse) => {
    reply.writeHead(200, { 'content-type': 'application/json' })
    const part = 'x'.repeat(16 * 1024)
    const timer = setInterval(() => reply.write(part), 1)
    reply.on('close', () => clearInterval(timer))
    return null
  },
  'a death in mid-reply': (_: unknown, reply: ServerResponse) => {
    reply.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
    reply.write('{"jsonrpc"', () => reply.destroy())
    return null
  },
  'a reset': (_: unknown, reply: ServerResponse) => {
    reply.destroy()
    return null
  },
  'another kind of content': (_: unknown, reply: ServerResponse) => {
    reply.writeHead(200, { 'content-type': 'text/html' }).end('<p>hello</p>')
    return null
  },
  'no JSON': (_: unknown, reply: ServerResponse) => {
    reply.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":')
    return null
  },
  'HTTP 401': (_: unknown, reply: ServerResponse) => {
    reply.writeHead(401, { 'www-authenticate': 'Bearer resource_metadata="http://169.254.169.254/x"' }).end('who?')
    return null
  },
  'HTTP 500': (_: unknown, reply: ServerResponse) => {
    reply.writeHead(500).end('oops')
    return null
  },
  'an error of the protocol': () => ({ error: { code: -32000, message: 'not today' } }),
} as const satisfies Record<string, McpAnswer>
