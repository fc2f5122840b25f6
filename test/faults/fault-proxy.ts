/**
 * A TCP proxy that breaks connections on purpose. It stands before an upstream, knows nothing of what goes through, and
 * its fault can be changed while it runs: connections that are open change with it.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

export type Fault =
  | { readonly type: 'pass' }
  /** The port is closed: connecting fails at once. */
  | { readonly type: 'refuse' }
  /** Connections are taken, and whatever is sent is swallowed. */
  | { readonly type: 'blackhole' }
  /** RST, at once. */
  | { readonly type: 'reset' }
  /** Every piece waits so long, in each direction. */
  | { readonly type: 'latency'; readonly ms: number }
  /** Upstream to client, at most. */
  | { readonly type: 'throttle'; readonly bytesPerSecond: number }
  /** After that many bytes to the client the connection ends, cleanly or by RST. */
  | { readonly type: 'cutAfter'; readonly bytes: number; readonly by: 'fin' | 'rst' }
  /** The way to the upstream works, the way back is dead and stays open. */
  | { readonly type: 'halfOpen' }
  /** Of the bytes to the client this share is replaced, by the proxy's seeded numbers. */
  | { readonly type: 'corrupt'; readonly share: number }

export interface FaultProxy {
  readonly port: number
  /** Resolves when the fault is in force, which takes a moment only to and from `refuse`. */
  set(fault: Fault): Promise<void>
  /** Connections from clients that are open now, and that ever were. */
  openSockets(): number
  accepted(): number
  bytesToClient(): number
  close(): Promise<void>
}

export type FaultProxyOptions = {
  readonly targetPort: number
  /** A number in [0, 1), for `corrupt`. */
  readonly random: () => number
}

/** Throttled bytes go out in this many pieces a second. */
const PIECES_PER_SECOND = 50

export async function startFaultProxy({ targetPort, random }: FaultProxyOptions): Promise<FaultProxy> {
  let fault: Fault = { type: 'pass' }
  let accepted = 0
  let bytes = 0
  const clients = new Set<Socket>()
  const upstreams = new Set<Socket>()
  const onConnection = (client: Socket) => {
    accepted += 1
    track(clients, client)
    if (fault.type === 'reset') return void client.resetAndDestroy()
    const upstream = connect(targetPort, '127.0.0.1')
    track(upstreams, upstream)
    client.on('close', () => upstream.destroy())
    // A connection that the upstream ends is left standing only where that is the fault.
    upstream.on('close', () => {
      if (!isMute(fault)) client.destroy()
    })
    void pump(client, upstream, async (piece) => {
      if (fault.type === 'latency') await delay(fault.ms)
      return fault.type === 'blackhole' ? null : piece
    })
    let told = 0
    void pump(upstream, client, async (piece) => {
      const passed = await towardsClient({ piece, told, client, fault: () => fault, random })
      told += passed?.length ?? 0
      bytes += passed?.length ?? 0
      return passed
    })
  }
  let server = await listen(0, onConnection)
  const { port } = addressOf(server)

  return {
    port,
    async set(next) {
      const wasClosed = fault.type === 'refuse'
      fault = next
      if (next.type === 'reset') for (const client of clients) client.resetAndDestroy()
      if (next.type === 'refuse' && !wasClosed) await stop(server, clients)
      if (next.type !== 'refuse' && wasClosed) server = await listen(port, onConnection)
    },
    openSockets: () => clients.size,
    accepted: () => accepted,
    bytesToClient: () => bytes,
    async close() {
      for (const socket of upstreams) socket.destroy()
      if (fault.type !== 'refuse') await stop(server, clients)
    },
  }
}

const isMute = ({ type }: Fault) => type === 'blackhole' || type === 'halfOpen'

type Passage = {
  readonly piece: Buffer
  /** Bytes this connection has passed on before. */
  readonly told: number
  readonly client: Socket
  readonly fault: () => Fault
  readonly random: () => number
}

/** What of a piece goes on; null for nothing. The fault is read anew after every wait. */
async function towardsClient({ piece, told, client, fault, random }: Passage): Promise<Buffer | null> {
  const now = fault()
  switch (now.type) {
    case 'latency':
      await delay(now.ms)
      return isMute(fault()) ? null : piece
    case 'throttle':
      await drip(client, piece, now.bytesPerSecond)
      return null
    case 'cutAfter': {
      if (told + piece.length < now.bytes) return piece
      const rest = piece.subarray(0, Math.max(0, now.bytes - told))
      if (now.by === 'fin') client.end(rest)
      else client.write(rest, () => client.resetAndDestroy())
      return null
    }
    case 'corrupt':
      return Buffer.from(piece.map((byte) => (random() < now.share ? Math.floor(random() * 256) : byte)))
    case 'blackhole':
    case 'halfOpen':
      return null
    default:
      return piece
  }
}

async function drip(client: Socket, piece: Buffer, bytesPerSecond: number): Promise<void> {
  const size = Math.max(1, Math.floor(bytesPerSecond / PIECES_PER_SECOND))
  for (let at = 0; at < piece.length && client.writable; at += size) {
    client.write(piece.subarray(at, at + size))
    await delay((size / bytesPerSecond) * 1000)
  }
}

/** Copies until one side is over; `through` answers what goes on. */
async function pump(from: Socket, to: Socket, through: (piece: Buffer) => Promise<Buffer | null>): Promise<void> {
  try {
    for await (const piece of from) {
      const passed = await through(piece)
      if (passed && to.writable && !to.write(passed)) await Promise.race([once(to, 'drain'), once(to, 'close')])
    }
  } catch {
    // A broken connection is this proxy's business; the other side learns of it by `close`.
  }
}

function track(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket)
  socket.setNoDelay(true)
  socket.on('error', () => {})
  socket.on('close', () => sockets.delete(socket))
}

async function listen(port: number, onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: false }, onConnection).listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function stop(server: Server, clients: ReadonlySet<Socket>): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  for (const client of clients) client.destroy()
  await closed
}

function addressOf(server: Server): AddressInfo {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  return address
}
