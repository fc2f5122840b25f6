/** For the tests of WebSockets: a client that keeps what it is sent, until somebody asks for it. */
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { type ClientOptions, WebSocket } from 'ws'
import { KEY, type Started, until } from './http-edge.ts'

export type Message = Readonly<Record<string, unknown>> & {
  readonly type: string
  readonly status?: number
  readonly stream_id?: string
  readonly sequence_number?: number
  readonly error?: { readonly code: string | null; readonly message: string; readonly param: string | null }
  readonly response?: { readonly id: string; readonly status: string }
  readonly delta?: string
  readonly antiphon_warnings?: readonly string[]
}

export type TestSocket = {
  readonly ws: WebSocket
  /** Everything so far, also what was taken. */
  readonly all: readonly Message[]
  readonly texts: readonly string[]
  send(message: object): void
  /** The next one. */
  next(): Promise<Message>
  /** Up to and with the end of a response or an error. */
  turn(): Promise<Message[]>
  /** The code that the socket is closed with. */
  closed(): Promise<number>
}

const ENDS = new Set(['response.completed', 'response.incomplete', 'response.failed', 'error'])

export async function openSocket(t: TestContext, { port }: Pick<Started, 'port'>, options: ClientOptions = {}) {
  const socket = connectSocket(t, `ws://127.0.0.1:${port}/v1/responses`, options)
  await once(socket.ws, 'open')
  return socket
}

export function connectSocket(t: TestContext, url: string, options: ClientOptions = {}): TestSocket {
  const ws = new WebSocket(url, { ...options, headers: { authorization: KEY, ...options.headers } })
  t.after(() => ws.terminate())
  const all: Message[] = []
  const texts: string[] = []
  let taken = 0
  let code: number | null = null
  ws.on('message', (data, isBinary) => {
    if (isBinary) throw new Error('the server sent a binary frame')
    texts.push(String(data))
    all.push(JSON.parse(String(data)))
  })
  ws.on('close', (closeCode) => {
    code = closeCode
  })
  ws.on('error', () => {})
  const next = async () => {
    await until(() => all.length > taken || code !== null, 'a message')
    const message = all[taken++]
    if (!message) throw new Error(`the socket closed with ${code}`)
    return message
  }
  return {
    ws,
    all,
    texts,
    send: (message) => ws.send(JSON.stringify(message)),
    next,
    async turn() {
      const messages = [await next()]
      while (!ENDS.has(messages.at(-1)?.type ?? '')) messages.push(await next())
      return messages
    },
    async closed() {
      await until(() => code !== null, 'the close of the socket', 10_000)
      return code ?? 0
    },
  }
}

/** The reply to an upgrade that is refused: its status. */
export async function refusedUpgrade(t: TestContext, url: string, options: ClientOptions = {}): Promise<number> {
  const { ws } = connectSocket(t, url, options)
  return new Promise((resolve) => {
    ws.once('unexpected-response', (_request, response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
  })
}

export const create = (fields: object = {}) => ({ type: 'response.create', model: 'demo', input: 'hi', ...fields })

/** Opens by a call of the returned function. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: resolve }
}
