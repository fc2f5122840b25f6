/** SINK: a run as messages on a socket, one event each, one write per batch. */
import { type RunBatch, type RunStream, type TerminalEvent, toPublicEvent } from '../../engine/run-event.ts'
import { ApiError } from '../../protocol/errors.ts'
import { EVENT_SCHEMAS } from '../../protocol/events.ts'
import { createEventWriter, type EventShape, type EventWriter, type Padding } from '../event-json.ts'
import { type ShowOptions, showRun } from '../show-run.ts'
import { errorEvent } from './error-event.ts'
import type { LaneName } from './read-message.ts'
import type { SocketWriter } from './socket-writer.ts'

type SocketOptions = Omit<ShowOptions, 'writer'> & {
  readonly socket: SocketWriter
  readonly lane: LaneName
  readonly write: EventWriter
  /** Told with the first event, as HTTP tells them in a header. */
  readonly warnings: readonly string[]
}

/** Resolves when the run has ended, however that went; never rejects. */
export function toWebSocket(
  events: RunStream,
  { socket, lane, write, warnings, ...options }: SocketOptions,
): Promise<TerminalEvent | null> {
  let ended = false
  let untold = warnings
  const send = (batch: RunBatch) => {
    const [first, ...others] = batch.map((event) => withLane(write(toPublicEvent(event)), lane))
    if (first !== undefined) socket.send([withWarnings(first, untold), ...others])
    untold = []
  }
  return showRun(events, {
    ...options,
    writer: {
      isOver: () => ended || !socket.isOpen(),
      write(batch) {
        send(batch)
        return socket.room()
      },
      end(batch) {
        send(batch)
        ended = true
      },
      fail(sequence_number) {
        ended = true
        socket.send([errorEvent(INTERNAL, { sequence_number, ...(lane !== null && { stream_id: lane }) })])
      },
    },
  })
}

const MESSAGE: EventShape = {
  before(type) {
    if (!Object.hasOwn(EVENT_SCHEMAS, type)) throw new Error('a run yielded an event of an unknown type')
    return ''
  },
  after: '',
}

/** One per run. */
export const createMessageWriter = (pad: Padding | null): EventWriter => createEventWriter(MESSAGE, pad)

/** The name holds nothing that JSON escapes (`read-message.ts`). */
const withLane = (json: string, lane: LaneName) =>
  lane === null ? json : `${json.slice(0, -1)},"stream_id":"${lane}"}`

/**
 * On the event, not on its Response, which is the same one that is stored, read and streamed over HTTP. Only where there
 * is something to tell: an event of OpenAI's has no such field.
 */
const withWarnings = (json: string, warnings: readonly string[]) =>
  warnings.length === 0 ? json : `${json.slice(0, -1)},"antiphon_warnings":${JSON.stringify(warnings)}}`

const INTERNAL = new ApiError({
  status: 500,
  code: 'server_error',
  message: 'The server had an error while processing your request. Please send it again.',
})
