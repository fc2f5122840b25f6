/**
 * Runs with a job, between the port's shapes and the values of rows, the same for both databases; and the names that wake
 * who waits for them. Whatever is encoded here is so before the transaction, which then holds nothing but statements.
 */
import type { ResponseEvent } from '../../protocol/events.ts'
import type { EventPage } from '../event-log.ts'
import type { FinishedJob, JobProgress, NewJob, TakenJob } from '../job-store.ts'
import { type EncodedEnding, type EncodedResponse, encodeEnding, encodeRecord } from './encode-record.ts'
import type { TakenRow } from './job-queries.ts'
import type { queries } from './queries.ts'
import { decodeResponse } from './response-codec.ts'

/** Under which name those wait who look for work; no project has an empty id. */
export const WORK = '\n'
export const nameOf = (projectId: string, responseId: string) => `${projectId}\n${responseId}`

/** Batches of one page: some of them may hold many events, most hold few. */
export const PAGE_BATCHES = 64

/** What a restore leaves of the requests of jobs, so that none of them is run a second time. */
export const TAKEN_OUT = ''
const toPayload = (stored: string): string | null => (stored === TAKEN_OUT ? null : stored)

export type EncodedEvents = { readonly last: number; readonly body: string } | null

function encodeEvents(events: readonly ResponseEvent[]): EncodedEvents {
  const last = events.at(-1)
  return last === undefined ? null : { last: last.sequence_number, body: JSON.stringify(events) }
}

export type EncodedJob = Omit<NewJob, 'record' | 'events'> & {
  readonly record: EncodedResponse
  readonly conversationId: string | null
  readonly events: EncodedEvents
  /** The last event that was told so far. */
  readonly boundary: number
  readonly maxQueued: number
  /** Milliseconds since the epoch. */
  readonly lockUntil: number
}

export function encodeJob(projectId: string, job: NewJob, maxQueued: number, now: number): EncodedJob {
  const events = encodeEvents(job.events)
  return {
    ...job,
    record: encodeRecord(projectId, job.record),
    conversationId: job.record.response.conversation?.id ?? null,
    events,
    boundary: events?.last ?? -1,
    maxQueued,
    lockUntil: now + (job.lock?.ttlMs ?? 0),
  }
}

export type EncodedProgress = Omit<JobProgress, 'events'> & { readonly events: EncodedEvents }

export const encodeProgress = (progress: JobProgress): EncodedProgress => ({
  ...progress,
  events: encodeEvents(progress.events),
})

export type EncodedFinish = {
  readonly record: EncodedResponse
  /** The input stays as it was stored when the response was queued. */
  readonly keepsInput: boolean
  readonly ending: EncodedEnding
  readonly events: EncodedEvents
  readonly logExpiresAt: number
}

/** Without the usage, which each database takes in another form. */
export function encodeFinish(projectId: string, finished: FinishedJob): EncodedFinish {
  const { usage: _, ending, events, logExpiresAt, input, ...record } = finished
  return {
    record: encodeRecord(projectId, { ...record, input: input ?? [] }),
    keepsInput: input === null,
    ending: encodeEnding(projectId, ending),
    events: encodeEvents(events),
    logExpiresAt,
  }
}

/** `storedBytes`: of the input that is in the store already and stays there. */
export const withStoredInput = (record: EncodedResponse, storedBytes: number): EncodedResponse => ({
  ...record,
  lengths: { ...record.lengths, inputs: Number.MAX_SAFE_INTEGER },
  row: { ...record.row, itemBytes: record.row.itemBytes + storedBytes },
})

/** Somebody was told what lies behind the boundary, so it cannot be taken back. */
export const wasSeen = ({ seen_past, boundary }: TakenRow) => seen_past !== null && seen_past >= boundary

type JobResponse = NonNullable<(typeof queries.readJobResponse)['row']>
type LiveJobResponse = JobResponse & { readonly status: Exclude<JobResponse['status'], 'deleted'> }

export const isLive = (row: JobResponse): row is LiveJobResponse => row.status !== 'deleted'

export const decodeTakenJob = (
  job: TakenRow,
  row: LiveJobResponse,
  steps: readonly { readonly body: string }[],
): TakenJob => ({
  lease: { projectId: row.project_id, responseId: row.id, token: job.token },
  response: decodeResponse({ ...row, output: null }),
  payload: toPayload(job.payload),
  keepsEvents: row.keeps_events === 1,
  lockToken: job.lock_token,
  boundary: job.boundary,
  steps: steps.map(({ body }) => body),
  reruns: job.reruns,
  wasSeen: wasSeen(job),
  isCancelled: job.cancel === 1,
  startedAt: job.started_at,
})

type Row = NonNullable<(typeof queries.readEvents)['row']>

export function toPage(rows: readonly Row[], after: number, now: number): EventPage {
  const [first] = rows
  if (first === undefined) return { type: 'unknown' }
  if (first.keeps_events === 0) return { type: 'not-kept' }
  if (first.expires_at !== null && first.expires_at <= now) return { type: 'expired' }
  const events = rows.flatMap(({ body }): ResponseEvent[] => (body === null ? [] : JSON.parse(body)))
  const { token, boundary, seen_past } = first
  const last = rows.at(-1)?.last ?? after
  const isUnsettled = token !== null && boundary !== null && last > boundary && (seen_past ?? -1) < boundary
  return {
    type: 'events',
    events: events.filter(({ sequence_number }) => sequence_number > after),
    isLast: token === null && rows.length < PAGE_BATCHES,
    unsettled: isUnsettled ? { token, boundary } : null,
  }
}
