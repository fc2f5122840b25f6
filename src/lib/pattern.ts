/**
 * Regular expressions from strangers: sample a text that matches, or test one, in bounded time.
 *
 * The platform's engine backtracks, so a pattern and a text that both come from a request could block the process.
 * Here a pattern is a set-to-set function on positions; the work is at most pattern times text, and has a limit.
 */
import { isWordCode, type PatternNode, parsePattern } from './pattern-syntax.ts'

export interface Pattern {
  /** False also where the text is over 4,096 characters or the work over its limit. */
  matches(text: string): boolean
  /** Where a match that begins exactly at `at` may end, in UTF-16 units. Empty where the limits are passed. */
  endsFrom(text: string, at: number): ReadonlySet<number>
  /** A matching text with a length (in characters) inside the bounds, or null when none was found. Deterministic. */
  sample(minLength?: number, maxLength?: number): string | null
  /** Different matching texts, up to about a hundred. */
  samples(minLength?: number, maxLength?: number): Iterable<string>
}

const MAX_TEXT_CHARS = 4096
const MAX_STEPS = 400_000
const MAX_SAMPLE_CHARS = 16_384
const MAX_VARIANTS = 96
/** Tried when the pattern asserts things a sampler cannot aim at, for example "one digit and one capital somewhere". */
const GUESSES = ['Aa1!', 'Ab1-', 'a1', 'A1', 'abc', 'ABC', '123', 'Example-1!', 'x']

/** Null when the pattern uses what is not covered: back references, look-behind. Matches anywhere, like JSON Schema. */
export function compilePattern(source: string): Pattern | null {
  const node = parsePattern(source)
  return node && toPattern(node)
}

function toPattern(node: PatternNode): Pattern {
  const matches = (text: string) => search(node, text)
  function* samples(minLength = 0, maxLength = Number.POSITIVE_INFINITY): Generator<string> {
    const seen = new Set<string>()
    for (const text of variants(node, minLength)) {
      const { length } = [...text]
      if (seen.has(text) || length < minLength || length > maxLength) continue
      seen.add(text)
      if (length > MAX_TEXT_CHARS || matches(text)) yield text
    }
  }
  return {
    matches,
    endsFrom(text, at) {
      if (text.length > MAX_TEXT_CHARS) return new Set()
      const matching: Matching = { codes: [...text].map((char) => char.codePointAt(0) ?? 0), steps: MAX_STEPS }
      const offsets = unitOffsets(matching.codes)
      const ends = advance(node, new Set([offsets.indexOf(at)].filter((start) => start >= 0)), matching)
      return matching.steps > 0 ? new Set([...ends].map((end) => offsets[end] ?? text.length)) : new Set()
    },
    samples,
    sample(minLength, maxLength) {
      for (const text of samples(minLength, maxLength)) return text
      return null
    },
  }
}

function* variants(node: PatternNode, minLength: number): Generator<string> {
  for (let variant = 0; variant < MAX_VARIANTS; variant++) {
    // Every third variant stretches its repetitions to the asked length; the others grow slowly.
    const stretch = variant % 3 === 2 ? Math.max(0, minLength - Math.floor(variant / 3)) : Math.floor(variant / 3)
    const text = sampleNode(node, { variant, stretch, room: { chars: MAX_SAMPLE_CHARS } })
    yield text
    if (text.length < minLength) yield padTo(text, minLength)
  }
  for (const guess of GUESSES) {
    yield guess
    for (const length of [minLength, 8, 12, 16, 20]) {
      if (length > guess.length) yield guess.repeat(Math.ceil(length / guess.length)).slice(0, length)
    }
  }
}

/** An unanchored pattern may stand anywhere in a longer text. */
const padTo = (text: string, length: number) => text + (text.at(-1) ?? 'a').repeat(length - [...text].length)

type Sampling = { readonly variant: number; readonly stretch: number; readonly room: { chars: number } }

