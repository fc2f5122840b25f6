/**
 * Shows a run to one reader, batch by batch; what every streaming sink does.
 *
 * Invariant (law 7): the stream of a run is read to its end whatever happens to the reader. When the reader is gone,
 * `abort` is called and the rest is read and thrown away; the iterator's `return()` is never called, because a run that
 * is cut off there would not store what it knows.
 *
 * The tempting wrong way is `for await`: it calls `return()` as soon as anything throws between two batches.
 */
import { isTerminal, type RunBatch, type RunEvent, type RunStream, type TerminalEvent } from '../engine/run-event.ts'
import { ApiError } from '../protocol/errors.ts'

/** Where a run is shown. Each throws when a batch cannot be written as it is. */
export type RunWriter = {
  /** Null, or a promise that resolves when the reader has room again or is gone. */
  write(batch: RunBatch): Promise<void> | null
  /** The last write. */
  end(batch: RunBatch): void
  /**
   * The last write of a stream that breaks off; `sequenceNumber` is the next one. `error`: what its reader is to do,
   * where the run goes on without it; null: the run was not what a run must be.
   */
  fail(sequenceNumber: number, error: ApiError | null): void
  /** Nothing can be written any more: ended, or the reader is gone. */
  isOver(): boolean
}

export type ShowOptions = {
  readonly writer: RunWriter
  /**
   * The events are read from a log: there may be none after the reader's last one, and an `ApiError` is thrown for the
   * reader alone.
   */
  readonly isLog?: boolean
  /** Stops the run; called when it can no longer be shown. */
  readonly abort: () => void
  /** Told of what should not happen: a run that throws, ends without an end, or yields an unknown event. */
  readonly onFailure: (error: unknown) => void
}

/** Resolves when the run has ended, however that went; never rejects. Answers how it ended, null when it just broke. */
export async function showRun(events: RunStream, options: ShowOptions): Promise<TerminalEvent | null> {
  const { writer } = options
  const iterator = events[Symbol.asyncIterator]()
  let last: RunEvent | null = null
  let nextNumber = 0
  const fail = (error: unknown) => {
    const told = options.isLog && error instanceof ApiError ? error : null
    if (told === null) options.onFailure(error)
    if (!writer.isOver()) writer.fail(nextNumber, told)
    options.abort()
  }
  // Answers, never throws: a failure to show a batch must not end the reading. A promise only where there is a wait.
  const show = (batch: RunBatch): Promise<void> | null => {
    try {
      if (!endOf(last)) return writer.write(batch)
      writer.end(batch)
    } catch (error) {
      fail(error)
    }
    return null
  }
  try {
    for (let step = await iterator.next(); !step.done; step = await iterator.next()) {
      last = step.value.at(-1) ?? last
      const wait = writer.isOver() ? null : show(step.value)
      if (wait !== null) await wait
      nextNumber = (last?.sequence_number ?? -1) + 1
    }
    if (last === null && options.isLog) writer.end([])
    else if (!writer.isOver()) fail(new Error('a run ended without a terminal event'))
  } catch (error) {
    fail(error)
  }
  return endOf(last)
}

const endOf = (last: RunEvent | null): TerminalEvent | null => (last !== null && isTerminal(last) ? last : null)
