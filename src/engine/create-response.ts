/** Use case: plan the run or refuse it, then hand back its events, wrapped in the taps. */
import { seconds } from '../lib/clock.ts'
import type { EmbedderCatalog } from '../models/embedder.ts'
import type { TakenRoute } from '../models/model.ts'
import type { PriceBook } from '../models/price-book.ts'
import type { Item } from '../protocol/items.ts'
import type { CreateResponseRequest } from '../protocol/request.ts'
import type { ResponseObject, Usage } from '../protocol/response.ts'
import type { ResponseRecord } from '../store/store.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { toFailedEnd } from './compose-events.ts'
import { type ConversationLock, lockConversation, turnOf } from './conversation-run.ts'
import type { Caller, Run } from './engine.ts'
import { type Claimed, claimKey, endOfRun, readResponse } from './idempotency.ts'
import type { LateWrites } from './late-writes.ts'
import type { Lease } from './lease.ts'
import { toApiError, toResponseError } from './model-failure.ts'
import type { OpenCalls } from './open-calls.ts'
import { type PlanDeps, planRun, type RunPlan } from './plan-run.ts'
import { type Recorder, recordEvents } from './record-events.ts'
import { replayRun } from './replay-response.ts'
import { refuseKept, retentionOf } from './retention.ts'
import { createRouteLog } from './route-log.ts'
import { openRunContext } from './run-context.ts'
import type { TerminalEvent } from './run-event.ts'
import { runResponse } from './run-response.ts'
import type { RunSlots } from './run-slots.ts'
import { createUsageLedger, roughUsage, textChars, type UsageLedger } from './usage-ledger.ts'
import { webhookEventOf } from './webhook-event.ts'

export type CreateDeps = PlanDeps & {
  readonly telemetry: Telemetry
  readonly slots: RunSlots
  readonly lateWrites: LateWrites
  readonly prices: PriceBook
  readonly embedders: EmbedderCatalog
  readonly openCalls: OpenCalls
  /** Told when receivers of webhooks have something to be told. */
  readonly onWebhookEvent: () => void
}

const ENDPOINT = 'POST /v1/responses'

/** Turns a plan into events; what `runResponse` promises holds for each. */
export type RunSource = typeof runResponse

export async function createResponse(
  request: CreateResponseRequest,
  caller: Caller,
  deps: CreateDeps,
  source: RunSource = runResponse,
): Promise<Run> {
  // Before a key is claimed or a conversation is locked, which are writes.
  refuseKept(request, caller, deps.settings)
  const release = deps.slots.take(caller.principal.projectId)
  const held: Lease[] = []
  try {
    const startedAt = deps.clock.monotonic()
    const claim = await claimKey(ENDPOINT, caller, deps)
    if (claim?.type === 'replay') {
      const response = await readResponse(claim.reply, caller, deps)
      release()
      return replayRun(response)
    }
    if (claim) held.push(claim.lease)
    const lock = await lockConversation(request, caller, deps)
    if (lock) held.push(lock)
    const plan = await planRun(request, caller, deps)
    if (source === runResponse) await plan.takeApprovals()
    // A streamed run writes its row before `response.created` leaves; a JSON run writes once, at its end.
    if (plan.response.store && request.stream) await plan.store.startResponse(recordOf(plan, plan.response, deps))
    const leases = { claim, lock, held }
    return startRun({ plan, caller, deps, source, startedAt, release, leases, stream: request.stream ?? false })
  } catch (error) {
    await giveBack(held)
    release()
    throw error
  }
}

/** What the run holds of the store until it ends. */
type RunLeases = {
  readonly claim: Claimed | null
  readonly lock: ConversationLock | null
  readonly held: readonly Lease[]
}

/** Each reports its own failure. */
async function giveBack(held: readonly Lease[]): Promise<void> {
  for (const lease of held.toReversed()) await lease[Symbol.asyncDispose]()
}

type RunParts = {
  readonly plan: RunPlan
  readonly caller: Caller
  readonly deps: CreateDeps
  readonly source: RunSource
  /** Monotonic milliseconds. */
  readonly startedAt: number
  /** Gives the run's slot back. */
  readonly release: () => void
  readonly leases: RunLeases
  readonly stream: boolean
}

/** The run and its taps. Nothing happens before the first batch is asked for. */
function startRun(parts: RunParts): Run {
  const { plan, caller, deps, startedAt } = parts
  const context = openRunContext(openLedger(plan, caller, deps), caller, deps)
  const { ledger } = context
  const { requestId } = caller
  const { provider } = plan.resolved
  for (const param of plan.unsupportedParams) deps.telemetry.unsupportedParam({ requestId, param, provider })
  const routes = createRouteLog(plan)
  const onRoute = (route: TakenRoute) => {
    routes.add(route)
    context.model.onRoute?.(route)
  }
  const events = parts.source(plan, { ...context.model, onRoute }, deps)
  const report = () => ({
    ...routes.report(),
    attempts: ledger.attempts.length,
    upstreamRequestId: ledger.attempts.at(-1)?.upstreamRequestId ?? null,
    overheadMs: deps.clock.monotonic() - startedAt - upstreamMs(ledger),
    costUsd: ledger.costUsd(),
  })
  const onEnd = (event: TerminalEvent) => {
    context.dispose()
    parts.release()
    // Has nothing to do when the end of the run is on disk.
    void giveBack(parts.leases.held)
    deps.telemetry.responseFinished({
      requestId: caller.requestId,
      responseId: plan.response.id,
      model: plan.response.model,
      provider: report().provider,
      status: event.response.status,
      stream: parts.stream,
      durationMs: deps.clock.monotonic() - startedAt,
      overheadMs: report().overheadMs,
      firstTokenMs: ledger.attempts.at(-1)?.firstEventMs ?? null,
      usage: event.response.usage,
      costUsd: ledger.costUsd(),
    })
  }
  return {
    responseId: plan.response.id,
    events: recordEvents(events, { ...createRecorder({ plan, ledger, caller, deps, leases: parts.leases }), onEnd }),
    warnings: plan.warnings,
    report,
  }
}

