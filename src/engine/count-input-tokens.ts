/** Use case: what a request's input would cost, without asking a model for anything. */
import type { ModelCatalog } from '../models/catalog.ts'
import type { CountInputTokensRequest } from '../protocol/request.ts'
import type { Caller } from './engine.ts'
import { type IdempotencyDeps, once } from './idempotency.ts'
import { toApiError } from './model-failure.ts'
import { type PlanDeps, planRun, type RunPlan } from './plan-run.ts'

const ENDPOINT = 'POST /v1/responses/input_tokens'

type Counted = { readonly tokens: number }

export async function countInputTokens(
  request: CountInputTokensRequest,
  caller: Caller,
  deps: PlanDeps & IdempotencyDeps,
): Promise<number> {
  const { personality: _, ...context } = request
  const { tokens } = await once<Counted>(ENDPOINT, caller, deps, async (endClaim) => {
    const plan = await planRun({ ...context, store: false }, caller, { ...deps, catalog: withoutChoice(deps.catalog) })
    const counted = { tokens: await count(plan, caller) }
    const claim = endClaim(counted)
    if (claim) await plan.store.finishUnstored([], { turn: null, claim })
    return counted
  })
  return tokens
}

async function count({ resolved, turn }: RunPlan, { signal }: Caller): Promise<number> {
  try {
    return await resolved.model.countInputTokens(turn, { signal })
  } catch (error) {
    throw toApiError(error)
  }
}

/** Nothing is asked, so no deployment is chosen and no limit of one can refuse it. */
const withoutChoice = (catalog: ModelCatalog): ModelCatalog => ({
  ...catalog,
  async resolve(name) {
    const resolved = await catalog.resolve(name)
    return resolved && { ...resolved, choose: undefined }
  },
})
