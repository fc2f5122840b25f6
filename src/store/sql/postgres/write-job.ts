/** The transactions of a run that has a job. Whoever writes for a job holds its row, and with it the right to write. */
import { type JobLease, LeaseLost, type TakeJob, type TakenJob } from '../../job-store.ts'
import {
  decodeTakenJob,
  type EncodedEvents,
  type EncodedFinish,
  type EncodedJob,
  type EncodedProgress,
  isLive,
  wasSeen,
  withStoredInput,
} from '../encode-job.ts'
import { ConversationLost } from '../errors.ts'
import { queries } from '../queries.ts'
import type { Sql } from '../query.ts'
import { holdProject } from './hold-project.ts'
import { completeClaim } from './idempotency-store.ts'
import { jobs } from './job-queries.ts'
import { responses } from './response-queries.ts'
import { endResponse, type UsageValues } from './write-response.ts'

export async function enqueueJob(sql: Sql, job: EncodedJob & { readonly owner: number }): Promise<'queued' | 'full'> {
  const { record, payload, keyId, events, boundary, claim, lock, owner } = job
  const { projectId } = record.row
  await sql.get(holdProject, { projectId })
  if (((await sql.get(queries.countQueued, { projectId }))?.queued ?? 0) >= job.maxQueued) return 'full'
  const items = JSON.stringify(record.items)
  const row = await sql.get(responses.startResponse, { ...record.row, owner, items })
  if (!row) throw new Error('a row that was inserted came not back')
  const responseSeq = row.seq
  await sql.run(queries.insertJob, { responseSeq, projectId, keyId, payload, lockToken: lock?.token ?? null, boundary })
  if (job.keepsEvents) await sql.run(queries.openEventLog, { responseSeq })
  if (job.keepsEvents) await addEvents(sql, responseSeq, events)
  if (lock && job.conversationId !== null) {
    const held = { projectId, id: job.conversationId, token: lock.token, until: job.lockUntil }
    if ((await sql.run(queries.renewConversationLock, held)) === 0) throw new ConversationLost()
  }
  if (claim) await completeClaim(sql, projectId, claim)
  return 'queued'
}

async function addEvents(sql: Sql, responseSeq: number, events: EncodedEvents): Promise<void> {
  if (events !== null) await sql.run(queries.addEvents, { responseSeq, ...events })
}

export async function takeJob(
  sql: Sql,
  { leaseMs, perProject, only }: TakeJob,
  { now, owner }: { readonly now: number; readonly owner: number },
): Promise<TakenJob | null> {
  await sql.get(jobs.lockQueue, {})
  const found = only
    ? await sql.get(jobs.holdJobOf, { projectId: only.projectId, id: only.responseId, now })
    : await sql.get(jobs.holdFreeJob, { now, perProject })
  const job = found && (await sql.get(jobs.takeJob, { seq: found.seq, now, until: now + leaseMs, owner }))
  const row = job && (await sql.get(queries.readJobResponse, { seq: job.response_seq }))
  if (!row || !isLive(row)) return null
  const place = { responseSeq: job.response_seq, boundary: job.boundary }
  if (!wasSeen(job)) await sql.run(queries.takeBackEvents, place)
  return decodeTakenJob(job, row, await sql.all(queries.readSteps, { jobSeq: job.seq }))
}

/** Throws `LeaseLost`, which takes the whole transaction back. */
async function ownedJob(sql: Sql, { projectId, responseId, token }: JobLease) {
  const job = await sql.get(jobs.holdOwned, { projectId, id: responseId, token })
  if (!job) throw new LeaseLost(responseId)
  return job
}

export async function writeProgress(sql: Sql, lease: JobLease, progress: EncodedProgress): Promise<void> {
  const { projectId, responseId: id, token } = lease
  const { events, boundary, step, begins } = progress
  const { last, body } = events ?? { last: null, body: null }
  const values = { projectId, id, token, boundary, last, body, step, begins: begins ? 1 : 0 }
  if (!(await sql.get(jobs.writeProgress, values))) throw new LeaseLost(id)
}

export async function finishJob(
  sql: Sql,
  lease: JobLease,
  finish: EncodedFinish & { readonly usage: UsageValues },
): Promise<void> {
  const { seq, response_seq: responseSeq } = await ownedJob(sql, lease)
  await addEvents(sql, responseSeq, finish.events)
  await sql.run(queries.expireEventLog, { responseSeq, expiresAt: finish.logExpiresAt })
  const record = finish.keepsInput
    ? withStoredInput(finish.record, (await sql.get(queries.inputBytes, { responseSeq }))?.bytes ?? 0)
    : finish.record
  await endResponse(sql, record, finish.usage, finish.ending)
  await sql.run(queries.unlockConversationOf, { seq })
  await sql.run(queries.deleteJob, { seq })
}
