/** `usage` of a Response -> `Usage`. Null when it holds none. */
import type { Usage } from '../../protocol/response.ts'
import { asFields } from '../upstream/fields.ts'
import { tokenCount, toUsage } from '../upstream/token-counts.ts'

export function readUsage(value: unknown): Usage | null {
  const usage = asFields(value)
  const input = tokenCount(usage?.input_tokens)
  const output = tokenCount(usage?.output_tokens)
  if (!usage || (input === null && output === null)) return null
  const inputDetails = asFields(usage.input_tokens_details)
  return toUsage({
    input: input ?? 0,
    cached: tokenCount(inputDetails?.cached_tokens) ?? 0,
    cacheWrite: tokenCount(inputDetails?.cache_write_tokens) ?? 0,
    output: output ?? 0,
    reasoning: tokenCount(asFields(usage.output_tokens_details)?.reasoning_tokens) ?? 0,
  })
}
