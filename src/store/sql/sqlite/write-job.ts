/** The transactions of a run that has a job. Each function runs inside a unit of the group commit. */
import { type JobLease, LeaseLost, type TakeJob, type TakenJob } from '../../job-store.ts'
import type { UsageRow } from '../../records.ts'
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
import type { Connection } from './connection.ts'
import { completeClaim } from './idempotency-store.ts'
import { endResponse, insertResponse } from './write-response.ts'

export function enqueueJob(writer: Connection, job: EncodedJob): 'queued' | 'full' {
  const { record, payload, keyId, events, boundary, claim, lock } = job
  const { projectId } = record.row
  if ((writer.get(queries.countQueued, { projectId })?.queued ?? 0) >= job.maxQueued) return 'full'
  const { seq } = insertResponse(writer, record)
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
  if (!row || !isLive(row)) return null
  if (!wasSeen(job)) writer.run(queries.takeBackEvents, { responseSeq: job.response_seq, boundary: job.boundary })
  return decodeTakenJob(job, row, writer.all(queries.readSteps, { jobSeq: job.seq }))
}

/** Throws `LeaseLost`, which takes the whole unit back. */
function ownedJob(writer: Connection, { projectId, responseId, token }: JobLease) {
  const job = writer.get(queries.findOwned, { projectId, id: responseId, token })
  if (!job) throw new LeaseLost(responseId)
  return job
}

export function writeProgress(writer: Connection, lease: JobLease, progress: EncodedProgress): void {
  const { seq, response_seq } = ownedJob(writer, lease)
  addEvents(writer, response_seq, progress.events)
  writer.run(queries.moveBoundary, { seq, boundary: progress.boundary })
  if (progress.begins) writer.run(queries.beginResponse, { responseSeq: response_seq })
  if (progress.step === null) return
  writer.run(queries.addStep, { jobSeq: seq, body: progress.step })
  writer.run(queries.resetReruns, { seq })
}

type Finish = EncodedFinish & { readonly usage: readonly UsageRow[] }

export function finishJob(writer: Connection, lease: JobLease, finish: Finish): void {
  const { seq, response_seq: responseSeq } = ownedJob(writer, lease)
  addEvents(writer, responseSeq, finish.events)
  writer.run(queries.expireEventLog, { responseSeq, expiresAt: finish.logExpiresAt })
  const record = finish.keepsInput
    ? withStoredInput(finish.record, writer.get(queries.inputBytes, { responseSeq })?.bytes ?? 0)
    : finish.record
  endResponse(writer, record, finish.usage, finish.ending)
  writer.run(queries.unlockConversationOf, { seq })
  writer.run(queries.deleteJob, { seq })
}
