/** `usageMetadata` -> `Usage`. */
import type { Usage } from '../../protocol/response.ts'
import { asFields, type Fields } from '../upstream/fields.ts'
import { tokenCount, toUsage } from '../upstream/token-counts.ts'

/**
 * Null when the chunk holds none. Gemini counts three outputs apart that are one here: `candidatesTokenCount` is without
 * the thoughts, and what its own tools put into the prompt is in neither of the two prompt counts.
 */
export function readUsage(chunk: Fields): Usage | null {
  const usage = asFields(chunk.usageMetadata)
  const prompt = tokenCount(usage?.promptTokenCount)
  const total = tokenCount(usage?.totalTokenCount)
  if (!usage || (prompt === null && total === null)) return null
  const input = (prompt ?? 0) + (tokenCount(usage.toolUsePromptTokenCount) ?? 0)
  const reasoning = tokenCount(usage.thoughtsTokenCount) ?? 0
  const answer = tokenCount(usage.candidatesTokenCount) ?? Math.max(0, (total ?? 0) - input - reasoning)
  return toUsage({
    input,
    cached: tokenCount(usage.cachedContentTokenCount) ?? 0,
    cacheWrite: 0,
    output: answer + reasoning,
    reasoning,
  })
}