function sampleNode(node: PatternNode, sampling: Sampling): string {
  if (sampling.room.chars <= 0) return ''
  switch (node.type) {
    case 'assert':
    case 'look':
      return ''
    case 'set': {
      sampling.room.chars--
      const code = node.members[(sampling.variant % 7) % Math.max(1, node.members.length)]
      return code === undefined ? '' : String.fromCodePoint(code)
    }
    case 'choice': {
      const chosen = node.nodes[sampling.variant % node.nodes.length]
      return chosen ? sampleNode(chosen, sampling) : ''
    }
    case 'sequence':
      return node.nodes.map((child) => sampleNode(child, sampling)).join('')
    case 'repeat':
      return sampleRepeat(node, sampling)
  }
}

function sampleRepeat(node: Extract<PatternNode, { type: 'repeat' }>, sampling: Sampling): string {
  // An open repetition reads better with one element than with none.
  const wanted = sampling.variant < 3 ? Math.max(node.min, 1) : node.min
  const count = Math.min(node.max, Math.max(wanted, node.min + sampling.stretch))
  let text = ''
  for (let index = 0; index < count && sampling.room.chars > 0; index++) text += sampleNode(node.node, sampling)
  return text
}

/** `steps`: what is left of the work that may be done; below 1 the answers are worth nothing. */
export type Matching = { readonly codes: readonly number[]; steps: number }

/** Where a match that begins at character `at` may end, in characters. */
export const endsOfPattern = (node: PatternNode, at: number, matching: Matching): ReadonlySet<number> =>
  advance(node, new Set([at]), matching)

function search(node: PatternNode, text: string): boolean {
  if (text.length > MAX_TEXT_CHARS * 2) return false
  const codes = [...text].map((char) => char.codePointAt(0) ?? 0)
  if (codes.length > MAX_TEXT_CHARS) return false
  const anywhere = new Set(Array.from({ length: codes.length + 1 }, (_, index) => index))
  const matching: Matching = { codes, steps: MAX_STEPS }
  const ends = advance(node, anywhere, matching)
  return matching.steps > 0 && ends.size > 0
}

/** Where each character begins in the string, and where the last one ends. */
function unitOffsets(codes: readonly number[]): number[] {
  const offsets = [0]
  for (const code of codes) offsets.push((offsets.at(-1) ?? 0) + (code > 0xffff ? 2 : 1))
  return offsets
}

/** The positions where a match of `node` that began at one of `starts` may end. */
function advance(node: PatternNode, starts: ReadonlySet<number>, matching: Matching): Set<number> {
  matching.steps -= starts.size + 1
  if (matching.steps <= 0 || starts.size === 0) return new Set()
  switch (node.type) {
    case 'set':
      return new Set([...starts].filter((at) => holds(node, matching.codes[at])).map((at) => at + 1))
    case 'assert':
      return new Set([...starts].filter((at) => isAt(node.kind, at, matching.codes)))
    case 'look':
      return new Set([...starts].filter((at) => advance(node.node, new Set([at]), matching).size > 0 !== node.negative))
    case 'choice':
      return new Set(node.nodes.flatMap((child) => [...advance(child, starts, matching)]))
    case 'sequence':
      return node.nodes.reduce((ends: Set<number>, child) => advance(child, ends, matching), new Set(starts))
    case 'repeat':
      return advanceRepeat(node, starts, matching)
  }
}

const holds = (node: Extract<PatternNode, { type: 'set' }>, code: number | undefined) =>
  code !== undefined && node.has(code)

function isAt(kind: 'start' | 'end' | 'word' | 'not-word', at: number, codes: readonly number[]): boolean {
  if (kind === 'start') return at === 0
  if (kind === 'end') return at === codes.length
  const isWord = (code: number | undefined) => code !== undefined && isWordCode(code)
  return (isWord(codes[at - 1]) !== isWord(codes[at])) === (kind === 'word')
}

function advanceRepeat(
  node: Extract<PatternNode, { type: 'repeat' }>,
  starts: ReadonlySet<number>,
  matching: Matching,
): Set<number> {
  let ends = new Set(starts)
  for (let count = 0; count < node.min && ends.size > 0; count++) ends = advance(node.node, ends, matching)
  const all = new Set(ends)
  for (let count = node.min; count < node.max && ends.size > 0; count++) {
    const reached = advance(node.node, ends, matching)
    // Invariant: only new positions go on, so an open repetition ends after at most one round per position.
    ends = new Set([...reached].filter((at) => !all.has(at)))
    for (const at of ends) all.add(at)
  }
  return all
}
