/** Vendors' token counts -> `Usage`. */
import type { Usage } from '../../protocol/response.ts'
import { asFields, type Fields } from '../upstream/fields.ts'
import { tokenCount as count, toUsage as makeUsage } from '../upstream/token-counts.ts'

/** Null when the chunk holds none. Groq, Moonshot and llama.cpp have places of their own for it. */
export function readUsage(chunk: Fields, choice: Fields | null): Usage | null {
  const usage = asFields(chunk.usage) ?? asFields(choice?.usage) ?? asFields(asFields(chunk.x_groq)?.usage)
  if (usage) return toUsage(usage)
  const timings = asFields(chunk.timings)
  return timings ? fromTimings(timings) : null
}

/**
 * Invariant: input + output = total. Some vendors leave the reasoning tokens out of `completion_tokens` and count them
 * only in the total: the difference is output.
 */
function toUsage(usage: Fields): Usage | null {
  const input = count(usage.prompt_tokens, usage.input_tokens)
  const completion = count(usage.completion_tokens, usage.output_tokens)
  const stated = count(usage.total_tokens)
  if (input === null && completion === null && stated === null) return null
  const inputTokens = input ?? Math.max(0, (stated ?? 0) - (completion ?? 0))
  const extra = Math.max(0, (stated ?? 0) - inputTokens - (completion ?? 0))
  const inputDetails = asFields(usage.prompt_tokens_details) ?? asFields(usage.input_tokens_details)
  const outputDetails = asFields(usage.completion_tokens_details) ?? asFields(usage.output_tokens_details)
  return makeUsage({
    input: inputTokens,
    cached: count(inputDetails?.cached_tokens, usage.prompt_cache_hit_tokens, usage.cached_tokens) ?? 0,
    cacheWrite: count(inputDetails?.cache_write_tokens, usage.cache_creation_input_tokens) ?? 0,
    output: (completion ?? 0) + extra,
    reasoning: Math.max(
      count(outputDetails?.reasoning_tokens, usage.reasoning_tokens) ?? 0,
      completion === null ? 0 : extra,
    ),
  })
}

/** llama.cpp's own counts, in every reply even when no usage was asked for. */
function fromTimings(timings: Fields): Usage | null {
  const prompt = count(timings.prompt_n)
  const output = count(timings.predicted_n)
  if (prompt === null || output === null) return null
  const cached = count(timings.cache_n) ?? 0
  return makeUsage({ input: prompt + cached, cached, cacheWrite: 0, output, reasoning: 0 })
}
