/** `reasoning` -> `thinkingConfig`, in the way each family has it. */
import type { ReasoningOptions } from '../../protocol/options.ts'
import { type Effort, nearestEffort } from '../upstream/nearest-effort.ts'
import type { Thinking } from './families.ts'

export type ThinkingConfig = {
  readonly thinkingLevel?: string
  readonly thinkingBudget?: number
  readonly includeThoughts?: true
}

/** The effort that is sent for the asked one; null where the family has none to choose. */
export function effortSent(asked: Effort, thinking: Thinking): Effort | null {
  if (thinking === null) return null
  const known = thinking.type === 'level' ? thinking.levels : effortsOf(thinking.budgets)
  // A model that always thinks, asked for none: its least is nearer to that than its own, higher default.
  return nearestEffort(asked, known) ?? known[0] ?? null
}

const effortsOf = (budgets: Readonly<Partial<Record<Effort, number>>>) => Object.keys(budgets) as Effort[]

/** Undefined where nothing is asked for or nothing can be said. */
export function encodeThinking({ effort, summary }: ReasoningOptions, thinking: Thinking): ThinkingConfig | undefined {
  if (thinking === null) return undefined
  const sent = effort === null ? null : effortSent(effort, thinking)
  const config: ThinkingConfig = {
    ...(sent !== null &&
      (thinking.type === 'level' ? { thinkingLevel: sent } : { thinkingBudget: thinking.budgets[sent] ?? 0 })),
    ...(summary !== null && sent !== 'none' ? { includeThoughts: true } : {}),
  }
  return Object.keys(config).length > 0 ? config : undefined
}
