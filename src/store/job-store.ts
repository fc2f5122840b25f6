/**
 * PORT: runs that go on without their client, as data: whoever takes one can make its plan again (law 12).
 *
 * A run is cut into steps: one call of the model or of a tool. What a step gave is kept until the run ends, so that
 * another owner goes on behind it. Events up to the *boundary* follow from the steps that are kept; what is written
 * behind it is taken back when the owner dies, unless somebody has seen it.
 *
 * The laws, held by `store-jobs.contract.ts` for every adapter:
 * - A job has at most one owner. Each taking gives a higher token, and what comes with an older one is refused with
 *   `LeaseLost` and writes nothing, however late it comes (law 13).
 * - The terminal state, its event, the end of the job and everything of `ending` are one transaction (laws 2 and 6).
 *   The lock of its conversation ends with it. Whatever else belongs to the end of a run is one more field of
 *   `FinishedJob`.
 * - A response is queued with its job, its first events and the end of its idempotency key, or not at all.
 */
import type { ResponseEvent } from '../protocol/events.ts'
import type { ResponseObject } from '../protocol/response.ts'
import type { ClaimEnd } from './idempotency-store.ts'
import type { ResponseRecord, RunEnding, UsageRow } from './records.ts'

/** The work of all projects, for whoever does it. */
export interface JobStore {
  /** The job that waits longest of the key and the project that run least; null when there is none to be had. */
  take(wanted: TakeJob): Promise<TakenJob | null>
  /** Puts the end of the lease `leaseMs` from now. `cancel`: it is held, and the run is to end. */
  heartbeat(lease: JobLease, leaseMs: number): Promise<'held' | 'cancel' | 'lost'>
  /** Gives the job back, so that somebody goes on with it at once. Does nothing when the lease was lost. */
  release(lease: JobLease): Promise<void>
  write(lease: JobLease, progress: JobProgress): Promise<void>
  finish(lease: JobLease, finished: FinishedJob): Promise<void>
  /** Resolves when there may be something to take; perhaps never, when another process brings it. */
  wakeUp(): Promise<void>
}

/** The same for the requests of one project. */
export interface ProjectJobs {
  /** False while the project may queue one more. */
  isFull(maxQueued: number): Promise<boolean>
  enqueue(job: NewJob, maxQueued: number): Promise<'queued' | 'full'>
  /** `waiting`: nobody works on it. `none`: the response has ended, or was never queued. */
  requestCancel(responseId: string): Promise<'waiting' | 'running' | 'none'>
}

export type JobLease = {
  readonly projectId: string
  readonly responseId: string
  readonly token: number
}

export type NewJob = {
  /** The response is `queued`. */
  readonly record: ResponseRecord
  /** What a plan is made from; sealed, because it may hold secrets. Gone when the run ends. */
  readonly payload: string
  readonly keyId: string
  /** Those told so far; the last one is the boundary. */
  readonly events: readonly ResponseEvent[]
  /** Whether the events of this run are kept for its readers. */
  readonly keepsEvents: boolean
  readonly claim: ClaimEnd | null
  /** The lock of the conversation of the response: from now on it holds for `ttlMs`, or until the run ends. */
  readonly lock: { readonly token: string; readonly ttlMs: number } | null
}

export type TakeJob = {
  readonly leaseMs: number
  /** Jobs of one project that may have an owner at once; one that is to be cancelled is always given. */
  readonly perProject: number
  /** This one alone, whatever else runs. */
  readonly only?: { readonly projectId: string; readonly responseId: string }
}

export type TakenJob = {
  readonly lease: JobLease
  /** As it was stored last, without output. */
  readonly response: ResponseObject
  /** Null: it came out of a backup, and nobody knows how far the run has gone since. */
  readonly payload: string | null
  readonly keepsEvents: boolean
  /** Of the conversation; null without one. */
  readonly lockToken: string | null
  readonly boundary: number
  /** In the order in which they were written. */
  readonly steps: readonly string[]
  /** How many owners died since the last step was kept. */
  readonly reruns: number
  /** Events behind the boundary were told to somebody, so they are still there; all others were taken back. */
  readonly wasSeen: boolean
  readonly isCancelled: boolean
  /** When it was taken first, in milliseconds since the epoch. */
  readonly startedAt: number
}

export type JobProgress = {
  /** In the order of their numbers, which follow those before. */
  readonly events: readonly ResponseEvent[]
  /** Never lower than before. */
  readonly boundary: number
  /** What is to be kept of a step. */
  readonly step: string | null
  /** The response is in progress from now on. */
  readonly begins: boolean
}

export type FinishedJob = Omit<ResponseRecord, 'input'> & {
  /** Null: as it was stored when the response was queued. */
  readonly input: ResponseRecord['input'] | null
  readonly usage: readonly UsageRow[]
  readonly ending: RunEnding
  /** What is not yet in the log; the terminal event is the last one. */
  readonly events: readonly ResponseEvent[]
  /** Until when the log is kept; seconds since the epoch. */
  readonly logExpiresAt: number
}

/** Somebody else owns the job, or it is over. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost'

  constructor(responseId: string) {
    super(`the run of '${responseId}' belongs to somebody else, or is over`)
  }
}
