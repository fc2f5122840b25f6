/**
 * Prompt caching as clients see it: how much of a prompt was seen before. Nothing is computed faster by it.
 *
 * A prompt is cut into blocks of 32 tokens; each block is known by a hash of itself and all before it. So a repeat is
 * found, a longer conversation finds its beginning, and a change in the middle ends the match there.
 */
import { createLruMap } from '../../lib/lru-map.ts'

const BLOCK_TOKENS = 32
/** 65,536 blocks are 2 million tokens and about 5 MB. */
const MAX_BLOCKS = 65_536

export interface PromptCache {
  /** Tokens of the prompt that were known and that are known from now on. `scope`: who shares a cache. */
  visit(scope: string, tokens: readonly number[]): { readonly cached: number; readonly written: number }
}

export function createPromptCache(): PromptCache {
  const blocks = createLruMap<number, true>(MAX_BLOCKS)
  return {
    visit(scope, tokens) {
      let [high, low] = seed(scope)
      let cached = 0
      let written = 0
      for (let end = BLOCK_TOKENS; end <= tokens.length; end += BLOCK_TOKENS) {
        for (let at = end - BLOCK_TOKENS; at < end; at++) {
          high = mix(high, tokens[at] ?? 0)
          low = mix(low ^ 0x5bd1e995, (tokens[at] ?? 0) + at)
        }
        const key = (high >>> 5) * 2 ** 26 + (low >>> 6)
        if (written === 0 && blocks.get(key)) cached += BLOCK_TOKENS
        else written += BLOCK_TOKENS
        blocks.set(key, true)
      }
      return { cached, written }
    },
  }
}

function seed(scope: string): [number, number] {
  let [high, low] = [0x811c9dc5, 0x2545f491]
  for (let at = 0; at < scope.length; at++) {
    high = mix(high, scope.charCodeAt(at))
    low = mix(low, scope.charCodeAt(at) + at)
  }
  return [high, low]
}

function mix(hash: number, value: number): number {
  const mixed = Math.imul(hash ^ value, 0x9e3779b1)
  return mixed ^ (mixed >>> 15)
}
