/** Use case: a window becomes a shorter one that says the same. Nothing is stored; the client keeps the window. */
import { seconds } from '../lib/clock.ts'
import type { ModelAttempt } from '../models/model.ts'
import type { CompactedResponse, CompactRequest } from '../protocol/compact.ts'
import { badRequest } from '../protocol/errors.ts'
import { ITEM_ID_PREFIX } from '../protocol/items.ts'
import { keptMessages } from './compaction-window.ts'
import { type CreateDeps, withWallClock } from './create-response.ts'
import type { Caller, Compacted } from './engine.ts'
import { toApiError } from './model-failure.ts'
import { NOTHING_TO_COMPACT, planRun, type RunPlan } from './plan-run.ts'
import { endOfFailure } from './run-response.ts'
import { createUsageLedger, roughUsage } from './usage-ledger.ts'

export async function compactResponse(request: CompactRequest, caller: Caller, deps: CreateDeps): Promise<Compacted> {
  const release = deps.slots.take(caller.principal.projectId)
  try {
    const plan = await planRun({ ...request, input: request.input ?? [], store: false }, caller, deps)
    if (plan.turn.items.length === 0) throw badRequest('input', 'invalid_value', NOTHING_TO_COMPACT)
    const made = await summarised(plan, caller, deps)
    return { response: toResponse(plan, made, deps), warnings: plan.warnings }
  } finally {
    release()
  }
}

async function summarised(plan: RunPlan, caller: Caller, deps: CreateDeps) {
  const ledger = createUsageLedger(deps)
  const limits = withWallClock(caller.signal, deps.settings.wallClockMs, deps.clock)
  const onAttempt = (attempt: ModelAttempt) => {
    ledger.add(attempt)
    deps.telemetry.modelAttempted({ requestId: caller.requestId, attempt })
  }
  try {
    return await plan.compaction.compact(plan.turn, { signal: limits.signal, onAttempt })
  } catch (error) {
    const end = endOfFailure(error, limits.signal)
    throw end.status === 'failed' ? end.cause : toApiError(error)
  } finally {
    limits.dispose()
    const estimate = () => roughUsage(JSON.stringify(plan.turn.items).length, 0)
    const rows = ledger.rows(plan.response, caller.principal.keyId, estimate)
    if (rows.length > 0) {
      plan.store
        .recordUsage(rows)
        .catch((error) => deps.telemetry.failed({ requestId: caller.requestId, where: 'record-usage', error }))
    }
  }
}

function toResponse(
  plan: RunPlan,
  made: Awaited<ReturnType<typeof summarised>>,
  { clock, ids }: CreateDeps,
): CompactedResponse {
  const { keptBytes } = plan.compaction.rule
  const kept = keptMessages(plan.shown, keptBytes)
  const id = ids.next(ITEM_ID_PREFIX.compaction)
  return {
    id: plan.response.id,
    object: 'response.compaction',
    created_at: seconds(clock),
    output: [...kept, { id, type: 'compaction', encrypted_content: made.encryptedContent }],
    usage: made.usage,
  }
}
