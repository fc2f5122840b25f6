/**
 * An HTTP/1.1 client that costs the load generator little: one socket, one request at a time, whole replies.
 * It understands what the servers under test send and nothing more; anything else is an error, never a guess.
 */
import { connect, type Socket } from 'node:net'

export type Reply = { readonly status: number; readonly body: string }

export type Connection = {
  /** Sends a whole request; `onText` sees the body as it comes. Rejects when the socket fails or ends early. */
  send(request: Buffer, onText?: (text: string) => void): Promise<Reply>
  close(): void
}

export function buildRequest(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: unknown = null,
): Buffer {
  const payload = body === null ? '' : JSON.stringify(body)
  const lines = [`${method} ${path} HTTP/1.1`, 'host: 127.0.0.1']
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
  if (body !== null) lines.push('content-type: application/json', `content-length: ${Buffer.byteLength(payload)}`)
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${payload}`)
}

type Waiting = {
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: Error) => void
  readonly read: (text: string) => Reply | null
}

export function openConnection(port: number): Promise<Connection> {
  return new Promise((opened, failed) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.once('error', failed)
    socket.once('connect', () => {
      socket.off('error', failed)
      opened(useSocket(socket))
    })
  })
}

function useSocket(socket: Socket): Connection {
  let waiting: Waiting | null = null
  const fail = (error: Error) => {
    waiting?.reject(error)
    waiting = null
  }
  // Latin-1, so that characters are bytes; the bench sends ASCII only.
  socket.setEncoding('latin1')
  socket.on('data', (text: string) => {
    const reply = waiting?.read(text) ?? null
    if (reply === null) return
    waiting?.resolve(reply)
    waiting = null
  })
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the server closed the connection before the reply was whole')))
  return {
    send(request, onText = () => {}) {
      return new Promise((resolve, reject) => {
        if (socket.destroyed) return reject(new Error('the server closed an idle connection'))
        waiting = { resolve, reject, read: createReplyReader(onText) }
        socket.write(request)
      })
    },
    close: () => socket.destroy(),
  }
}

/** Reads one reply piece by piece; null until it is whole. */
function createReplyReader(onText: (text: string) => void): (text: string) => Reply | null {
  let head = ''
  let readBody: ((text: string) => string | null) | null = null
  return (text) => {
    if (readBody !== null) return finish(readBody(text))
    head += text
    const end = head.indexOf('\r\n\r\n')
    if (end === -1) return null
    const rest = head.slice(end + 4)
    head = head.slice(0, end)
    readBody = chooseBodyReader(head, onText)
    return finish(readBody(rest))
  }
  function finish(body: string | null): Reply | null {
    return body === null ? null : { status: Number(head.slice(9, 12)), body }
  }
}

function chooseBodyReader(head: string, onText: (text: string) => void): (text: string) => string | null {
  if (/^transfer-encoding: chunked/im.test(head)) return createChunkedReader(onText)
  const length = /^content-length: (\d+)/im.exec(head)?.[1]
  if (length === undefined) throw new Error(`a reply without a length: ${head.slice(0, 200)}`)
  return createLengthReader(Number(length), onText)
}

function createLengthReader(length: number, onText: (text: string) => void): (text: string) => string | null {
  let body = ''
  return (text) => {
    body += text
    onText(text)
    return body.length >= length ? body : null
  }
}

/** Invariant: `pending` starts at a chunk's size line. */
function createChunkedReader(onText: (text: string) => void): (text: string) => string | null {
  const pieces: string[] = []
  let pending = ''
  return (text) => {
    pending += text
    let at = 0
    for (;;) {
      const lineEnd = pending.indexOf('\r\n', at)
      if (lineEnd === -1) break
      const size = Number.parseInt(pending.slice(at, lineEnd), 16)
      const end = lineEnd + 2 + size
      if (pending.length < end + 2) break
      if (size === 0) return pieces.join('')
      const piece = pending.slice(lineEnd + 2, end)
      pieces.push(piece)
      onText(piece)
      at = end + 2
    }
    pending = pending.slice(at)
    return null
  }
}
