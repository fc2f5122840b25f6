/** Removes file bytes that nobody owns: at the start, and again for as long as the process runs. */
import type { BlobStore } from '../blobs/blob-store.ts'
import { sweepBlobs } from '../blobs/sweep-blobs.ts'
import { type Clock, seconds, sleep } from '../lib/clock.ts'
import type { Store } from '../store/store.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'

const SWEEP_INTERVAL_MS = 60_000
/** How much longer than any upload may take its write counts as alive. */
const GRACE_MS = 3_600_000

export type SweepJob = {
  readonly store: Store
  readonly blobs: BlobStore
  readonly clock: Clock
  readonly telemetry: Telemetry
  /** The longest that bytes may take to arrive. */
  readonly writeTimeMs: number
}

export function startSweep(job: SweepJob): AsyncDisposable {
  const stop = new AbortController()
  const running = run(job, stop.signal)
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running
    },
  }
}

/** Seconds: whose writing began before that is dead. */
export const deadBefore = (clock: Clock, writeTimeMs: number): number =>
  seconds(clock) - Math.ceil((writeTimeMs + GRACE_MS) / 1000)

async function run({ telemetry, ...job }: SweepJob, signal: AbortSignal): Promise<void> {
  do {
    try {
      await sweepBlobs(job, deadBefore(job.clock, job.writeTimeMs))
    } catch (error) {
      telemetry.failed({ requestId: null, where: 'sweep-files', error })
    }
  } while (await sleep(job.clock, SWEEP_INTERVAL_MS, signal))
}
