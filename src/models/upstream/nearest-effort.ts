/** Providers know fewer efforts than the API names. */
import { EFFORTS } from '../../protocol/options.ts'

export type Effort = (typeof EFFORTS)[number]

/** The asked effort, or the nearest lower one that is known, or the lowest; null: nothing to send. */
export function nearestEffort(asked: Effort, known: readonly Effort[]): Effort | null {
  const rank = (effort: Effort) => EFFORTS.indexOf(effort)
  const lower = known.filter((effort) => rank(effort) <= rank(asked)).sort((a, b) => rank(b) - rank(a))
  if (lower[0]) return lower[0]
  // Asked for none at all, and the provider cannot: sending its lowest would be a guess against the caller's word.
  return asked === 'none' ? null : (known[0] ?? null)
}
