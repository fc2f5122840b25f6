/**
 * An upstream that misbehaves on the wire: raw sockets, so that it can break HTTP itself. The fault is
 * chosen by the model's name, `<fault>` or `<fault>~<anything>`, so that one server can play all of them at once.
 */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { CHAT_FAULTS } from './chat-faults.ts'
import type { HostileFault } from './hostile-fault.ts'
import { createReply, JSON_TYPE, serveRequests, type WireReply, type WireRequest } from './hostile-wire.ts'

/** Asked when a reply told no usage. It does no work of a model, so it is not counted, and never answered. */
const COUNT = /:countTokens$|\/count_tokens$|\/input_tokens$/

export interface HostileUpstream {
  /** With `/v1`. */
  readonly url: string
  readonly port: number
  /** Chat calls for this model's name, as it came. */
  callsOf(model: string): number
  calls(): number
  /** Connections on which a reply was begun, or is awaited, and not finished. */
  busySockets(): number
  openSockets(): number
  close(): Promise<void>
}

export type HostileOptions = {
  /** Before the built-in faults. */
  readonly play?: (model: string, request: WireRequest) => HostileFault['play'] | null
}

export async function startHostileUpstream(options: HostileOptions = {}): Promise<HostileUpstream> {
  const sockets = new Set<Socket>()
  const busy = new Set<Socket>()
  const calls = new Map<string, number>()
  let total = 0

  const chat = async (request: WireRequest, reply: WireReply) => {
    const model = modelOf(request)
    calls.set(model, (calls.get(model) ?? 0) + 1)
    total += 1
    const play = options.play?.(model, request) ?? CHAT_FAULTS[model.split('~', 1)[0] ?? '']?.play
    await (play ?? ((it) => it.whole(404, JSON_TYPE, '{"error":{"message":"no such model"}}')))(reply)
  }
  const serve = async (socket: Socket, request: WireRequest) => {
    busy.add(socket)
    const reply = createReply(socket)
    if (COUNT.test(request.path)) await reply.whole(501, JSON_TYPE, '{}')
    else if (request.method === 'GET') await reply.whole(200, JSON_TYPE, '{"object":"list","data":[]}')
    else await chat(request, reply)
    busy.delete(socket)
  }
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    // One listener per request of the connection.
    socket.setMaxListeners(0)
    socket.on('error', () => {})
    socket.on('close', () => {
      sockets.delete(socket)
      busy.delete(socket)
    })
    serveRequests(socket, (request) => serve(socket, request))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the upstream has no port')
  const { port } = address
  return {
    url: `http://127.0.0.1:${port}/v1`,
    port,
    callsOf: (model) => calls.get(model) ?? 0,
    calls: () => total,
    busySockets: () => busy.size,
    openSockets: () => sockets.size,
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** In the body, or in the path where the API is Gemini's. */
function modelOf({ path, body }: WireRequest): string {
  const parsed: unknown = JSON.parse(body)
  const inBody = typeof parsed === 'object' && parsed !== null && 'model' in parsed ? parsed.model : null
  return String(inBody ?? decodeURIComponent(/\/models\/([^:/]+):/.exec(path)?.[1] ?? ''))
}
