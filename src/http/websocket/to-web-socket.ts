/** SINK: a run as messages on a socket, one event each, one write per batch. */
import type { RunStream, TerminalEvent } from '../../engine/run-event.ts'
import { ApiError } from '../../protocol/errors.ts'
import type { ResponseEvent } from '../../protocol/events.ts'
import type { EventWriter } from '../event-json.ts'
import { type ShowOptions, showRun } from '../show-run.ts'
import { errorEvent } from './error-event.ts'
import type { LaneName } from './read-message.ts'
import type { SocketWriter } from './socket-writer.ts'

type SocketOptions = Omit<ShowOptions, 'writer'> & {
  readonly socket: SocketWriter
  readonly lane: LaneName
  readonly write: EventWriter
}

/** Resolves when the run has ended, however that went; never rejects. */
export function toWebSocket(
  events: RunStream,
  { socket, lane, write, ...options }: SocketOptions,
): Promise<TerminalEvent | null> {
  let ended = false
  const send = (shown: readonly ResponseEvent[]) => socket.send(shown.map((event) => withLane(write(event), lane)))
  return showRun(events, {
    ...options,
    writer: {
      isOver: () => ended || !socket.isOpen(),
      async write(shown) {
        send(shown)
        await socket.room()
      },
      end(shown) {
        send(shown)
        ended = true
      },
      fail(sequence_number) {
        ended = true
        socket.send([errorEvent(INTERNAL, { sequence_number, ...(lane !== null && { stream_id: lane }) })])
      },
    },
  })
}

/** The name holds nothing that JSON escapes (`read-message.ts`). */
const withLane = (json: string, lane: LaneName) =>
  lane === null ? json : `${json.slice(0, -1)},"stream_id":"${lane}"}`

const INTERNAL = new ApiError({
  status: 500,
  code: 'server_error',
  message: 'The server had an error while processing your request. Please send it again.',
})
