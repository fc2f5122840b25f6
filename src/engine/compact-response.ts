/** Use case: a window becomes a shorter one that says the same. The window is not stored; the client keeps it. */
import { seconds } from '../lib/clock.ts'
import type { CompactedResponse, CompactRequest } from '../protocol/compact.ts'
import { badRequest } from '../protocol/errors.ts'
import { ITEM_ID_PREFIX } from '../protocol/items.ts'
import type { EndClaim } from '../store/idempotency-store.ts'
import type { UsageRow } from '../store/store.ts'
import type { CompactedTurn } from './compaction.ts'
import { keptMessages } from './compaction-window.ts'
import type { CreateDeps } from './create-deps.ts'
import type { Caller, Compacted } from './engine.ts'
import { once } from './idempotency.ts'
import { toApiError } from './model-failure.ts'
import { NOTHING_TO_COMPACT, planRun, type RunPlan } from './plan-run.ts'
import { openRunContext } from './run-context.ts'
import { endOfFailure } from './run-response.ts'
import { openLedger } from './start-run.ts'
import { roughUsage, type UsageLedger } from './usage-ledger.ts'

const ENDPOINT = 'POST /v1/responses/compact'

export async function compactResponse(request: CompactRequest, caller: Caller, deps: CreateDeps): Promise<Compacted> {
  const release = deps.slots.take(caller.principal.projectId)
  try {
    return await once<Compacted>(ENDPOINT, caller, deps, async (endClaim) => {
      const plan = await planRun({ ...request, input: request.input ?? [], store: false }, caller, deps)
      if (plan.turn.items.length === 0) throw badRequest('input', 'invalid_value', NOTHING_TO_COMPACT)
      return compact(plan, caller, deps, endClaim)
    })
  } finally {
    release()
  }
}

async function compact(
  plan: RunPlan,
  caller: Caller,
  deps: CreateDeps,
  endClaim: EndClaim<Compacted>,
): Promise<Compacted> {
  const context = openRunContext(openLedger(plan, caller, deps), caller, deps)
  const rows = () => usageRows(plan, context.ledger)
  try {
    const made = await plan.compaction.compact(plan.turn, context.model)
    const compacted = { response: toResponse(plan, made, deps), warnings: plan.warnings }
    const claim = endClaim(compacted)
    if (claim) await plan.store.finishUnstored(await rows(), { turn: null, claim })
    else recordUsage(plan, await rows(), caller, deps)
    return compacted
  } catch (error) {
    recordUsage(plan, await rows(), caller, deps)
    const end = endOfFailure(error, context.model.signal)
    throw end.status === 'failed' ? end.cause : toApiError(error)
  } finally {
    context.dispose()
  }
}

const usageRows = (plan: RunPlan, ledger: UsageLedger) =>
  ledger.close(() => roughUsage(JSON.stringify(plan.turn.items).length, 0))

/** Nobody waits for it. */
function recordUsage({ store }: RunPlan, rows: readonly UsageRow[], caller: Caller, deps: CreateDeps): void {
  if (rows.length === 0) return
  store
    .recordUsage(rows)
    .catch((error) => deps.telemetry.failed({ requestId: caller.requestId, where: 'record-usage', error }))
}

function toResponse(plan: RunPlan, made: CompactedTurn, { clock, ids }: CreateDeps): CompactedResponse {
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
