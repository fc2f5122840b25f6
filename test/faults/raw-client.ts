/** Bytes to a port, and what came back, split into HTTP replies. */
import { once } from 'node:events'
import { connect } from 'node:net'

export type RawReply = {
  readonly status: number
  readonly head: string
  readonly body: string
}

/** Sends, and waits until the server closes, or until nothing came for `quietMs`. */
export async function exchange(port: number, bytes: string | Uint8Array, quietMs = 150): Promise<RawReply[]> {
  const socket = connect(port, '127.0.0.1')
  const received: Buffer[] = []
  let timer = setTimeout(() => socket.destroy(), 2_000)
  socket.on('error', () => {})
  socket.on('data', (piece) => {
    received.push(piece)
    clearTimeout(timer)
    timer = setTimeout(() => socket.destroy(), quietMs)
  })
  socket.write(bytes)
  await once(socket, 'close')
  clearTimeout(timer)
  return splitReplies(Buffer.concat(received))
}

/** By their lengths, so that text that merely looks like a reply counts as none. */
function splitReplies(bytes: Buffer): RawReply[] {
  const replies: RawReply[] = []
  let rest = bytes
  for (let headEnd = rest.indexOf('\r\n\r\n'); headEnd >= 0; headEnd = rest.indexOf('\r\n\r\n')) {
    const head = rest.toString('latin1', 0, headEnd)
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
    const end = headEnd + 4 + length
    replies.push({
      status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]),
      head,
      body: rest.toString('utf8', headEnd + 4, end),
    })
    rest = rest.subarray(end)
  }
  return replies
}
