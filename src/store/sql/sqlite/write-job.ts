/** The transactions of a run that has a job. Each function runs inside a unit of the group commit. */
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
import type { Connection } from './connection.ts'
import { completeClaim } from './idempotency-store.ts'
import { endResponse, insertResponse } from './write-response.ts'

type Enqueued = Omit<NewJob, 'record' | 'events'> & {
  readonly record: EncodedResponse
  readonly conversationId: string | null
  readonly events: EncodedEvents
  readonly maxQueued: number
  readonly lockUntil: number
}

export function enqueueJob(writer: Connection, job: Enqueued): 'queued' | 'full' {
  const { record, payload, keyId, events, claim, lock } = job
  const { projectId } = record.row
  if ((writer.get(queries.countQueued, { projectId })?.queued ?? 0) >= job.maxQueued) return 'full'
  const { seq } = insertResponse(writer, record)
  const boundary = events?.last ?? -1
  const values = { responseSeq: seq, projectId, keyId, payload, lockToken: lock?.token ?? null, boundary }
  writer.run(queries.insertJob, values)
  if (job.keepsEvents) writer.run(queries.openEventLog, { responseSeq: seq })
  if (job.keepsEvents) addEvents(writer, seq, events)
  if (lock && job.conversationId !== null) {
    const held = { projectId, id: job.conversationId, token: lock.token, until: job.lockUntil }
    if (writer.run(queries.renewConversationLock, held) === 0) throw new ConversationLost()
  }
  if (claim) completeClaim(writer, projectId, claim)
  return 'queued'
}

function addEvents(writer: Connection, responseSeq: number, events: EncodedEvents): void {
  if (events !== null) writer.run(queries.addEvents, { responseSeq, ...events })
}

export function takeJob(writer: Connection, { leaseMs, perProject, only }: TakeJob, now: number): TakenJob | null {
  const found = only
    ? writer.get(queries.findJobOf, { projectId: only.projectId, id: only.responseId, now })
    : writer.get(queries.findFreeJob, { now, perProject })
  const job = found && writer.get(queries.takeJob, { seq: found.seq, now, until: now + leaseMs })
  const row = job && writer.get(queries.readJobResponse, { seq: job.response_seq })
  if (!row || row.status === 'deleted') return null
  const wasSeen = job.seen_past !== null && job.seen_past >= job.boundary
  const place = { responseSeq: job.response_seq, boundary: job.boundary }
  if (!wasSeen) writer.run(queries.takeBackEvents, place)
  return {
    lease: { projectId: row.project_id, responseId: row.id, token: job.token },
    response: decodeResponse({ ...row, status: row.status, output: null }),
    payload: toPayload(job.payload),
    keepsEvents: row.keeps_events === 1,
    lockToken: job.lock_token,
    boundary: job.boundary,
    steps: writer.all(queries.readSteps, { jobSeq: job.seq }).map(({ body }) => body),
    reruns: job.reruns,
    wasSeen,
    isCancelled: job.cancel === 1,
    startedAt: job.started_at ?? now,
  }
}

/** Throws `LeaseLost`, which takes the whole unit back. */
export function ownedJob(writer: Connection, { projectId, responseId, token }: JobLease) {
  const job = writer.get(queries.findOwned, { projectId, id: responseId, token })
  if (!job) throw new LeaseLost(responseId)
  return job
}

type Progress = Omit<JobProgress, 'events'> & { readonly events: EncodedEvents }

export function writeProgress(writer: Connection, lease: JobLease, progress: Progress): void {
  const { seq, response_seq } = ownedJob(writer, lease)
  addEvents(writer, response_seq, progress.events)
  writer.run(queries.moveBoundary, { seq, boundary: progress.boundary })
  if (progress.begins) writer.run(queries.beginResponse, { responseSeq: response_seq })
  if (progress.step === null) return
  writer.run(queries.addStep, { jobSeq: seq, body: progress.step })
  writer.run(queries.resetReruns, { seq })
}

type Finished = Pick<FinishedJob, 'usage' | 'logExpiresAt'> & {
  readonly record: EncodedResponse
  readonly keepsInput: boolean
  readonly ending: EncodedEnding
  readonly events: EncodedEvents
}

export function finishJob(writer: Connection, lease: JobLease, finished: Finished): void {
  const { seq, response_seq } = ownedJob(writer, lease)
  addEvents(writer, response_seq, finished.events)
  writer.run(queries.expireEventLog, { responseSeq: response_seq, expiresAt: finished.logExpiresAt })
  const record = finished.keepsInput ? withStoredInput(writer, response_seq, finished.record) : finished.record
  endResponse(writer, record, finished.usage, finished.ending)
  writer.run(queries.unlockConversationOf, { seq })
  writer.run(queries.deleteJob, { seq })
}

function withStoredInput(writer: Connection, responseSeq: number, record: EncodedResponse): EncodedResponse {
  const bytes = writer.get(queries.inputBytes, { responseSeq })?.bytes ?? 0
  return {
    ...record,
    lengths: { ...record.lengths, inputs: Number.MAX_SAFE_INTEGER },
    row: { ...record.row, itemBytes: record.row.itemBytes + bytes },
  }
}
