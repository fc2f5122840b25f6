/** Puts a reply on the wire: whole, in pieces, slowly, or only as far as the script lets it come. */
import type { ServerResponse } from 'node:http'
import type { ChatUpstreamRequest, ScriptedReply } from './chat-script.ts'

export async function writeReply(
  request: ChatUpstreamRequest,
  response: ServerResponse,
  reply: ScriptedReply,
  content: string | Uint8Array | readonly string[],
  requestId: string,
): Promise<void> {
  response.writeHead(reply.status ?? 200, {
    'content-type': 'text/event-stream',
    'x-request-id': requestId,
    ...reply.headers,
  })
  response.flushHeaders()
  let left = reply.stopAt ?? Number.POSITIVE_INFINITY
  for (const piece of pieces(content, reply.split)) {
    if (response.destroyed) return
    if (left <= 0) break
    // A comment belongs between two events, so the last event before comments is whole.
    const part = reply.commentEveryMs === undefined ? piece.subarray(0, left) : piece
    left -= part.length
    if (part.length > 0) response.write(part)
    if (reply.delayMs) await new Promise((resolve) => setTimeout(resolve, reply.delayMs))
    else if (reply.split !== undefined || response.writableNeedDrain)
      await new Promise((resolve) => setImmediate(resolve))
  }
  if (left <= 0 && reply.stopBy === 'hang') return keepQuiet(response, reply.commentEveryMs)
  if (left <= 0 && reply.stopBy === 'reset') {
    // Let what was written leave first; a reset would take it along.
    await new Promise((resolve) => setTimeout(resolve, 2))
    request.replied = true
    response.socket?.destroy()
    return
  }
  request.replied = true
  response.end()
}

function* pieces(content: string | Uint8Array | readonly string[], split: number | undefined): Generator<Buffer> {
  if (split === undefined && Array.isArray(content)) {
    for (const frame of content) yield Buffer.from(frame)
    return
  }
  const bytes = Buffer.from(
    content instanceof Uint8Array ? content : typeof content === 'string' ? content : content.join(''),
  )
  const size = Math.max(1, split ?? bytes.length)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

function keepQuiet(response: ServerResponse, everyMs: number | undefined): void {
  if (everyMs === undefined) return
  const timer = setInterval(() => response.write(': keep-alive\n\n'), everyMs)
  response.on('close', () => clearInterval(timer))
}
