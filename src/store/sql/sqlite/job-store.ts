/** Jobs: the work of all projects, and the side of it that one project's requests see. */
import type { Clock } from '../../../lib/clock.ts'
import type { WakeUps } from '../../../lib/wake-ups.ts'
import type { JobLease, JobStore, ProjectJobs } from '../../job-store.ts'
import { encodeFinish, encodeJob, encodeProgress, nameOf, WORK } from '../encode-job.ts'
import { queries } from '../queries.ts'
import type { Connection } from './connection.ts'
import type { GroupCommit } from './group-commit.ts'
import { enqueueJob, finishJob, takeJob, writeProgress } from './write-job.ts'

type Parts = {
  readonly writer: Connection
  readonly reader: Connection
  readonly commits: GroupCommit
  readonly clock: Clock
  readonly wakeUps: WakeUps
}

export function createJobStore({ writer, reader, commits, clock, wakeUps }: Parts): JobStore {
  const tell = ({ projectId, responseId }: JobLease) => wakeUps.wake(nameOf(projectId, responseId))
  return {
    async take(wanted) {
      // A transaction that finds nothing costs a lock, so it is looked first.
      const free = { now: clock.now(), perProject: wanted.perProject }
      if (!wanted.only && !reader.get(queries.findFreeJob, free)) return null
      return commits.write(() => takeJob(writer, wanted, clock.now()))
    },
    heartbeat: (lease, leaseMs) =>
      commits.write(() => {
        const job = writer.get(queries.findOwned, { ...lease, id: lease.responseId })
        if (!job) return 'lost'
        writer.run(queries.leaseJob, { seq: job.seq, until: clock.now() + leaseMs })
        return job.cancel === 1 ? 'cancel' : 'held'
      }),
    async release(lease) {
      await commits.write(() => {
        const job = writer.get(queries.findOwned, { ...lease, id: lease.responseId })
        if (job) writer.run(queries.leaseJob, { seq: job.seq, until: null })
      })
      wakeUps.wake(WORK)
    },
    async write(lease, progress) {
      const encoded = encodeProgress(progress)
      await commits.write(() => writeProgress(writer, lease, encoded))
      tell(lease)
    },
    async finish(lease, finished) {
      const encoded = { ...encodeFinish(lease.projectId, finished), usage: finished.usage }
      await commits.write(() => finishJob(writer, lease, encoded))
      tell(lease)
      wakeUps.wake(WORK)
    },
    wakeUp: () => wakeUps.next(WORK),
  }
}

export function createProjectJobs({ writer, reader, commits, clock, wakeUps }: Parts, projectId: string): ProjectJobs {
  return {
    isFull: async (maxQueued) => (reader.get(queries.countQueued, { projectId })?.queued ?? 0) >= maxQueued,
    async enqueue(job, maxQueued) {
      const encoded = encodeJob(projectId, job, maxQueued, clock.now())
      const result = await commits.write(() => enqueueJob(writer, encoded))
      if (result === 'queued') wakeUps.wake(WORK)
      return result
    },
    async requestCancel(responseId) {
      const now = clock.now()
      const row = await commits.write(() => writer.get(queries.cancelJob, { projectId, id: responseId }))
      wakeUps.wake(WORK)
      if (!row) return 'none'
      return row.lease_until !== null && row.lease_until > now ? 'running' : 'waiting'
    },
  }
}
