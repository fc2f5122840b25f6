/**
 * The other end of `remote-sandbox.ts`: takes connections of servers that know the token, and gives each a container of
 * this machine. It reads no frame: what goes through it is between the server and the container.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, STATUS_CODES } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { SandboxUnavailable, type SessionLimits } from '../sandbox.ts'
import type { Channel } from '../session/channel.ts'
import type { ContainerHost } from '../session/sandbox-of-host.ts'
import { LIMITS_HEADER, PATH, PROTOCOL, readLimits, TRAITS_HEADER } from './wire.ts'

export type WorkerOptions = {
  readonly host: ContainerHost
  readonly token: string
  /** Whatever servers ask for. */
  readonly most: SessionLimits
  readonly containers: number
}

export interface Worker {
  listen(host: string, port: number): Promise<{ readonly url: string }>
  close(): Promise<void>
}

export function createWorker(options: WorkerOptions): Worker {
  const open = new Set<Channel>()
  /** Containers that are about to begin. */
  let starting = 0
  const server = createServer({ maxHeaderSize: 8192, requestTimeout: 10_000, headersTimeout: 10_000 })
  server.on('request', (request, response) => {
    const isHealth = request.method === 'GET' && request.url === '/health'
    response.writeHead(isHealth ? 200 : 404, { 'content-type': 'application/json', connection: 'close' })
    response.end(JSON.stringify(isHealth ? { status: 'ok', containers: open.size } : { error: 'no such endpoint' }))
  })
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    take(request, socket, head).catch((error: unknown) => {
      const isOff = error instanceof SandboxUnavailable
      refuse(socket, isOff ? 501 : 500, error instanceof Error ? error.message : 'it failed')
    })
  })
  const take = async (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (!isKnown(request.headers.authorization, options.token)) return refuse(socket, 401, 'the token is another one')
    if (request.url !== `/${PATH}` || request.headers.upgrade !== PROTOCOL)
      return refuse(socket, 404, 'no such endpoint')
    const asked = request.headers[LIMITS_HEADER]
    const limits = readLimits(typeof asked === 'string' ? asked : undefined, options.most)
    if (limits === null) return refuse(socket, 400, 'it names no limits')
    if (open.size + starting >= options.containers)
      return refuse(socket, 429, `it runs ${options.containers} containers already`)
    starting += 1
    const channel = await options.host.launch(limits, new AbortController().signal).finally(() => {
      starting -= 1
    })
    open.add(channel)
    channel.onEnd(() => {
      open.delete(channel)
      socket.end()
    })
    // Sockets of an HTTP server stay half open by themselves.
    socket.on('end', () => socket.destroy())
    socket.on('close', () => channel.kill())
    if (socket.destroyed) return channel.kill()
    const traits = JSON.stringify(await options.host.traits())
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: ${PROTOCOL}\r\n${TRAITS_HEADER}: ${traits}\r\n\r\n`,
    )
    if ('setKeepAlive' in socket && typeof socket.setKeepAlive === 'function') socket.setKeepAlive(true, 15_000)
    if (head.length > 0) channel.write(head)
    socket.on('data', (bytes: Buffer) => channel.write(bytes))
    channel.onData((bytes) => void socket.write(bytes))
  }
  return {
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, host, () => resolve({ url: urlOf(server.address()) }))
      }),
    async close() {
      for (const channel of open) channel.kill()
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

/** In the same time for every token. */
function isKnown(header: string | undefined, token: string): boolean {
  const given = /^Bearer (.+)$/i.exec(header ?? '')?.[1] ?? ''
  return timingSafeEqual(digest(given), digest(token))
}

function refuse(socket: Duplex, status: number, why: string): void {
  const body = `${why}\n`
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}

function urlOf(address: string | AddressInfo | null): string {
  if (address === null || typeof address === 'string') throw new TypeError('a worker listens on a port')
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
