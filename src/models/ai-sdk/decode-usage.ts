/** A package's token counts -> `Usage`. */
import type { Usage } from '../../protocol/response.ts'
import { asFields } from '../upstream/fields.ts'
import { tokenCount, toUsage } from '../upstream/token-counts.ts'

/** Null when the provider reported none. */
export function readUsage(reported: unknown): Usage | null {
  const usage = asFields(reported)
  const input = asFields(usage?.inputTokens)
  const output = asFields(usage?.outputTokens)
  const inputTotal = tokenCount(input?.total)
  const outputTotal = tokenCount(output?.total)
  if (inputTotal === null && outputTotal === null) return null
  return toUsage({
    input: inputTotal ?? 0,
    cached: tokenCount(input?.cacheRead) ?? 0,
    cacheWrite: tokenCount(input?.cacheWrite) ?? 0,
    output: outputTotal ?? 0,
    reasoning: tokenCount(output?.reasoning) ?? 0,
  })
}
