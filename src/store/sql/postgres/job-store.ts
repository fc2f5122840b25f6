/** Jobs: the work of all projects, and the side of it that one project's requests see. */
import type { JobLease, JobStore, ProjectJobs } from '../../job-store.ts'
import { encodeFinish, encodeJob, encodeProgress, nameOf, WORK } from '../encode-job.ts'
import { queries } from '../queries.ts'
import { jobs } from './job-queries.ts'
import type { StoreParts } from './parts.ts'
import { enqueueJob, finishJob, takeJob, writeProgress } from './write-job.ts'
import { usageValues } from './write-response.ts'

export function createJobStore({ database, clock, wakeUps, owner, ensureProject }: StoreParts): JobStore {
  const tell = ({ projectId, responseId }: JobLease) => wakeUps.wake(nameOf(projectId, responseId))
  return {
    async take(wanted) {
      // A transaction holds up all other takers, so it is looked first.
      const free = { now: clock.now(), perProject: wanted.perProject }
      if (!wanted.only && !(await database.get(queries.findFreeJob, free))) return null
      const self = await owner()
      return database.transaction((sql) => takeJob(sql, wanted, { now: clock.now(), owner: self }))
    },
    async heartbeat({ projectId, responseId: id, token }, leaseMs) {
      const job = await database.get(jobs.renewLease, { projectId, id, token, until: clock.now() + leaseMs })
      if (!job) return 'lost'
      return job.cancel === 1 ? 'cancel' : 'held'
    },
    async release(lease) {
      await database.transaction(async (sql) => {
        const job = await sql.get(jobs.holdOwned, { ...lease, id: lease.responseId })
        if (job) await sql.run(queries.leaseJob, { seq: job.seq, until: null })
      })
      wakeUps.wake(WORK)
    },
    async write(lease, progress) {
      const encoded = encodeProgress(progress)
      await writeProgress(database, lease, encoded)
      tell(lease)
    },
    async finish(lease, finished) {
      const { projectId } = lease
      await ensureProject(projectId)
      const usage = usageValues(projectId, finished.usage, await owner())
      const encoded = { ...encodeFinish(projectId, finished), usage }
      await database.transaction((sql) => finishJob(sql, lease, encoded))
      tell(lease)
      wakeUps.wake(WORK)
    },
    wakeUp: () => wakeUps.next(WORK),
  }
}

export function createProjectJobs(parts: StoreParts, projectId: string): ProjectJobs {
  const { database, clock, wakeUps, owner, ensureProject } = parts
  return {
    isFull: async (maxQueued) => ((await database.get(queries.countQueued, { projectId }))?.queued ?? 0) >= maxQueued,
    async enqueue(job, maxQueued) {
      await ensureProject(projectId)
      const encoded = { ...encodeJob(projectId, job, maxQueued, clock.now()), owner: await owner() }
      const result = await database.transaction((sql) => enqueueJob(sql, encoded))
      if (result === 'queued') wakeUps.wake(WORK)
      return result
    },
    async requestCancel(responseId) {
      const now = clock.now()
      const row = await database.get(queries.cancelJob, { projectId, id: responseId })
      wakeUps.wake(WORK)
      if (!row) return 'none'
      return row.lease_until !== null && row.lease_until > now ? 'running' : 'waiting'
    },
  }
}
