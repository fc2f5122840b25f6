/**
 * Writes to one socket, for all the runs that share it. A reader that is slow holds back the runs it reads, and is not
 * listened to meanwhile; one that takes nothing is cut off.
 */
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Clock } from '../../lib/clock.ts'
import type { HttpLimits } from '../limits.ts'
import { drained } from '../slow-reader.ts'

export type SocketWriter = {
  /** One message each, in one write. Nothing happens when the socket is not open. */
  send(messages: readonly string[]): void
  isOpen(): boolean
  /** Null, or for a reader that is behind a promise that resolves when it has caught up or is gone. */
  room(): Promise<void> | null
  /** Stops listening while the reader is behind. For what a client can cause without a run: errors, pongs. */
  throttle(): void
}

type Parts = {
  readonly ws: WebSocket
  readonly socket: Duplex
  readonly clock: Clock
  readonly limits: Pick<HttpLimits, 'streamBufferBytes' | 'stallMs'>
}

export function createSocketWriter({ ws, socket, clock, limits }: Parts): SocketWriter {
  let behind: Promise<void> | null = null
  const room = (): Promise<void> | null => {
    if (socket.writableLength <= limits.streamBufferBytes) return null
    behind ??= drained(socket, clock, limits.stallMs).finally(() => {
      behind = null
    })
    return behind
  }
  const isOpen = () => ws.readyState === ws.OPEN
  return {
    isOpen,
    room,
    send(messages) {
      if (!isOpen()) return
      socket.cork()
      for (const message of messages) ws.send(message)
      socket.uncork()
    },
    throttle() {
      const wait = ws.isPaused ? null : room()
      if (wait === null) return
      ws.pause()
      void wait.then(() => ws.resume())
    },
  }
}
