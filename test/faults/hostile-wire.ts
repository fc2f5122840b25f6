/** HTTP/1.1 by hand: what a hostile upstream hears and says, byte by byte. */
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

export type WireRequest = {
  readonly method: string
  readonly path: string
  readonly body: string
}

/**
 * The requests of one connection, in turn: the next is taken up when the one before is answered. The socket is read all
 * the time, because only so is it seen to close. Bodies come with a length.
 */
export function serveRequests(socket: Socket, serve: (request: WireRequest) => Promise<void>): void {
  let buffered: Buffer = Buffer.alloc(0)
  let before: Promise<unknown> = Promise.resolve()
  socket.on('data', (piece) => {
    buffered = Buffer.concat([buffered, piece])
    for (let end = endOfRequest(buffered); end > 0; end = endOfRequest(buffered)) {
      const request = parseRequest(buffered.subarray(0, end))
      buffered = buffered.subarray(end)
      before = before.then(() => serve(request)).catch(() => socket.destroy())
    }
  })
}

/** 0 while it is not all here. */
function endOfRequest(bytes: Buffer): number {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return 0
  const length = Number(/^content-length: *(\d+)/im.exec(bytes.toString('latin1', 0, headEnd))?.[1] ?? 0)
  const end = headEnd + 4 + length
  return bytes.length < end ? 0 : end
}

function parseRequest(bytes: Buffer): WireRequest {
  const headEnd = bytes.indexOf('\r\n\r\n')
  const [method = '', path = ''] = bytes.toString('latin1', 0, headEnd).split(' ', 2)
  return { method, path, body: bytes.toString('utf8', headEnd + 4) }
}

export const SSE = 'text/event-stream'
export const JSON_TYPE = 'application/json'

const headText = (status: number, headers: Readonly<Record<string, string>>) =>
  `HTTP/1.1 ${status} Whatever\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`

/** One connection's side of one reply. */
export interface WireReply {
  readonly socket: Socket
  /** False once the server has gone. */
  isOpen(): boolean
  /** Waits when the other side takes nothing. Does nothing on a closed connection. */
  raw(bytes: string | Uint8Array): Promise<void>
  head(status: number, headers: Readonly<Record<string, string>>): Promise<void>
  /** A whole reply with its length. */
  whole(
    status: number,
    type: string,
    body: string | Uint8Array,
    headers?: Readonly<Record<string, string>>,
  ): Promise<void>
  /** The head of a chunked stream of events. */
  open(headers?: Readonly<Record<string, string>>): Promise<void>
  /** One HTTP chunk. */
  chunk(bytes: string | Uint8Array): Promise<void>
  /** The last chunk. */
  close(): Promise<void>
  wait(ms: number): Promise<void>
  /** For ever, or until the server has gone. */
  hang(): Promise<void>
}

export function createReply(socket: Socket): WireReply {
  const isOpen = () => !socket.destroyed && socket.writable
  const gone = new Promise<void>((resolve) => {
    if (socket.destroyed) resolve()
    else socket.once('close', () => resolve())
  })
  const raw = async (bytes: string | Uint8Array) => {
    if (!isOpen() || bytes.length === 0) return
    if (!socket.write(bytes)) {
      await Promise.race([new Promise<void>((resolve) => socket.once('drain', () => resolve())), gone])
    }
  }
  const head = (status: number, headers: Readonly<Record<string, string>>) => raw(headText(status, headers))
  return {
    socket,
    isOpen,
    raw,
    head,
    whole: (status, type, body, headers = {}) => {
      const bytes = Buffer.from(body)
      const all = { 'content-type': type, 'content-length': String(bytes.length), ...headers }
      return raw(Buffer.concat([Buffer.from(headText(status, all)), bytes]))
    },
    open: (headers = {}) => head(200, { 'content-type': SSE, 'transfer-encoding': 'chunked', ...headers }),
    chunk: async (bytes) => {
      const piece = Buffer.from(bytes)
      // An empty one would be the last.
      if (piece.length > 0)
        await raw(Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]))
    },
    close: () => raw('0\r\n\r\n'),
    wait: async (ms) => void (await Promise.race([delay(ms), gone])),
    hang: () => gone,
  }
}

type Delta = Readonly<Record<string, unknown>>

/** The data of one chunk of a completion. */
export const completionChunk = (delta: Delta, finish: string | null = null, more: Delta = {}): string =>
  JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason: finish }],
    ...more,
  })

export const event = (data: string): string => `data: ${data}\n\n`
export const text = (content: string): string => event(completionChunk({ content }))
export const call = (index: number, id: string | undefined, name: string | undefined, args: string): string =>
  event(
    completionChunk({
      tool_calls: [
        { index, ...(id && { id }), type: 'function', function: { ...(name && { name }), arguments: args } },
      ],
    }),
  )
export const finish = (reason: string): string => event(completionChunk({}, reason))
export const usage = (counts: unknown): string =>
  event(
    JSON.stringify({
      id: 'chatcmpl-1',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'm',
      choices: [],
      usage: counts,
    }),
  )
export const DONE = 'data: [DONE]\n\n'
export const SOME_USAGE = { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 }
/** How a healthy reply ends. */
export const END = finish('stop') + usage(SOME_USAGE) + DONE
