/** Use case: plan the run or refuse it, then hand back its events, wrapped in the taps; or put it into the queue. */
import type { CreateResponseRequest } from '../protocol/request.ts'
import type { ResponseObject } from '../protocol/response.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { toFailedEnd } from './compose-events.ts'
import { type ConversationLock, lockConversation, turnOf } from './conversation-run.ts'
import type { CreateDeps } from './create-deps.ts'
import type { Caller, Run } from './engine.ts'
import { type Claimed, claimKey, endOfRun, readResponse } from './idempotency.ts'
import type { Lease } from './lease.ts'
import { toApiError, toResponseError } from './model-failure.ts'
import { planRun, type RunPlan } from './plan-run.ts'
import { queuedAgain, queueResponse, refuseUnstored } from './queue-response.ts'
import { replayRun } from './replay-response.ts'
import { refuseKept } from './retention.ts'
import type { TerminalEvent } from './run-event.ts'
import { contextAfter, estimateOf, recordOf } from './run-record.ts'
import { runResponse } from './run-response.ts'
import { type RunParts, type RunSource, startRun } from './start-run.ts'
import type { UsageLedger } from './usage-ledger.ts'

const ENDPOINT = 'POST /v1/responses'

export async function createResponse(
  request: CreateResponseRequest,
  caller: Caller,
  deps: CreateDeps,
  source: RunSource = runResponse,
): Promise<Run> {
  // Before a key is claimed or a conversation is locked, which are writes.
  refuseKept(request, caller, deps.settings)
  refuseUnstored(request, deps.settings)
  const release = deps.slots.take(caller.principal.projectId)
  const held: Lease[] = []
  try {
    const startedAt = deps.clock.monotonic()
    const claim = await claimKey(ENDPOINT, caller, deps)
    if (claim?.type === 'replay') {
      const response = await readResponse(claim.reply, caller, deps)
      release()
      return response.background ? queuedAgain(response, caller, deps) : replayRun(response)
    }
    if (claim) held.push(claim.lease)
    const lock = await lockConversation(request, caller, deps)
    if (lock) held.push(lock)
    if (request.background) {
      const run = await queueResponse(request, { claim, lock }, caller, deps)
      release()
      return run
    }
    const plan = await planRun(request, caller, deps)
    if (source === runResponse) await plan.takeApprovals()
    // A streamed run writes its row before `response.created` leaves; a JSON run writes once, at its end.
    if (plan.response.store && request.stream) await plan.store.startResponse(recordOf(plan, plan.response, deps))
    const leases = { claim, lock, held }
    const parts = { plan, caller, deps, source, startedAt, background: false, stream: request.stream ?? false }
    return startForeground(parts, leases, release)
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

const startForeground = (parts: Omit<RunParts, 'recorder' | 'onOver'>, leases: RunLeases, release: () => void) =>
  startRun({
    ...parts,
    recorder: (ledger) => createRecorder({ ...parts, ledger, leases }),
    onOver() {
      release()
      // Has nothing to do when the end of the run is on disk.
      void giveBack(leases.held)
    },
  })

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
function createRecorder({ plan, ledger, caller, deps, leases }: RecorderParts): ReturnType<RunParts['recorder']> {
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
      claim?.lease.settle()
      lock?.settle()
      // A chain cannot continue from a response of a conversation, so there is nothing to keep ready.
      if (response.conversation !== null) return 'kept'
      if (response.store) deps.cache.set(store.projectId, response.id, contextAfter(plan, response))
      else if (canContinueFrom(response)) caller.memory?.put(response.id, contextAfter(plan, response))
      return 'kept'
    },
  }
}

/** Made out here so that what it is handed to does not hold the whole run in memory while it waits. */
const failureReporter = (telemetry: Telemetry, requestId: string, where: string) => (error: unknown) =>
  telemetry.failed({ requestId, where, error })

/** What is kept of an end that the storage would not take: that it failed, and why. */
function withoutOutput(event: TerminalEvent, error: unknown): ResponseObject {
  const cause = toApiError(error)
  return { ...toFailedEnd(event, toResponseError(cause), cause).response, output: [], output_text: '' }
}

const canContinueFrom = ({ status }: ResponseObject) => status === 'completed' || status === 'incomplete'
