/**
 * Reads pages in a worker thread, within limits of time and memory: HTML of strangers may keep a parser busy for long, and
 * nobody else should wait for it.
 *
 * One worker, started with the first page and replaced when it runs over; pages wait for each other in line. It keeps the
 * process alive only while it works.
 */
import { Worker } from 'node:worker_threads'
import type { Clock } from '../../lib/clock.ts'
import { ownModule } from '../../lib/own-files.ts'
import type { PageText, RawPage } from './page-text.ts'

export interface PageParser {
  /** Null for a page that cannot be read within the limits. */
  parse(page: RawPage): Promise<PageText | null>
  /** Ends the worker. A later page starts another. */
  close(): Promise<void>
}

/** Longer than any page that is meant to be read takes, the start of the worker included. */
export const PARSE_TIMEOUT_MS = 5_000
export const MAX_WAITING_PAGES = 64
const WORKER_MEMORY_MB = 512

const WORKER_FILE = ownModule('page-worker', import.meta.url)

export function createPageParser({
  clock,
  timeoutMs = PARSE_TIMEOUT_MS,
}: {
  clock: Clock
  timeoutMs?: number
}): PageParser {
  let worker: Worker | null = null
  let tail: Promise<unknown> = Promise.resolve()
  let waiting = 0

  const discard = async () => {
    const old = worker
    worker = null
    await old?.terminate()
  }
  const parseNow = async (page: RawPage): Promise<PageText | null> => {
    worker ??= startWorker()
    const answer = await ask(worker, page, { clock, timeoutMs })
    if (answer === undefined) await discard()
    return answer ?? null
  }
  return {
    parse(page) {
      if (waiting >= MAX_WAITING_PAGES) return Promise.resolve(null)
      waiting += 1
      const parsed = tail.then(() => parseNow(page)).finally(() => (waiting -= 1))
      tail = parsed.catch(() => {})
      return parsed
    },
    close: discard,
  }
}

function startWorker(): Worker {
  const worker = new Worker(WORKER_FILE, {
    resourceLimits: { maxOldGenerationSizeMb: WORKER_MEMORY_MB },
    env: {},
    execArgv: [],
  })
  // Without a listener an error between two pages would end the process; the next page then finds no answer.
  worker.on('error', () => {})
  worker.unref()
  return worker
}

/** Undefined when the worker gave no answer in time, or died. */
function ask(
  worker: Worker,
  page: RawPage,
  { clock, timeoutMs }: { clock: Clock; timeoutMs: number },
): Promise<PageText | null | undefined> {
  return new Promise((resolve) => {
    const settle = (answer: PageText | null | undefined) => {
      cancel()
      worker.off('message', onMessage).off('error', onEnd).off('exit', onEnd)
      worker.unref()
      resolve(answer)
    }
    const onMessage = (message: unknown) => settle(isPageText(message) ? message : null)
    const onEnd = () => settle(undefined)
    const cancel = clock.after(timeoutMs, onEnd)
    worker.on('message', onMessage).on('error', onEnd).on('exit', onEnd)
    worker.ref()
    worker.postMessage(page)
  })
}

const isPageText = (value: unknown): value is PageText =>
  typeof value === 'object' && value !== null && 'title' in value && 'text' in value