/** The ledger of a run of this plan. */
export const openLedger = (plan: RunPlan, { principal, requestId }: Caller, deps: CreateDeps): UsageLedger =>
  createUsageLedger(deps, {
    store: plan.store,
    responseId: plan.response.id,
    keyId: principal.keyId,
    requestId,
    estimateInput: () => roughUsage(textChars(plan.turn.items) + (plan.turn.instructions?.length ?? 0), 0),
  })

/**
 * What is kept of a run. One that continues from an unstored response has no row to stand on: it is kept as the first
 * of its chain, with everything before it as its own input.
 */
function recordOf(plan: RunPlan, response: ResponseObject, deps: CreateDeps): ResponseRecord {
  const expiresAt = expiryOf(plan, deps)
  const carried = plan.carried(response.output)
  if (plan.fromMemory) {
    const first = { ...response, previous_response_id: null }
    return { response: first, input: [...(carried ?? plan.history), ...plan.input], expiresAt }
  }
  // The items of a conversation are read from there.
  return { response, input: plan.input, carried: response.conversation === null ? carried : null, expiresAt }
}

const upstreamMs = (ledger: UsageLedger) => ledger.attempts.reduce((sum, attempt) => sum + attempt.durationMs, 0)

function expiryOf({ store }: RunPlan, { clock, settings }: CreateDeps): number | null {
  const { responseTtlSeconds } = retentionOf(store.projectId, settings)
  return responseTtlSeconds === null ? null : seconds(clock) + responseTtlSeconds
}

type RecorderParts = {
  readonly plan: RunPlan
  readonly ledger: UsageLedger
  readonly caller: Caller
  readonly deps: CreateDeps
  readonly leases: RunLeases
}

/**
 * Terminal state, items, usage, the turn of the conversation and the reply of the key in one transaction; of a response
 * that is not stored and holds nothing only the usage rows, which nobody waits for.
 */
function createRecorder({ plan, ledger, caller, deps, leases }: RecorderParts): Omit<Recorder, 'onEnd'> {
  const { store } = plan
  const { claim, lock } = leases
  return {
    onLost: failureReporter(deps.telemetry, caller.requestId, 'record-response'),
    async finish(event) {
      const { response } = event
      const rows = await ledger.close(() => estimateOf(plan, response))
      const ending = {
        turn: lock && turnOf(lock, plan.input, response),
        claim: claim && endOfRun(claim, response, caller, deps),
        event: webhookEventOf(response, deps),
      }
      try {
        if (response.store) await store.finishResponse(recordOf(plan, response, deps), rows, ending)
        else if (lock || claim) await store.finishUnstored(rows, ending)
        else if (rows.length > 0) {
          const onFailure = failureReporter(deps.telemetry, caller.requestId, 'record-usage')
          store.recordUsage(rows).catch(onFailure)
        }
      } catch (error) {
        const unkept = recordOf(plan, withoutOutput(event, error), deps)
        deps.lateWrites.add(() => (response.store ? store.finishResponse(unkept, rows) : store.recordUsage(rows)))
        throw error
      }
      if (ending.event) deps.onWebhookEvent()
      claim?.lease.settle()
      lock?.settle()
      // A chain cannot continue from a response of a conversation, so there is nothing to keep ready.
      if (response.conversation !== null) return
      if (response.store) deps.cache.set(store.projectId, response.id, contextAfter(plan, response))
      else if (canContinueFrom(response)) caller.memory?.put(response.id, contextAfter(plan, response))
    },
  }
}

/** Everything that a next turn continues from. */
const contextAfter = ({ carried, history, input }: RunPlan, { output }: ResponseObject): readonly Item[] => [
  ...(carried(output) ?? history),
  ...input,
  ...output,
]

/** Made out here so that what it is handed to does not hold the whole run in memory while it waits. */
const failureReporter = (telemetry: Telemetry, requestId: string, where: string) => (error: unknown) =>
  telemetry.failed({ requestId, where, error })

/** What is kept of an end that the storage would not take: that it failed, and why. */
function withoutOutput(event: TerminalEvent, error: unknown): ResponseObject {
  const cause = toApiError(error)
  return { ...toFailedEnd(event, toResponseError(cause), cause).response, output: [], output_text: '' }
}

const canContinueFrom = ({ status }: ResponseObject) => status === 'completed' || status === 'incomplete'

/** As the client is told, where the run came far enough to be counted by the tokenizer. */
const estimateOf = (plan: RunPlan, response: ResponseObject): Usage =>
  response.usage ?? roughUsage(JSON.stringify(plan.turn.items).length, JSON.stringify(response.output).length)
