/**
 * Use case: works on a background run, from its beginning or from where another process left it.
 *
 * The plan is made again from the stored request, and the loop is the one of every run; what it asks of the outside is
 * answered by the journal as far as it was asked before. Only events that nobody has been told of are written.
 */
import { seconds } from '../lib/clock.ts'
import { createSeededIds, type Ids } from '../lib/ids.ts'
import type { ResponseObject } from '../protocol/response.ts'
import type { ConversationTurn } from '../store/conversation-store.ts'
import { LeaseLost, type TakenJob } from '../store/job-store.ts'
import { toFailedEnd } from './compose-events.ts'
import { turnItemsOf } from './conversation-run.ts'
import type { CreateDeps } from './create-deps.ts'
import { CANNOT_GO_ON, endJob, failedEnd } from './end-job.ts'
import { type Caller, type JobControl, RunAbort } from './engine.ts'
import { createHeldAbort } from './hold-abort.ts'
import { type JobPayload, openPayload } from './job-payload.ts'
import { toApiError, toResponseError } from './model-failure.ts'
import { planRun, type RunPlan } from './plan-run.ts'
import type { TerminalEvent } from './run-event.ts'
import { createRunLog, type RunLog } from './run-log.ts'
import { contextAfter, estimateOf, recordOf } from './run-record.ts'
import { runResponse } from './run-response.ts'
import { type RunParts, startRun } from './start-run.ts'
import type { UsageLedger } from './usage-ledger.ts'
import { webhookEventOf } from './webhook-event.ts'
import { withJournal } from './with-journal.ts'

/** Owners that may die in the same step before it is given up: it may well be the step that kills them. */
export const MAX_RERUNS = 2

export async function runJob(job: TakenJob, control: JobControl, deps: CreateDeps): Promise<void> {
  const { signal } = control.abort
  const leave = deps.ownRuns.add(job.lease.responseId, (reason) => control.abort.abort(reason))
  try {
    if (job.isCancelled) return await endJob(job, { status: 'cancelled' }, deps)
    if (job.payload === null) return await endJob(job, CANNOT_GO_ON(FROM_BACKUP), deps)
    const payload = openPayload(job.payload, job.lease, deps.sealedBox)
    if (payload === null) return await endJob(job, CANNOT_GO_ON(UNREADABLE), deps)
    if (job.wasSeen) return await endJob(job, CANNOT_GO_ON(CUT_OFF), deps)
    if (job.reruns > MAX_RERUNS) return await endJob(job, CANNOT_GO_ON(TOO_OFTEN), deps)
    await runPlanned(job, payload, control, deps)
  } catch (error) {
    if (isLetGo(signal)) return
    deps.telemetry.failed({ requestId: null, where: 'run-job', error })
  } finally {
    leave()
  }
}

async function runPlanned(job: TakenJob, payload: JobPayload, control: JobControl, deps: CreateDeps): Promise<void> {
  const { signal } = control.abort
  const log = createRunLog({
    jobs: deps.store.jobs,
    lease: job.lease,
    boundary: job.boundary,
    keepsEvents: job.keepsEvents,
    ticks: deps.flushTicks,
    onLost(error) {
      if (!(error instanceof LeaseLost)) deps.telemetry.failed({ requestId: null, where: 'run-log', error })
      control.abort.abort(new RunAbort('let-go'))
    },
  })
  const onPause = async (settled: Promise<void>) => {
    if (!control.isPausing()) return
    await settled
    control.abort.abort(new RunAbort('let-go'))
  }
  const steps = job.steps.map((step) => JSON.parse(step))
  const ids = createSeededIds(payload.seed)
  // Also a wall clock that is over when the run is taken.
  const abort = createHeldAbort()
  const own = withJournal({ ...deps, ids }, { steps, log, onBegin: abort.release, onPause })
  const caller = callerOf(job, payload, signal)
  const plan = await planAgain(job, payload, caller, own)
  if (plan === null) return
  const run = startRun({
    plan,
    caller,
    deps: ofAttempt(own, deps.ids, job.startedAt),
    source: (of, context) => runResponse(of, { ...context, signal: abort.hold(context.signal) }, own),
    startedAt: deps.clock.monotonic(),
    stream: job.keepsEvents,
    background: true,
    recorder: (ledger) => createRecorder({ job, plan, ledger, log, signal, deps }),
    onOver() {},
  })
  // The sink of a background run: readers are served from the log.
  for await (const _ of run.events);
}

