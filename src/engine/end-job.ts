/** Ends a job without a run: one that was cancelled while it waited, or that cannot be gone on with. */
import { seconds } from '../lib/clock.ts'
import { applyEvent } from '../protocol/apply-event.ts'
import { ApiError } from '../protocol/errors.ts'
import type { ResponseEvent } from '../protocol/events.ts'
import type { ResponseObject } from '../protocol/response.ts'
import { type JobLease, LeaseLost, type TakenJob } from '../store/job-store.ts'
import { closeOpenItems } from './close-open-items.ts'
import type { RunEnd } from './compose-events.ts'
import type { CreateDeps } from './create-deps.ts'
import { toApiError, toResponseError } from './model-failure.ts'
import { expiryOf } from './run-record.ts'
import { webhookEventOf } from './webhook-event.ts'

type UnrunEnd = Extract<RunEnd, { status: 'failed' | 'cancelled' }>

/** Does nothing when the job went to somebody else. */
export async function endJob(job: TakenJob, end: UnrunEnd, deps: CreateDeps): Promise<void> {
  const { lease } = job
  const told = job.keepsEvents ? await readLog(lease, deps) : []
  const closers = closeOpenItems(told)
  const all = [...told, ...closers]
  const response = endedResponse(job.response, all, end)
  const terminal = { type: 'response.failed', sequence_number: all.length, response } as const
  try {
    await deps.store.jobs.finish(lease, {
      response,
      input: null,
      expiresAt: expiryOf(lease.projectId, deps),
      usage: [],
      ending: { turn: null, claim: null, event: webhookEventOf(response, deps) },
      events: job.keepsEvents ? [...closers, terminal] : [],
      logExpiresAt: seconds(deps.clock) + deps.settings.background.logTtlSeconds,
    })
    deps.onWebhookEvent()
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error
  }
}

async function readLog({ projectId, responseId }: JobLease, { store }: CreateDeps): Promise<readonly ResponseEvent[]> {
  const log = store.forProject(projectId).events
  const events: ResponseEvent[] = []
  for (;;) {
    const page = await log.read(responseId, events.length - 1)
    if (page.type !== 'events' || page.events.length === 0) return events
    events.push(...page.events)
  }
}

function endedResponse(stored: ResponseObject, events: readonly ResponseEvent[], end: UnrunEnd): ResponseObject {
  let told: ResponseObject | null = null
  for (const event of events) told = applyEvent(told, event)
  const { output, output_text } = told ?? stored
  const error = end.status === 'failed' ? end.error : null
  return { ...stored, status: end.status, completed_at: null, error, output, output_text }
}

export function failedEnd(thrown: unknown): UnrunEnd {
  const cause = toApiError(thrown)
  return { status: 'failed', error: toResponseError(cause), cause }
}

export const CANNOT_GO_ON = (why: string): UnrunEnd =>
  failedEnd(new ApiError({ status: 500, code: 'server_error', message: why }))
