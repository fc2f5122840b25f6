/**
 * The embeddings of the demo: no language model, and it does not pretend to be one. A text becomes the counts of its
 * words and of their letters in threes, hashed into a vector of fixed length. Texts that share words, or parts of words,
 * lie near each other; texts that mean the same in other words do not.
 */
import type { Clock } from '../../lib/clock.ts'
import { loadTokenizer } from '../../lib/tokenizer.ts'
import { yieldToEventLoop } from '../../lib/yield-to-event-loop.ts'
import { plainUsage } from '../../protocol/usage.ts'
import type { Embedder, EmbedInput } from '../embedder.ts'
import { type ModelAttempt, ModelError } from '../model.ts'

export const DEMO_EMBEDDER = 'demo-embedding'
export const DEMO_DIMENSIONS = 256
const MAX_INPUT_TOKENS = 8192
const MAX_INPUTS = 2048
const PROVIDER = 'demo'
/** Inputs between two turns of other requests. */
const INPUTS_PER_TURN = 16

const WORD = /[\p{L}\p{N}]+/gu
const WORD_WEIGHT = 1
const LETTERS_WEIGHT = 0.35
const LETTERS = 3

export function createDemoEmbedder({ clock }: { readonly clock: Clock }): Embedder {
  return {
    limits: { dimensions: DEMO_DIMENSIONS, maxInputs: MAX_INPUTS, maxInputTokens: MAX_INPUT_TOKENS },
    async embed({ model, inputs, dimensions }, context) {
      const started = clock.monotonic()
      context.onCall?.({ provider: PROVIDER, model })
      const tell = (outcome: ModelAttempt['outcome'], tokens: number | null) => {
        const durationMs = clock.monotonic() - started
        const usage = tokens === null ? null : plainUsage(tokens, 0)
        const firstEventMs = tokens === null ? null : durationMs
        const fixed = { provider: PROVIDER, model, status: null, upstreamRequestId: null }
        context.onAttempt?.({ ...fixed, outcome, usage, durationMs, firstEventMs })
      }
      try {
        const length = checkDimensions(dimensions)
        const { count } = await loadTokenizer()
        const tokens = countInputs(inputs, count)
        const vectors: number[][] = []
        for (const [at, input] of inputs.entries()) {
          if (at % INPUTS_PER_TURN === 0) await yieldToEventLoop()
          if (context.signal.aborted) throw new ModelError('aborted', 'The call was aborted.', { provider: PROVIDER })
          vectors.push(embedOne(input, length))
        }
        tell('completed', tokens)
        return { vectors, usage: plainUsage(tokens, 0) }
      } catch (error) {
        tell(error instanceof ModelError && error.kind === 'aborted' ? 'aborted' : 'failed', null)
        throw error
      }
    },
  }
}

function checkDimensions(dimensions: number | null): number {
  if (dimensions === null || dimensions <= DEMO_DIMENSIONS) return dimensions ?? DEMO_DIMENSIONS
  const message = `This model makes embeddings of at most ${DEMO_DIMENSIONS} dimensions, not ${dimensions}.`
  throw new ModelError('invalid_request', message, { param: 'dimensions', status: 400, provider: PROVIDER })
}

function countInputs(inputs: readonly EmbedInput[], count: (text: string) => number): number {
  let total = 0
  for (const [at, input] of inputs.entries()) {
    const tokens = typeof input === 'string' ? count(input) : input.length
    total += tokens
    if (tokens <= MAX_INPUT_TOKENS) continue
    const message = `Input ${at} has ${tokens} tokens; this model takes at most ${MAX_INPUT_TOKENS}.`
    throw new ModelError('context_length', message, { param: 'input', status: 400, provider: PROVIDER })
  }
  return total
}

/** Of length 1, so that the product of two vectors is the cosine of their angle. */
function embedOne(input: EmbedInput, length: number): number[] {
  const vector = new Array<number>(length).fill(0)
  const add = (feature: string, weight: number) => {
    const hash = hashOf(feature)
    const at = hash % length
    // The sign lets features that fall on the same place cancel out instead of adding up.
    vector[at] = (vector[at] ?? 0) + (hash & SIGN_BIT ? -weight : weight)
  }
  addFeatures(input, add)
  const size = Math.hypot(...vector)
  if (size > 0) return vector.map((value) => value / size)
  vector[0] = 1
  return vector
}

function addFeatures(input: EmbedInput, add: (feature: string, weight: number) => void): void {
  // Tokens of another tokenizer cannot be read as text here: they are words of their own.
  if (typeof input !== 'string') {
    for (const token of input) add(`#${token}`, WORD_WEIGHT)
    return
  }
  for (const [word] of input.normalize('NFKC').toLowerCase().matchAll(WORD)) {
    add(word, WORD_WEIGHT)
    const marked = `^${word}$`
    for (let at = 0; at + LETTERS <= marked.length; at++) add(marked.slice(at, at + LETTERS), LETTERS_WEIGHT)
  }
}

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193
const SIGN_BIT = 0x40000000

/** FNV-1a over UTF-16 units: 32 bits, the same everywhere, with its bits stirred once more at the end. */
function hashOf(text: string): number {
  let hash = FNV_OFFSET
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), FNV_PRIME)
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}
