/** One open WebSocket, from its first message to its close. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import { RunAbort } from '../../engine/engine.ts'
import { ApiError } from '../../protocol/errors.ts'
import { repeat } from '../slow-reader.ts'
import { errorEvent } from './error-event.ts'
import { createLanes } from './lanes.ts'
import { type CreateMessage, readMessage } from './read-message.ts'
import { createSocketMemory } from './response-memory.ts'
import { type CreatePorts, type SocketContext, serveCreate } from './serve-create.ts'
import { createSocketWriter, type SocketWriter } from './socket-writer.ts'

export type ServedSocket = {
  /** Closes when the last response has ended; at once when none runs. */
  drain(): void
  terminate(): void
}

export type OpenedSocket = {
  readonly ws: WebSocket
  /** Below `ws`. */
  readonly socket: Duplex
  readonly upgrade: IncomingMessage
}

export const CLOSE = { goingAway: 1001, policy: 1008 } as const

export function serveSocket(opened: OpenedSocket, ports: CreatePorts, onClose: () => void): ServedSocket {
  const { ws, socket, upgrade } = opened
  const { clock, limits } = ports
  const writer = createSocketWriter({ ws, socket, clock, limits })
  let draining = false
  const context: SocketContext = {
    upgrade,
    writer,
    memory: createSocketMemory(limits),
    running: new Set(),
    onUnauthorized: () => ws.close(CLOSE.policy, 'the key is not valid any more'),
  }
  const closeIfIdle = () => {
    if (draining && lanes.isIdle()) ws.close(CLOSE.goingAway, 'the server is shutting down')
  }
  const lanes = createLanes<CreateMessage>({
    limits,
    run: (message) => serveCreate(message, context, ports),
    onIdle: closeIfIdle,
  })
  /** What waits is forgotten, what runs is stopped and read to its end. */
  const stopAll = () => {
    lanes.clear()
    for (const abort of [...context.running]) abort.abort(new RunAbort('reader-gone'))
  }
  const stopClocks = [
    watchPeer(opened, ports),
    clock.after(limits.webSocketLifeMs, () => {
      writer.send([errorEvent(lifeOver(limits.webSocketLifeMs))])
      ws.close(CLOSE.goingAway, 'the connection is at its time limit')
      stopAll()
    }),
  ]
  ws.on('message', (data, isBinary) => {
    if (writer.isOpen()) receive(toBuffer(data), isBinary)
    writer.throttle()
  })
  ws.on('ping', writer.throttle)
  // What breaks the protocol is closed by the library, with the code that the protocol has for it.
  ws.on('error', () => {})
  ws.once('close', () => {
    for (const stop of stopClocks) stop()
    stopAll()
    onClose()
  })
  function receive(data: Buffer, isBinary: boolean) {
    const message = readMessage(data, isBinary, limits)
    if (message.type === 'refused') return refuse(writer, message.error, message.lane)
    try {
      lanes.push(message)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      refuse(writer, error, message.lane)
    }
  }
  return {
    drain() {
      draining = true
      closeIfIdle()
    },
    terminate: () => ws.terminate(),
  }
}

const refuse = (writer: SocketWriter, error: ApiError, lane: string | null) =>
  writer.send([errorEvent(error, lane === null ? {} : { stream_id: lane })])

/** Pings, and cuts off a peer that answers none, or that takes nothing of what waits for it. */
function watchPeer({ ws }: OpenedSocket, { clock, limits }: CreatePorts): () => void {
  let heard = true
  let waiting = 0
  ws.on('pong', () => {
    heard = true
  })
  ws.on('message', () => {
    heard = true
  })
  return repeat(clock, limits.webSocketPingMs, () => {
    const stuck = ws.bufferedAmount > 0 ? ws.bufferedAmount === waiting : !heard
    waiting = ws.bufferedAmount
    if (stuck) ws.terminate()
    else if (waiting === 0) {
      heard = false
      ws.ping()
    }
    return limits.webSocketPingMs
  })
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}

const lifeOver = (ms: number) =>
  new ApiError({
    status: 400,
    code: 'websocket_connection_limit_reached',
    message:
      `This WebSocket has been open for ${Math.round(ms / 60_000)} minutes, the most there is. Open another one; ` +
      'unstored responses of this one cannot be continued there.',
  })
