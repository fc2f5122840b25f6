/**
 * Regular expressions and JSON Schemas of clients, run in a worker thread with a time limit. Both can take exponential
 * time, in V8's backtracking as in nested `$ref`s, and on the main thread one request could stop all others.
 *
 * One worker, started at the first check and stopped when a check runs over; checks wait for each other in line. It
 * keeps the process alive only while it works.
 */
import { Worker } from 'node:worker_threads'
import type { Clock } from '../lib/clock.ts'
import { abortedError } from './aborted-error.ts'
import { ModelError } from './model.ts'

export const CHECK_TIMEOUT_MS = 250
/** For the worker to come up, once; not counted as time of a check. */
export const WORKER_START_TIMEOUT_MS = 10_000
/** Checks in line; a further one is refused. */
export const MAX_WAITING_CHECKS = 64
const WORKER_MEMORY_MB = 128
const MAX_PROBLEMS = 5

export type Check =
  | { readonly kind: 'regex'; readonly source: string; readonly flags: string; readonly text: string }
  | { readonly kind: 'schema'; readonly schema: Readonly<Record<string, unknown>>; readonly value: unknown }

export type CheckResult =
  | { readonly outcome: 'valid' }
  | { readonly outcome: 'invalid'; readonly problems: readonly string[] }
  /** Took too long, or the pattern or schema itself is broken; `reason` completes "it could not be checked: ...". */
  | { readonly outcome: 'undecided'; readonly reason: string }

export interface IsolatedChecks {
  /** Rejects with a `ModelError`: `unavailable` when too many checks wait, `aborted` when the caller does not. */
  run(check: Check, signal: AbortSignal): Promise<CheckResult>
  /** Ends the worker. A later check starts another. */
  close(): Promise<void>
}

/** Plain JavaScript in a string: a worker file would need a different name before and after the build. */
const WORKER_SOURCE = `
Reflect.deleteProperty(Object.prototype, '__proto__')
const { parentPort, workerData } = require('node:worker_threads')
const checkRegex = ({ source, flags, text }) =>
  new RegExp(source, flags).test(text) ? [] : ['does not match the pattern']
const checkSchema = async ({ schema, value }) => {
  const { Errors } = await import(workerData.validator)
  const [, errors] = Errors(schema, value)
  return errors.slice(0, workerData.maxProblems).map((error) => (error.instancePath || 'the value') + ' ' + error.message)
}
parentPort.on('message', async (check) => {
  try {
    const problems = await (check.kind === 'regex' ? checkRegex(check) : checkSchema(check))
    parentPort.postMessage(problems.length === 0 ? { outcome: 'valid' } : { outcome: 'invalid', problems })
  } catch (error) {
    parentPort.postMessage({ outcome: 'undecided', reason: String(error && error.message) })
  }
})
import(workerData.validator).then(() => parentPort.postMessage({ outcome: 'ready' }))
`

export function createIsolatedChecks(options: { readonly clock: Clock; readonly timeoutMs?: number }): IsolatedChecks {
  const { clock, timeoutMs = CHECK_TIMEOUT_MS } = options
  let worker: Promise<Worker> | null = null
  let tail: Promise<unknown> = Promise.resolve()
  let waiting = 0

  const discard = async (): Promise<void> => {
    const old = worker
    worker = null
    if (old !== null) await old.then((running) => running.terminate()).catch(() => undefined)
  }
  const runNow = async (check: Check): Promise<CheckResult> => {
    try {
      worker ??= startWorker(clock)
      const running = await worker
      const result = await ask(running, check, clock, timeoutMs)
      if (result !== null) return result
      await discard()
      return { outcome: 'undecided', reason: `it took more than ${timeoutMs} ms` }
    } catch (error) {
      await discard()
      return { outcome: 'undecided', reason: error instanceof Error ? error.message : 'the check failed' }
    }
  }
  return {
    run(check, signal) {
      if (waiting >= MAX_WAITING_CHECKS) return Promise.reject(tooManyChecks())
      waiting += 1
      const result = tail.then(() => runNow(check)).finally(() => (waiting -= 1))
      tail = result
      return untilAborted(result, signal)
    },
    close: discard,
  }
}

const tooManyChecks = () => new ModelError('unavailable', 'Too many answers wait for their check. Please retry.')

/** The check itself goes on: it has its own limit, and nobody waits for it any more. */
function untilAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortedError())
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

async function startWorker(clock: Clock): Promise<Worker> {
  const worker = new Worker(WORKER_SOURCE, {
    eval: true,
    workerData: { validator: import.meta.resolve('typebox/schema'), maxProblems: MAX_PROBLEMS },
    resourceLimits: { maxOldGenerationSizeMb: WORKER_MEMORY_MB },
    env: {},
  })
  const ready = await answerOf(worker, clock, WORKER_START_TIMEOUT_MS)
  if (ready === null) {
    await worker.terminate()
    throw new Error('the checking thread did not start')
  }
  // Without a listener an error between two checks would end the process; the next check then finds no answer.
  worker.on('error', () => {})
  worker.unref()
  return worker
}

/** Null when the time ran out. */
async function ask(worker: Worker, check: Check, clock: Clock, timeoutMs: number): Promise<CheckResult | null> {
  worker.ref()
  try {
    const answer = answerOf(worker, clock, timeoutMs)
    worker.postMessage(check)
    const result = await answer
    return result === null ? null : toResult(result)
  } finally {
    worker.unref()
  }
}

/** The next message of the worker; null after `timeoutMs`. Rejects when the worker dies, for example of memory. */
function answerOf(worker: Worker, clock: Clock, timeoutMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const settle = (action: () => void) => {
      cancel()
      worker.off('message', onMessage).off('error', onError).off('exit', onExit)
      action()
    }
    const onMessage = (message: unknown) => settle(() => resolve(message))
    const onError = (error: Error) => settle(() => reject(error))
    const onExit = () => settle(() => reject(new Error('the checking thread ended')))
    const cancel = clock.after(timeoutMs, () => settle(() => resolve(null)))
    worker.on('message', onMessage).on('error', onError).on('exit', onExit)
  })
}

function toResult(message: unknown): CheckResult {
  if (typeof message !== 'object' || message === null || !('outcome' in message)) {
    return { outcome: 'undecided', reason: 'the checking thread gave no answer' }
  }
  if (message.outcome === 'valid') return { outcome: 'valid' }
  if (message.outcome === 'invalid' && 'problems' in message && Array.isArray(message.problems)) {
    return { outcome: 'invalid', problems: message.problems.map(String) }
  }
  return { outcome: 'undecided', reason: 'reason' in message ? String(message.reason) : 'no reason was given' }
}