/** Rows of the ledger are of one attempt, so their ids must not come again; the time of the run is counted from its first. */
function ofAttempt(deps: CreateDeps, ids: Ids, startedAt: number): CreateDeps {
  const left = deps.settings.wallClockMs - (deps.clock.now() - startedAt)
  return { ...deps, ids, settings: { ...deps.settings, wallClockMs: Math.max(0, left) } }
}

const callerOf = (job: TakenJob, { keyId, requestId }: JobPayload, signal: AbortSignal): Caller => ({
  principal: { projectId: job.lease.projectId, keyId, scopes: new Set() },
  requestId,
  signal,
})

/** Null when it could not be made, and the response has ended with that. */
async function planAgain(
  job: TakenJob,
  { request }: JobPayload,
  caller: Caller,
  deps: CreateDeps,
): Promise<RunPlan | null> {
  try {
    const plan = await planRun(request, caller, deps)
    return { ...plan, response: { ...job.response, status: 'queued' } }
  } catch (error) {
    if (caller.signal.aborted) throw error
    await endJob(job, failedEnd(error), deps)
    return null
  }
}

type RecorderParts = {
  readonly job: TakenJob
  readonly plan: RunPlan
  readonly ledger: UsageLedger
  readonly log: RunLog
  readonly signal: AbortSignal
  readonly deps: CreateDeps
}

function createRecorder(parts: RecorderParts): ReturnType<RunParts['recorder']> {
  const { job, plan, ledger, log, signal, deps } = parts
  const { store } = plan
  const failed = (where: string) => (error: unknown) => deps.telemetry.failed({ requestId: null, where, error })
  const leave = async (): Promise<'left'> => {
    const rows = await ledger.close(() => estimateOf(plan, plan.response))
    if (rows.length > 0) store.recordUsage(rows).catch(failed('record-usage'))
    return 'left'
  }
  return {
    // How the loop ends what it has open here is told to nobody: it is open where the run goes on.
    keep: (batch) => (isLetGo(signal) ? null : log.add(batch)),
    onLost: failed('record-response'),
    async finish(event) {
      if (isLetGo(signal)) return leave()
      const usage = await ledger.close(() => estimateOf(plan, event.response))
      try {
        await log.finish(event, finishedOf(event, usage, parts))
      } catch (error) {
        if (error instanceof LeaseLost) return leave()
        const cause = toApiError(error)
        const end = toFailedEnd(event, toResponseError(cause), cause)
        deps.lateWrites.add(() => log.finish(end, finishedOf(end, usage, parts)).catch(unlessLost))
        throw error
      }
      deps.onWebhookEvent()
      if (event.response.conversation === null)
        deps.cache.set(store.projectId, job.lease.responseId, contextAfter(plan, event.response))
      return 'kept'
    },
  }
}

const unlessLost = (error: unknown) => {
  if (!(error instanceof LeaseLost)) throw error
}

const isLetGo = ({ aborted, reason }: AbortSignal) => aborted && reason instanceof RunAbort && reason.kind === 'let-go'

function finishedOf(
  { response }: TerminalEvent,
  usage: Awaited<ReturnType<UsageLedger['close']>>,
  { job, plan, deps }: RecorderParts,
) {
  return {
    ...recordOf(plan, response, deps),
    usage,
    ending: { turn: turnOfJob(response, job, plan), claim: null, event: webhookEventOf(response, deps) },
    logExpiresAt: seconds(deps.clock) + deps.settings.background.logTtlSeconds,
  }
}

/** Null where nothing enters a conversation; its lock ends with the job. */
function turnOfJob(response: ResponseObject, { lockToken: token }: TakenJob, plan: RunPlan): ConversationTurn | null {
  if (response.conversation === null || token === null) return null
  const items = turnItemsOf(plan.input, response)
  return items.length > 0 ? { conversationId: response.conversation.id, token, items } : null
}

const UNREADABLE = 'The key that this request was sealed with is gone, so it cannot be run. Send it again.'
const FROM_BACKUP =
  'This response was not over when the backup was made that this server was restored from. It is not run again, ' +
  'because its tools may have been called since. Send the request again.'
const CUT_OFF =
  'The server stopped while this response was streamed, and what was told cannot be taken back. Send the request again.'
const TOO_OFTEN = `The server stopped ${MAX_RERUNS + 1} times in the same step of this response, so it was given up.`
