/**
 * Takes jobs from the queue and sees to it that what it works on stays its own: a lease for each, renewed for as long as
 * this process is alive. Who loses a lease stops; what it still writes is refused by its token anyway.
 *
 * Every process has one. On a store that several share, each of them goes on with what another left.
 */
import { type Engine, RunAbort } from '../engine/engine.ts'
import { type Clock, sleep } from '../lib/clock.ts'
import { wokenWithin } from '../lib/wake-ups.ts'
import type { JobStore, TakenJob } from '../store/job-store.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'

export const JOB_LEASE_MS = 15_000
export const HEARTBEAT_MS = 5_000
/** Another process says nothing when it brings work or dies. */
const LOOK_AGAIN_MS = 1_000
/** Between two attempts to reach a store that fails. */
const RETRY_MS = 1_000

export type RunWorkerParts = {
  readonly jobs: JobStore
  readonly engine: Pick<Engine, 'runJob'>
  readonly clock: Clock
  readonly telemetry: Telemetry
  readonly limits: { readonly perProject: number; readonly total: number }
  /** Told when nothing is worked on here any more and nothing will be. */
  readonly onLetGo: () => void
}

export interface RunWorker extends AsyncDisposable {
  /**
   * Takes nothing more, and lets every run go at its next step, at the latest after `ms`; whoever takes it goes on from
   * there.
   */
  drain(ms: number): Promise<void>
}

type Running = { readonly abort: AbortController; readonly over: Promise<void> }

export function startRunWorker(parts: RunWorkerParts): RunWorker {
  const { jobs, clock, limits } = parts
  const stop = new AbortController()
  const running = new Set<Running>()
  const start = (job: TakenJob) => {
    const abort = new AbortController()
    const over = work(job, abort, { ...parts, isPausing: () => stop.signal.aborted }).finally(() => {
      running.delete(entry)
    })
    const entry = { abort, over }
    running.add(entry)
  }
  const takeAll = async () => {
    while (!stop.signal.aborted && running.size < limits.total) {
      const job = await jobs.take({ leaseMs: JOB_LEASE_MS, perProject: limits.perProject })
      if (job === null) return
      start(job)
    }
  }
  const loop = async () => {
    while (!stop.signal.aborted) {
      const woken = jobs.wakeUp()
      try {
        await takeAll()
      } catch (error) {
        parts.telemetry.failed({ requestId: null, where: 'take-job', error })
        await sleep(clock, RETRY_MS, stop.signal)
        continue
      }
      await wokenWithin(LOOK_AGAIN_MS, woken, { clock, signals: [stop.signal] })
    }
  }
  const looping = loop()
  const drain = async (ms: number) => {
    stop.abort()
    await looping
    const all = Promise.all([...running].map(({ over }) => over))
    const cancel = clock.after(ms, () => {
      for (const { abort } of running) abort.abort(new RunAbort('let-go'))
    })
    await all
    cancel()
    parts.onLetGo()
  }
  return {
    drain,
    [Symbol.asyncDispose]: () => drain(0),
  }
}

type WorkParts = RunWorkerParts & { isPausing(): boolean }

/** Never rejects. */
async function work(job: TakenJob, abort: AbortController, parts: WorkParts): Promise<void> {
  const { jobs, engine, telemetry } = parts
  const stopBeating = beat(job, abort, parts)
  try {
    await engine.runJob(job, { abort, isPausing: parts.isPausing })
  } finally {
    stopBeating()
  }
  if (!isLetGo(abort.signal)) return
  await jobs.release(job.lease).catch((error) => telemetry.failed({ requestId: null, where: 'release-job', error }))
}

const isLetGo = ({ aborted, reason }: AbortSignal) => aborted && reason instanceof RunAbort && reason.kind === 'let-go'

function beat({ lease }: TakenJob, abort: AbortController, { jobs, clock, telemetry }: WorkParts): () => void {
  let isOver = false
  let cancel = clock.after(HEARTBEAT_MS, tick)
  let lastHeld = clock.monotonic()
  function tick() {
    const askedAt = clock.monotonic()
    jobs.heartbeat(lease, JOB_LEASE_MS).then(
      (state) => {
        if (state === 'lost') abort.abort(new RunAbort('let-go'))
        if (state === 'cancel') abort.abort(new RunAbort('cancelled'))
        lastHeld = askedAt
      },
      (error) => {
        telemetry.failed({ requestId: null, where: 'job-heartbeat', error })
        if (clock.monotonic() - lastHeld > JOB_LEASE_MS) abort.abort(new RunAbort('let-go'))
      },
    )
    if (!isOver) cancel = clock.after(HEARTBEAT_MS, tick)
  }
  return () => {
    isOver = true
    cancel()
  }
}
