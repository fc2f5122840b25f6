/** A process that dies in the middle of a background run, as its store sees it: nothing is written any more. */
import assert from 'node:assert/strict'
import { type JobStore, LeaseLost, type TakenJob } from '../../src/store/job-store.ts'
import type { Store } from '../../src/store/store.ts'

/** Whoever owned it is dead. */
export async function takeOver({ store }: { readonly store: Store }): Promise<TakenJob> {
  await store.failOrphans({ code: 'server_error', message: 'gone' })
  const job = await store.jobs.take({ leaseMs: 15_000, perProject: 20 })
  assert.ok(job, 'there is a job to take')
  return job
}

/** A process that dies at its n-th write to the job, before or after that is on disk. */
export function dyingJobs(jobs: JobStore, deathAt: number, isWritten: boolean) {
  let writes = 0
  const perhaps = async (write: () => Promise<void>, id: string) => {
    writes += 1
    if (writes > deathAt) throw new LeaseLost(id)
    if (writes === deathAt && !isWritten) throw new LeaseLost(id)
    await write()
    if (writes === deathAt) throw new LeaseLost(id)
  }
  return {
    jobs: {
      ...jobs,
      write: (...[lease, progress]: Parameters<JobStore['write']>) =>
        perhaps(() => jobs.write(lease, progress), lease.responseId),
      finish: (...[lease, finished]: Parameters<JobStore['finish']>) =>
        perhaps(() => jobs.finish(lease, finished), lease.responseId),
    },
    writes: () => writes,
  }
}
