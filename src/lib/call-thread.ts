/**
 * A worker thread that answers one request at a time. It is started with the first request, replaced when it dies, and
 * keeps the process alive only while it works.
 *
 * A request that is aborted while it waits is never sent; one that is being worked on is left to end, and its answer
 * dropped, because a thread cannot be stopped in the middle without losing it.
 */
import { Worker } from 'node:worker_threads'

export interface CallThread {
  /** Resolves with what the thread answered. Rejects with `signal.reason`, the error of the thread, or `ThreadBusy`. */
  call(request: object, signal?: AbortSignal): Promise<unknown>
  /** Waits for what was asked for, then ends the thread. */
  close(): Promise<void>
}

export class ThreadBusy extends Error {
  override readonly name = 'ThreadBusy'
  constructor() {
    super('the thread has more to do than it takes on')
  }
}

export type CallThreadOptions = {
  readonly file: URL
  readonly data: object
  readonly maxWaiting: number
  readonly memoryMb: number
}

type Waiting = {
  readonly request: object
  readonly signal: AbortSignal | undefined
  readonly settle: (answer: ThreadAnswer) => void
}
type ThreadAnswer = { readonly value: unknown } | { readonly failure: unknown }

export function createCallThread(options: CallThreadOptions): CallThread {
  let worker: Worker | null = null
  let isBusy = false
  let isClosed = false
  const queue: Waiting[] = []
  let onIdle = () => {}

  const next = () => {
    if (isBusy) return
    const waiting = queue.shift()
    if (waiting === undefined) return onIdle()
    if (waiting.signal?.aborted) {
      waiting.settle({ failure: waiting.signal.reason })
      return next()
    }
    isBusy = true
    worker ??= startWorker(options, () => (worker = null))
    ask(worker, waiting.request, (answer) => {
      isBusy = false
      waiting.settle(answer)
      next()
    })
  }
  return {
    call: (request, signal) =>
      new Promise((resolve, reject) => {
        if (isClosed) return reject(new Error('the thread is closed'))
        if (queue.length >= options.maxWaiting) return reject(new ThreadBusy())
        const onAbort = () => reject(signal?.reason)
        signal?.addEventListener('abort', onAbort, { once: true })
        const settle = (answer: ThreadAnswer) => {
          signal?.removeEventListener('abort', onAbort)
          if ('failure' in answer) reject(answer.failure)
          else resolve(answer.value)
        }
        queue.push({ request, signal, settle })
        next()
      }),
    async close() {
      isClosed = true
      if (isBusy || queue.length > 0) await new Promise<void>((resolve) => (onIdle = resolve))
      await worker?.terminate()
      worker = null
    },
  }
}

function startWorker({ file, data, memoryMb }: CallThreadOptions, onGone: () => void): Worker {
  const worker = new Worker(file, {
    workerData: data,
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    env: {},
    execArgv: [],
  })
  // Without a listener an error between two requests would end the process.
  worker.on('error', onGone).on('exit', onGone)
  worker.unref()
  return worker
}

function ask(worker: Worker, request: object, settle: (answer: ThreadAnswer) => void): void {
  const end = (answer: ThreadAnswer) => {
    worker.off('message', onMessage).off('error', onEnd).off('exit', onEnd)
    worker.unref()
    settle(answer)
  }
  const onMessage = (message: unknown) => end(readAnswer(message))
  const onEnd = (why: unknown) => end({ failure: why instanceof Error ? why : new Error('the thread ended') })
  worker.on('message', onMessage).on('error', onEnd).on('exit', onEnd)
  worker.ref()
  worker.postMessage(request)
}

function readAnswer(message: unknown): ThreadAnswer {
  if (typeof message !== 'object' || message === null) return { failure: new Error('the thread gave no answer') }
  if ('error' in message) return { failure: new Error(String(message.error)) }
  return { value: 'value' in message ? message.value : undefined }
}
