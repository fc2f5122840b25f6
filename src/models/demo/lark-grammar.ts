/** Texts and Lark grammars: does a text fit, and if none does, one that fits. Both with a limit on the work. */
import { compilePattern } from '../../lib/pattern.ts'
import { type LarkGrammar, type LarkNode, parseLark } from './lark-syntax.ts'

const MAX_DEPTH = 60
const MAX_STEPS = 100_000
const MAX_TEXT_CHARS = 4000
const MAX_SAMPLE_CHARS = 8000

/** The first of `wanted` that the grammar allows, else a sample made with them; null when the grammar is not understood. */
export function fitLark(definition: string, wanted: readonly string[]): string | null {
  const grammar = parseLark(definition)
  if (!grammar) return null
  return wanted.find((text) => matchesLark(grammar, text)) ?? sampleLark(grammar, wanted)
}

// ---- matching -------------------------------------------------------------------------------------------------

type Matching = {
  readonly grammar: LarkGrammar
  readonly text: string
  /** Rule and position -> where it may end. An entry in the making is empty, which ends left recursion. */
  readonly known: Map<string, ReadonlySet<number>>
  readonly steps: { left: number }
}

export function matchesLark(grammar: LarkGrammar, text: string): boolean {
  if (text.length > MAX_TEXT_CHARS) return false
  const matching: Matching = { grammar, text, known: new Map(), steps: { left: MAX_STEPS } }
  const ends = endsOf({ type: 'rule', name: 'start' }, 0, matching, 0)
  return matching.steps.left > 0 && [...ends].some((end) => [...skip(end, matching, 0)].includes(text.length))
}

function endsOf(node: LarkNode, at: number, matching: Matching, depth: number): ReadonlySet<number> {
  if (--matching.steps.left <= 0 || depth > MAX_DEPTH * 4) return new Set()
  switch (node.type) {
    case 'literal':
      return new Set(
        starts(at, matching, depth)
          .filter((start) => matching.text.startsWith(node.text, start))
          .map((start) => start + node.text.length),
      )
    case 'pattern': {
      const pattern = compilePattern(node.source)
      return new Set(
        starts(at, matching, depth).flatMap((start) => [...(pattern?.endsFrom(matching.text, start) ?? [])]),
      )
    }
    case 'choice':
      return new Set(node.nodes.flatMap((child) => [...endsOf(child, at, matching, depth + 1)]))
    case 'sequence': {
      let ends: ReadonlySet<number> = new Set([at])
      for (const child of node.nodes) ends = step(child, ends, matching, depth)
      return ends
    }
    case 'repeat':
      return repeated(node, at, matching, depth)
    case 'rule':
      return endsOfRule(node.name, at, matching, depth)
  }
}

const step = (node: LarkNode, starts: ReadonlySet<number>, matching: Matching, depth: number): Set<number> =>
  new Set([...starts].flatMap((start) => [...endsOf(node, start, matching, depth + 1)]))

function repeated(
  { node, min, max }: Extract<LarkNode, { type: 'repeat' }>,
  at: number,
  matching: Matching,
  depth: number,
) {
  let ends = new Set([at])
  const all = new Set(min === 0 ? [at] : [])
  for (let count = 1; count <= max && ends.size > 0 && matching.steps.left > 0; count++) {
    ends = new Set([...step(node, ends, matching, depth)].filter((end) => !all.has(end)))
    if (count >= min) for (const end of ends) all.add(end)
  }
  return all
}

function endsOfRule(name: string, at: number, matching: Matching, depth: number): ReadonlySet<number> {
  const key = `${name} ${at}`
  const found = matching.known.get(key)
  if (found) return found
  const node = matching.grammar.rules.get(name)
  if (!node) return new Set()
  // Invariant: a left-recursive rule sees its own earlier result; it is evaluated again until that stops growing.
  let ends: ReadonlySet<number> = new Set()
  for (;;) {
    matching.known.set(key, ends)
    const next = endsOf(node, at, matching, depth + 1)
    if (next.size <= ends.size) return ends
    ends = next
  }
}

const starts = (at: number, matching: Matching, depth: number): number[] => [...skip(at, matching, depth)]

/** Where a terminal may begin: here, or after what the grammar ignores. */
function skip(at: number, matching: Matching, depth: number): Set<number> {
  const places = new Set([at])
  const { grammar, text } = matching
  for (const place of places) {
    if (depth > MAX_DEPTH) break
    for (const node of grammar.ignored) {
      for (const end of endsOf(
        node,
        place,
        { ...matching, grammar: { ...grammar, ignored: [] }, known: new Map(), text },
        depth + 1,
      ))
        places.add(end)
    }
  }
  return places
}

// ---- sampling -------------------------------------------------------------------------------------------------

type Sampling = { readonly grammar: LarkGrammar; readonly wanted: readonly string[]; readonly used: Set<string> }

function sampleLark(grammar: LarkGrammar, wanted: readonly string[]): string | null {
  const text = sampleNode({ type: 'rule', name: 'start' }, { grammar, wanted, used: new Set() }, '', 0)
  return text !== null && text.length <= MAX_SAMPLE_CHARS ? text : null
}

/** `rule`: the one that is being written, whose name may tell what a terminal stands for. */
function sampleNode(node: LarkNode, sampling: Sampling, rule: string, depth: number): string | null {
  if (depth > MAX_DEPTH) return null
  switch (node.type) {
    case 'literal':
      return node.text
    case 'pattern':
      return samplePattern(node.source, sampling, rule)
    case 'choice':
      for (const child of node.nodes) {
        const text = sampleNode(child, sampling, rule, depth + 1)
        if (text !== null) return text
      }
      return null
    case 'sequence': {
      const parts = node.nodes.map((child) => sampleNode(child, sampling, rule, depth + 1))
      return parts.every((part) => part !== null) ? parts.join('') : null
    }
    case 'repeat': {
      const parts = Array.from({ length: Math.min(node.min, MAX_SAMPLE_CHARS) }, () =>
        sampleNode(node.node, sampling, rule, depth + 1),
      )
      return parts.every((part) => part !== null) ? parts.join('') : null
    }
    case 'rule': {
      const body = sampling.grammar.rules.get(node.name)
      return body ? sampleNode(body, sampling, node.name, depth + 1) : null
    }
  }
}

function samplePattern(source: string, { wanted, used }: Sampling, rule: string): string | null {
  const pattern = compilePattern(`^(?:${source})$`)
  if (!pattern) return null
  const usual = /file|path/i.test(rule) ? ['example.txt'] : []
  const isFile = (text: string) => /^[\w./-]+\.\w+$/.test(text)
  const preferred = usual.length > 0 ? wanted.filter(isFile) : wanted.filter((text) => !text.includes('\n'))
  const fitting = [...preferred, ...usual].find((text) => !used.has(text) && pattern.matches(text))
  if (fitting !== undefined) used.add(fitting)
  return fitting ?? pattern.sample()
}
