/**
 * A response that runs without its client: planned here, so that whatever can be refused is refused now, and then put
 * into the queue as data (law 12). Nothing of the plan is kept; whoever takes the job makes it again.
 */
import { createSeededIds } from '../lib/ids.ts'
import { ApiError, badRequest } from '../protocol/errors.ts'
import type { CreateResponseRequest } from '../protocol/request.ts'
import type { ResponseObject } from '../protocol/response.ts'
import { EventComposer } from './compose-events.ts'
import type { ConversationLock } from './conversation-run.ts'
import type { CreateDeps } from './create-deps.ts'
import type { Caller, Run } from './engine.ts'
import type { Claimed } from './idempotency.ts'
import { type JobPayload, sealPayload } from './job-payload.ts'
import { planRun, type RunPlan } from './plan-run.ts'
import { replayEvents } from './replay-events.ts'
import { NO_REPORT } from './replay-response.ts'
import { recordOf } from './run-record.ts'
import type { EngineSettings } from './settings.ts'

/** A run keeps its conversation from when it is queued; should nobody ever end it, the lock ends by itself. */
const CONVERSATION_LOCK_MS = 24 * 3600 * 1000

type Held = { readonly claim: Claimed | null; readonly lock: ConversationLock | null }

export async function queueResponse(
  request: CreateResponseRequest,
  { claim, lock }: Held,
  caller: Caller,
  deps: CreateDeps,
): Promise<Run> {
  const store = deps.store.forProject(caller.principal.projectId)
  const { maxQueued } = deps.settings.background
  const seed = deps.ids.next('run')
  const ids = createSeededIds(seed)
  const plan = await planRun(request, caller, { ...deps, ids })
  const { response } = plan
  // Before an approval is used up in vain.
  if (await store.jobs.isFull(maxQueued)) throw queueFull(maxQueued)
  await plan.takeApprovals()
  const { keyId } = caller.principal
  const scope = { projectId: store.projectId, responseId: response.id }
  const payload: JobPayload = { request: pinned(request, plan), seed, keyId, requestId: caller.requestId }
  const composer = new EventComposer(response, deps)
  composer.begin()
  const result = await store.jobs.enqueue(
    {
      record: recordOf(plan, response, deps),
      payload: sealPayload(payload, scope, deps.sealedBox),
      keyId,
      events: composer.queued(),
      keepsEvents: request.stream === true,
      claim: claim && { key: claim.key, token: claim.lease.token, reply: { type: 'response', id: response.id } },
      lock: lock && { token: lock.token, ttlMs: CONVERSATION_LOCK_MS },
    },
    maxQueued,
  )
  if (result === 'full') throw queueFull(maxQueued)
  claim?.lease.settle()
  lock?.settle()
  const { provider, upstreamModel } = plan.resolved
  const report = () => ({ ...NO_REPORT, provider, upstreamModel })
  return { ...queuedRun(response, caller, deps), warnings: plan.warnings, report }
}

/** The prompt in the version that was shown, which may not be its default one any more when the run begins. */
const pinned = (request: CreateResponseRequest, { response: { prompt } }: RunPlan): CreateResponseRequest =>
  request.prompt && prompt ? { ...request, prompt: { ...request.prompt, version: prompt.version } } : request

/** The answer to an earlier request with the same key: the response as it is now, or its events from the first on. */
export function queuedAgain(response: ResponseObject, caller: Caller, deps: CreateDeps): Run {
  return { ...queuedRun(response, caller, deps), warnings: [], replayed: true, report: () => NO_REPORT }
}

const queuedRun = (response: ResponseObject, caller: Caller, deps: CreateDeps) => ({
  responseId: response.id,
  queued: response,
  events: replayEvents({
    log: deps.store.forProject(caller.principal.projectId).events,
    responseId: response.id,
    after: -1,
    clock: deps.clock,
    signal: caller.signal,
    detached: deps.detached,
  }),
})

/** What is not stored cannot be asked for again, and nobody would wait for it. */
export function refuseUnstored(
  { background, store }: CreateResponseRequest,
  { storeByDefault }: Pick<EngineSettings, 'storeByDefault'>,
): void {
  if (!background || (store ?? storeByDefault)) return
  throw badRequest(
    'store',
    'invalid_value',
    "Background mode requires 'store' to be true. Set 'store': true, or leave 'background' out.",
  )
}

const queueFull = (maxQueued: number) =>
  new ApiError({
    status: 429,
    type: 'requests',
    code: 'rate_limit_exceeded',
    message:
      `Too many background responses: this project has ${maxQueued} of them waiting already. Wait for one to begin, ` +
      'or cancel some, and send the request again.',
    headers: { 'retry-after': '5', 'x-should-retry': 'true' },
  })
