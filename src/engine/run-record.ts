/** What is kept of a run when it has begun or ended. */
import { seconds } from '../lib/clock.ts'
import type { Item } from '../protocol/items.ts'
import type { ResponseObject, Usage } from '../protocol/response.ts'
import type { ResponseRecord } from '../store/store.ts'
import type { PlanDeps, RunPlan } from './plan-run.ts'
import { retentionOf } from './retention.ts'
import { roughUsage } from './usage-ledger.ts'

/**
 * One that continues from an unstored response has no row to stand on: it is kept as the first of its chain, with
 * everything before it as its own input.
 */
export function recordOf(plan: RunPlan, response: ResponseObject, deps: PlanDeps): ResponseRecord {
  const expiresAt = expiryOf(plan.store.projectId, deps)
  const carried = plan.carried(response.output)
  if (plan.fromMemory) {
    const first = { ...response, previous_response_id: null }
    return { response: first, input: [...(carried ?? plan.history), ...plan.input], expiresAt }
  }
  // The items of a conversation are read from there.
  return { response, input: plan.input, carried: response.conversation === null ? carried : null, expiresAt }
}

export function expiryOf(projectId: string, { clock, settings }: Pick<PlanDeps, 'clock' | 'settings'>): number | null {
  const { responseTtlSeconds } = retentionOf(projectId, settings)
  return responseTtlSeconds === null ? null : seconds(clock) + responseTtlSeconds
}

/** As the client is told, where the run came far enough to be counted by the tokenizer. */
export const estimateOf = (plan: RunPlan, response: ResponseObject): Usage =>
  response.usage ?? roughUsage(JSON.stringify(plan.turn.items).length, JSON.stringify(response.output).length)

/** Everything that a next turn continues from. */
export const contextAfter = ({ carried, history, input }: RunPlan, { output }: ResponseObject): readonly Item[] => [
  ...(carried(output) ?? history),
  ...input,
  ...output,
]
