/** Use case: what a request's input would cost, without asking a model for anything. */
import type { CountInputTokensRequest } from '../protocol/request.ts'
import type { Caller } from './engine.ts'
import { type PlanDeps, planRun } from './plan-run.ts'

export async function countInputTokens(
  request: CountInputTokensRequest,
  caller: Caller,
  deps: PlanDeps,
): Promise<number> {
  const { personality: _, ...context } = request
  const plan = await planRun({ ...context, store: false }, caller, deps)
  return plan.resolved.model.countInputTokens(plan.turn, { signal: caller.signal })
}
