/** The sink of bytes: one read of the storage is one write to the client, and a slow client is waited for. */
import { type FileContent, RunAbort } from '../engine/engine.ts'
import type { Clock } from '../lib/clock.ts'
import { attachment } from './content-disposition.ts'
import type { Answer, Reply } from './exchange.ts'
import type { HttpLimits } from './limits.ts'
import type { Replier } from './replier.ts'
import { shuttingDown } from './serve-route.ts'
import { drained } from './slow-reader.ts'

type Ports = { readonly clock: Clock; readonly limits: HttpLimits; readonly replier: Replier }

export async function toDownload(reply: Reply, file: FileContent, ports: Ports): Promise<Answer> {
  const { request, response } = reply
  const chunks = file.content[Symbol.asyncIterator]()
  try {
    // Read before anything is sent: what cannot be read at all is a failure with a status of its own.
    let next = await chunks.next()
    response.writeHead(200, { ...ports.replier.headers(reply), ...headersOf(file) })
    while (!next.done && request.method !== 'HEAD' && !response.destroyed) {
      if (!response.write(next.value)) await drained(response, ports.clock, ports.limits.stallMs)
      next = await chunks.next()
    }
    response.socket?.setTimeout(ports.limits.stallMs)
    response.end()
  } catch (error) {
    if (!(error instanceof RunAbort)) throw error
    if (!response.headersSent && error.kind === 'shutdown') throw shuttingDown()
    response.destroy()
  } finally {
    await chunks.return?.()
  }
  return { type: 'written' }
}

/** Never the type its sender said: a browser that shows one as a page would run its scripts. */
const headersOf = ({ filename, bytes }: FileContent) => ({
  'content-type': 'application/octet-stream',
  'content-length': bytes,
  'content-disposition': attachment(filename),
  'content-security-policy': "default-src 'none'; sandbox",
  'cache-control': 'private, no-store',
})
