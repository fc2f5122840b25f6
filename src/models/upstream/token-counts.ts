/** Numbers that providers report -> `Usage`, whatever they report. */
import type { Usage } from '../../protocol/response.ts'
import { asNumber } from './fields.ts'

/** More than any model reads or writes: a larger number is no count, and the ledger could not hold the sum of many. */
const MAX_TOKENS = 1e12

/** The first of them that is a count. */
export const tokenCount = (...values: readonly unknown[]): number | null => {
  for (const value of values) {
    const number = asNumber(value)
    if (number !== null && number >= 0 && number <= MAX_TOKENS) return Math.floor(number)
  }
  return null
}

export type TokenCounts = {
  readonly input: number
  readonly cached: number
  readonly cacheWrite: number
  readonly output: number
  readonly reasoning: number
}

/** Invariant: input + output = total, and no part is more than its whole. */
export const toUsage = ({ input, cached, cacheWrite, output, reasoning }: TokenCounts): Usage => ({
  input_tokens: input,
  input_tokens_details: { cached_tokens: Math.min(cached, input), cache_write_tokens: Math.min(cacheWrite, input) },
  output_tokens: output,
  output_tokens_details: { reasoning_tokens: Math.min(reasoning, output) },
  total_tokens: input + output,
})
