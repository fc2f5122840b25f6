/** Log probabilities that look like a confident model's: the same for the same text, at most 0, summing to less than 1. */
import type { Logprob } from '../../protocol/content.ts'

const ALTERNATIVES = [
  ' the',
  ' a',
  '.',
  ',',
  ' and',
  ' of',
  ' to',
  ' in',
  ' is',
  ' it',
  '!',
  ' for',
  ' that',
  ' on',
  ' you',
  ' with',
  ' as',
  ' I',
  ' be',
  ' at',
  ' or',
  ' this',
]
const LEAST = 0.55
const DIGITS = 6

/** `alternatives`: entries of `top_logprobs`, the token itself first; `position`: of the token in its text. */
export function toLogprob(token: string, position: number, alternatives: number): Logprob {
  const hash = hashOf(token, position)
  const probability = LEAST + (1 - LEAST) * ((hash % 1000) / 1001)
  const own = { token, logprob: logOf(probability), bytes: bytesOf(token) }
  const others = ALTERNATIVES.filter((other) => other !== token)
  const top = Array.from({ length: Math.min(alternatives, others.length + 1) }, (_, rank) => {
    if (rank === 0) return own
    const other = others[(hash + rank) % others.length] ?? ' '
    return { token: other, logprob: logOf((1 - probability) * 0.5 ** rank), bytes: bytesOf(other) }
  })
  return { ...own, top_logprobs: top }
}

const logOf = (probability: number): number => Math.min(0, Number(Math.log(probability).toFixed(DIGITS)))
const bytesOf = (text: string): number[] => [...Buffer.from(text, 'utf8')]

function hashOf(text: string, position: number): number {
  let hash = 0x811c9dc5 ^ position
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}
