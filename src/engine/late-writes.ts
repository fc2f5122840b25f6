/**
 * Ends of responses that could not be written because the storage was full or busy. They are tried again until they are
 * on disk, so that no response looks as if it still ran until the next start, and no upstream call goes uncounted.
 */
import { type Clock, sleep } from '../lib/clock.ts'
import { ApiError } from '../protocol/errors.ts'

/** What is over it is left to the next start, which fails whatever has no end. */
export const MAX_LATE_WRITES = 500
export const LATE_WRITE_RETRY_MS = 2_000

export interface LateWrites {
  /** `write` is called until it resolves, or rejects with anything but a 503. Never throws. */
  add(write: () => Promise<void>): void
}

export type LateWriteOptions = {
  readonly clock: Clock
  /** Told of writes that are given up. */
  readonly onDropped: (error: unknown) => void
}

export function createLateWrites({ clock, onDropped }: LateWriteOptions): LateWrites {
  const waiting: (() => Promise<void>)[] = []
  let running = false

  /** In order, until one has to wait on. */
  const writeAll = async () => {
    for (let write = waiting[0]; write; write = waiting[0]) {
      try {
        await write()
      } catch (error) {
        if (error instanceof ApiError && error.status === 503) return
        onDropped(error)
      }
      waiting.shift()
    }
  }
  const run = async () => {
    running = true
    while (waiting.length > 0) {
      await sleep(clock, LATE_WRITE_RETRY_MS)
      await writeAll()
    }
    running = false
  }
  return {
    add(write) {
      if (waiting.length >= MAX_LATE_WRITES) return onDropped(new Error('too many ends of responses wait for storage'))
      waiting.push(write)
      if (!running) void run()
    },
  }
}
