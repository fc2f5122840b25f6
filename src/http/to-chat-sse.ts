/**
 * SINK: a run as the chunks of a chat completion.
 *
 * The stream opens with the first thing there is to show. A run that fails before is a failure with a status of its own,
 * as clients of this API expect and can repeat; one that fails later tells it in its last frame.
 */
import type { RunStream } from '../engine/run-event.ts'
import { ApiError, internalError } from '../protocol/errors.ts'
import { type ChatFramer, chatErrorFrames } from './chat-frames.ts'
import { type RunWriter, type ShowOptions, showRun } from './show-run.ts'
import { createSseChannel, type SseChannelOptions } from './sse-channel.ts'

export type ChatSseOptions = Omit<ShowOptions, 'writer'> &
  SseChannelOptions & {
    readonly frames: ChatFramer
    /** The failure of the run as this API tells it. */
    readonly toError: (error: ApiError) => ApiError
  }

/** Resolves when the run has ended. Answers the failure that nothing of has been written; null when all is said. */
export async function toChatSse(events: RunStream, options: ChatSseOptions): Promise<ApiError | null> {
  const { frames, toError } = options
  const channel = createSseChannel(options)
  let unsaid: ApiError | null = null
  const fail = (error: ApiError) => {
    if (channel.isOpen()) channel.end(chatErrorFrames(error))
    else unsaid = error
  }
  const writer: RunWriter = {
    write: (batch) => channel.write(frames.batch(batch)),
    end(batch) {
      const last = batch.at(-1)
      const text = frames.batch(batch)
      switch (last?.type) {
        case 'response.completed':
        case 'response.incomplete':
          channel.end(text + frames.end(last))
          break
        case 'run.failed':
          channel.write(text)
          fail(toError(last.error))
          break
        default:
          // Cancelled: nobody is left to read, or the server stops.
          channel.write(text)
          fail(stopped())
      }
    },
    fail: () => fail(internalError(null)),
    isOver: () => channel.isOver() || unsaid !== null,
  }
  try {
    await showRun(events, { ...options, writer })
  } finally {
    channel.dispose()
  }
  return unsaid
}

const stopped = () => new ApiError({ status: 503, code: 'server_error', message: 'The completion was cancelled.' })
