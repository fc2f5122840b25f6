/** Token counts of the Messages API -> `Usage`. */
import type { Usage } from '../../protocol/response.ts'
import { asFields } from '../upstream/fields.ts'
import { tokenCount, toUsage } from '../upstream/token-counts.ts'

export interface UsageCollector {
  /** Null until the provider has reported any. */
  usage(): Usage | null
  /** The `usage` of one event. */
  add(usage: unknown): void
}

const FIELDS = ['input_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens', 'output_tokens'] as const

/**
 * Counts come twice, at the start and at the end, and each is the whole so far; those who only copy this API send 0 in
 * one of the two places. So the larger counts.
 */
export function createUsageCollector(): UsageCollector {
  const counts = { input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 }
  let thinking = 0
  let reported = false
  return {
    /** Their `input_tokens` are those that came after the last cached one; ours are all of them. */
    usage() {
      if (!reported) return null
      const { cache_creation_input_tokens: cacheWrite, cache_read_input_tokens: cached } = counts
      const input = counts.input_tokens + cacheWrite + cached
      return toUsage({ input, cached, cacheWrite, output: counts.output_tokens, reasoning: thinking })
    },
    add(value) {
      const usage = asFields(value)
      if (!usage) return
      for (const name of FIELDS) {
        const tokens = tokenCount(usage[name])
        if (tokens === null) continue
        reported = true
        counts[name] = Math.max(counts[name], tokens)
      }
      thinking = Math.max(thinking, tokenCount(asFields(usage.output_tokens_details)?.thinking_tokens) ?? 0)
    },
  }
}
