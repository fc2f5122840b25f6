/**
 * Takes files from the queue and has them ingested, a few side by side, for as long as the process runs.
 *
 * The queue is the rows of the files themselves: what a process that died had taken is taken again. What fails in a way
 * that may pass is put off longer each time, and given up after so many tries, also when it is the process itself that
 * does not survive it.
 */
import { type Clock, seconds, sleep } from '../lib/clock.ts'
import { ApiError } from '../protocol/errors.ts'
import type { IngestJob, IngestQueue } from '../store/vector-store-catalog.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'

export const INGEST_SIDE_BY_SIDE = 2
export const MAX_INGEST_TRIES = 8
const FIRST_DELAY_SECONDS = 2
/** A full disk keeps all files from being ingested and is none's fault: the one at hand is tried until there is space. */
const FULL_MS = 2_000
/** What another process put into the queue, and what was put off, is found after this at the latest. */
const IDLE_MS = 5_000
/** How often stores are looked at that may have expired, and documents that lack vectors. */
const CARE_MS = 60_000
const EXPIRED_AT_ONCE = 50

export type IngestionParts = {
  readonly queue: IngestQueue
  /** Throws what may pass. */
  readonly ingest: (job: IngestJob, signal: AbortSignal) => Promise<void>
  /** Puts into the queue what the index has lost. Once for a process. */
  readonly recover: (signal: AbortSignal) => Promise<void>
  /** One document that lacks vectors; false when there was none. */
  readonly upgrade: (signal: AbortSignal) => Promise<boolean>
  /** Tells the index what is written down for it. */
  readonly tell: () => Promise<void>
  readonly clock: Clock
  readonly telemetry: Pick<Telemetry, 'failed'>
}

export interface Ingestion extends AsyncDisposable {
  /** There may be something in the queue: looks at once. */
  wake(): void
}

export function startIngestion(parts: IngestionParts): Ingestion {
  const stop = new AbortController()
  const pauses = new Set<AbortController>()
  const taken = takeInTurn(parts)
  const pause = async (ms: number) => {
    const woken = new AbortController()
    pauses.add(woken)
    await sleep(parts.clock, ms, AbortSignal.any([stop.signal, woken.signal]))
    pauses.delete(woken)
  }
  const lines = Array.from({ length: INGEST_SIDE_BY_SIDE }, () => workOff(parts, { taken, pause, signal: stop.signal }))
  lines.push(careFor(parts, stop.signal))
  return {
    wake() {
      for (const woken of pauses) woken.abort()
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await Promise.all(lines)
    },
  }
}

type Taken = {
  /** The next document that nobody here works on. */
  take(): Promise<IngestJob | null>
  leave(documentId: string): void
}

/** One after the other, so that no document is taken by two lines: each time counts as a try. */
function takeInTurn({ queue, clock }: Pick<IngestionParts, 'queue' | 'clock'>): Taken {
  const documents = new Set<string>()
  const takeOne = async () => {
    const job = await queue.take(seconds(clock), [...documents])
    if (job !== null) documents.add(job.documentId)
    return job
  }
  let turn: Promise<unknown> = Promise.resolve()
  return {
    take() {
      const job = turn.then(takeOne)
      turn = job.catch(() => {})
      return job
    },
    leave: (documentId) => void documents.delete(documentId),
  }
}

type Line = {
  readonly taken: Taken
  readonly pause: (ms: number) => Promise<void>
  readonly signal: AbortSignal
}

async function workOff(parts: IngestionParts, { taken, pause, signal }: Line): Promise<void> {
  const report = (error: unknown) => parts.telemetry.failed({ requestId: null, where: 'ingest-files', error })
  while (!signal.aborted) {
    try {
      const job = await taken.take()
      if (job === null) {
        await pause(IDLE_MS)
        continue
      }
      try {
        await workOn(job, parts, { pause, signal }, report)
      } finally {
        taken.leave(job.documentId)
      }
      // What was set of it while it was ingested.
      await parts.tell()
    } catch (error) {
      report(error)
      await pause(isFull(error) ? FULL_MS : IDLE_MS)
    }
  }
}

const isFull = (error: unknown): boolean => error instanceof ApiError && error.code === 'storage_full'

async function workOn(
  job: IngestJob,
  { ingest, queue, clock }: IngestionParts,
  { pause, signal }: Omit<Line, 'taken'>,
  report: (error: unknown) => void,
): Promise<void> {
  if (job.attempts > MAX_INGEST_TRIES) {
    const message = `The file could not be ingested in ${MAX_INGEST_TRIES} tries; attach it again to try once more.`
    await queue.finish(job.documentId, { status: 'failed', error: { code: 'server_error', message } })
    return
  }
  for (let isReported = false; ; isReported = true) {
    try {
      return await ingest(job, signal)
    } catch (error) {
      if (signal.aborted) return
      if (!isReported) report(error)
      if (!isFull(error)) return queue.postpone(job.documentId, seconds(clock) + delayOf(job))
      await pause(FULL_MS)
    }
  }
}

const delayOf = ({ attempts }: IngestJob) => FIRST_DELAY_SECONDS * 2 ** (attempts - 1)

async function careFor(parts: IngestionParts, signal: AbortSignal): Promise<void> {
  const { queue, recover, upgrade, tell, clock, telemetry } = parts
  let isRecovered = false
  do {
    try {
      await tell()
      let expired = EXPIRED_AT_ONCE
      while (expired === EXPIRED_AT_ONCE) expired = await queue.expire(seconds(clock), EXPIRED_AT_ONCE)
      await tell()
      if (!isRecovered) await recover(signal)
      isRecovered = true
      while (!signal.aborted && (await upgrade(signal)));
    } catch (error) {
      if (!signal.aborted) telemetry.failed({ requestId: null, where: 'care-for-vector-stores', error })
    }
  } while (await sleep(clock, CARE_MS, signal))
}
