/** SINK: a run as server-sent events, one write per batch. */
import { type RunBatch, type RunStream, toPublicEvent } from '../engine/run-event.ts'
import { type RunWriter, type ShowOptions, showRun } from './show-run.ts'
import { createSseChannel, type SseChannelOptions } from './sse-channel.ts'
import { DONE_FRAME, errorFrame, type Framer } from './sse-frames.ts'

export type SseOptions = Omit<ShowOptions, 'writer'> & SseChannelOptions & { readonly frame: Framer }

/** Resolves when the run has ended, however that went; never rejects. */
export async function toSse(events: RunStream, options: SseOptions): Promise<void> {
  const writer = createWriter(options)
  try {
    await showRun(events, { ...options, writer })
  } finally {
    writer.dispose()
  }
}

const INTERNAL = {
  type: 'server_error',
  code: 'server_error',
  message: 'The server had an error while processing your request. Please give the x-request-id when you report it.',
}

function createWriter({ frame, ...options }: SseOptions): RunWriter & { dispose(): void } {
  const channel = createSseChannel(options)
  return {
    write: (batch) => channel.write(frameBatch(batch, frame)),
    end: (batch) => channel.end(frameBatch(batch, frame) + DONE_FRAME),
    fail: (sequenceNumber, error) =>
      channel.end(errorFrame(sequenceNumber, error?.toBody().error ?? INTERNAL) + DONE_FRAME),
    isOver: channel.isOver,
    dispose: channel.dispose,
  }
}

function frameBatch(batch: RunBatch, frame: Framer): string {
  let text = ''
  for (const event of batch) text += frame(toPublicEvent(event))
  return text
}
