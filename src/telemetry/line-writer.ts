/**
 * Writes lines to a file descriptor, many at a time: a system call per line shows at thousands of requests per second.
 *
 * One write is under way at a time, off the event loop, so that a slow reader of the log slows nothing else down. Lines
 * that come meanwhile wait, up to a limit; beyond it, and when a write fails, they are lost. The next line that can be
 * written says how many.
 */
import { write, writeSync } from 'node:fs'

export interface LineWriter {
  /** `line`: with its line end. */
  write(line: string): void
  /** Writes what waits before it returns, as far as that can be written. For the end of the process. */
  flush(): void
}

export type LineWriterOptions = {
  readonly fd: number
  /** The line that tells of lost ones. */
  readonly lostLine: (count: number) => string
  /** UTF-16 units that may wait. */
  readonly maxWaitingChars?: number
}

/** Lines wait until there is this much, or this long. */
const BATCH_CHARS = 16_000
const BATCH_MS = 200
const MAX_WAITING_CHARS = 8 * 1024 * 1024
/** A pipe that is full, or a terminal that is paused, is tried again. */
const RETRY_MS = 50
const MAX_FLUSH_RETRIES = 20

export function createLineWriter({ fd, lostLine, maxWaitingChars = MAX_WAITING_CHARS }: LineWriterOptions): LineWriter {
  let waiting = { text: '', lines: 0 }
  let lost = 0
  let isWriting = false
  /** A write will start by itself. */
  let isDue = false

  const take = (): { readonly bytes: Buffer; readonly lines: number } => {
    const { text, lines } = waiting
    const notice = lost > 0 ? lostLine(lost) : ''
    waiting = { text: '', lines: 0 }
    lost = 0
    return { bytes: Buffer.from(notice + text), lines }
  }
  const start = () => {
    if (isWriting || waiting.lines === 0) return
    isWriting = true
    const { bytes, lines } = take()
    writeAll(fd, bytes, (written) => {
      isWriting = false
      if (!written) lost += lines
      startWhenWorthIt()
    })
  }
  const startWhenWorthIt = () => {
    if (waiting.text.length >= BATCH_CHARS) return start()
    if (isDue || waiting.lines === 0) return
    isDue = true
    const due = () => {
      isDue = false
      start()
    }
    setTimeout(due, BATCH_MS).unref()
  }
  return {
    write(line) {
      if (waiting.text.length + line.length > maxWaitingChars) {
        lost += 1
        return
      }
      waiting.text += line
      waiting.lines += 1
      startWhenWorthIt()
    },
    flush() {
      if (waiting.lines > 0) writeAllSync(fd, take().bytes)
    },
  }
}

/** `done` is told whether all of it was written. */
function writeAll(fd: number, bytes: Buffer, done: (written: boolean) => void): void {
  write(fd, bytes, (error, count) => {
    if (isBusy(error)) return void setTimeout(() => writeAll(fd, bytes, done), RETRY_MS).unref()
    if (error) return done(false)
    if (count === bytes.length) return done(true)
    writeAll(fd, bytes.subarray(count), done)
  })
}

function writeAllSync(fd: number, bytes: Buffer): void {
  let rest = bytes
  for (let retries = 0; rest.length > 0 && retries <= MAX_FLUSH_RETRIES; ) {
    try {
      rest = rest.subarray(writeSync(fd, rest))
    } catch (error) {
      if (!isBusy(error)) return
      retries += 1
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS)
    }
  }
}

const isBusy = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'EAGAIN'
