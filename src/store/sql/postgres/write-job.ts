/** The transactions of a run that has a job. Whoever writes for a job holds its row, and with it the right to write. */
import {
  type FinishedJob,
  type JobLease,
  type JobProgress,
  LeaseLost,
  type NewJob,
  type TakeJob,
  type TakenJob,
} from '../../job-store.ts'
import { type EncodedEvents, toPayload } from '../encode-job.ts'
import type { EncodedEnding, EncodedResponse } from '../encode-record.ts'
import { ConversationLost } from '../errors.ts'
import { queries } from '../queries.ts'
import { decodeResponse } from '../response-codec.ts'
import type { Sql } from './database.ts'
import { holdProject } from './hold-project.ts'
import { completeClaim } from './idempotency-store.ts'
import { jobs } from './job-queries.ts'
import { responses } from './response-queries.ts'
import { endResponse, type UsageValues } from './write-response.ts'

type Enqueued = Omit<NewJob, 'record' | 'events'> & {
  readonly record: EncodedResponse
  readonly conversationId: string | null
  readonly events: EncodedEvents
  readonly maxQueued: number
  readonly lockUntil: number
  readonly owner: number
}

export async function enqueueJob(sql: Sql, job: Enqueued): Promise<'queued' | 'full'> {
  const { record, payload, keyId, events, claim, lock, owner } = job
  const { projectId } = record.row
  await sql.get(holdProject, { projectId })
  if (((await sql.get(queries.countQueued, { projectId }))?.queued ?? 0) >= job.maxQueued) return 'full'
  const items = JSON.stringify(record.items)
  const row = await sql.get(responses.startResponse, { ...record.row, owner, items })
  if (!row) throw new Error('a row that was inserted came not back')
  const responseSeq = row.seq
  const boundary = events?.last ?? -1
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
  if (!row || row.status === 'deleted') return null
  const wasSeen = job.seen_past !== null && job.seen_past >= job.boundary
  if (!wasSeen) await sql.run(queries.takeBackEvents, { responseSeq: job.response_seq, boundary: job.boundary })
  return {
    lease: { projectId: row.project_id, responseId: row.id, token: job.token },
    response: decodeResponse({ ...row, status: row.status, output: null }),
    payload: toPayload(job.payload),
    keepsEvents: row.keeps_events === 1,
    lockToken: job.lock_token,
    boundary: job.boundary,
    steps: (await sql.all(queries.readSteps, { jobSeq: job.seq })).map(({ body }) => body),
    reruns: job.reruns,
    wasSeen,
    isCancelled: job.cancel === 1,
    startedAt: job.started_at ?? now,
  }
}

/** Throws `LeaseLost`, which takes the whole transaction back. */
async function ownedJob(sql: Sql, { projectId, responseId, token }: JobLease) {
  const job = await sql.get(jobs.holdOwned, { projectId, id: responseId, token })
  if (!job) throw new LeaseLost(responseId)
  return job
}

type Progress = Omit<JobProgress, 'events'> & { readonly events: EncodedEvents }

export async function writeProgress(sql: Sql, lease: JobLease, progress: Progress): Promise<void> {
  const { seq, response_seq } = await ownedJob(sql, lease)
  await addEvents(sql, response_seq, progress.events)
  await sql.run(queries.moveBoundary, { seq, boundary: progress.boundary })
  if (progress.begins) await sql.run(queries.beginResponse, { responseSeq: response_seq })
  if (progress.step === null) return
  await sql.run(queries.addStep, { jobSeq: seq, body: progress.step })
  await sql.run(queries.resetReruns, { seq })
}

type Finished = Pick<FinishedJob, 'logExpiresAt'> & {
  readonly record: EncodedResponse
  readonly keepsInput: boolean
  readonly ending: EncodedEnding
  readonly events: EncodedEvents
  readonly usage: UsageValues
}

export async function finishJob(sql: Sql, lease: JobLease, finished: Finished): Promise<void> {
  const { seq, response_seq } = await ownedJob(sql, lease)
  await addEvents(sql, response_seq, finished.events)
  await sql.run(queries.expireEventLog, { responseSeq: response_seq, expiresAt: finished.logExpiresAt })
  const record = finished.keepsInput ? await withStoredInput(sql, response_seq, finished.record) : finished.record
  await endResponse(sql, record, finished.usage, finished.ending)
  await sql.run(queries.unlockConversationOf, { seq })
  await sql.run(queries.deleteJob, { seq })
}

async function withStoredInput(sql: Sql, responseSeq: number, record: EncodedResponse): Promise<EncodedResponse> {
  const bytes = (await sql.get(queries.inputBytes, { responseSeq }))?.bytes ?? 0
  return {
    ...record,
    lengths: { ...record.lengths, inputs: Number.MAX_SAFE_INTEGER },
    row: { ...record.row, itemBytes: record.row.itemBytes + bytes },
  }
}
