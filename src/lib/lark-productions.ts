/** A grammar's tree as plain productions over symbols, which is what a chart parser works on. */
import { isTerminalName, type LarkGrammar, type LarkNode } from './lark-node.ts'
import { type PatternNode, parsePattern } from './pattern-syntax.ts'
import { fromRustRegex } from './rust-regex.ts'

/** A number is a nonterminal. */
export type GrammarSymbol = number | Terminal
export type Terminal =
  | { readonly type: 'literal'; readonly codes: readonly number[]; readonly ignoreCase: boolean }
  | { readonly type: 'pattern'; readonly node: PatternNode }

export type Productions = {
  readonly start: number
  /** Nonterminal -> its alternatives. */
  readonly alternatives: readonly (readonly (readonly GrammarSymbol[])[])[]
  /** Nonterminals that may stand for nothing. */
  readonly nullable: ReadonlySet<number>
}

const MAX_PRODUCTIONS = 20_000
/** Rules that lead to rules that lead to rules. */
const MAX_RULE_DEPTH = 300

/** Null when an expression in it cannot be translated, or a repetition makes it too large. */
export function toProductions(grammar: LarkGrammar): Productions | null {
  try {
    return build(grammar)
  } catch (error) {
    if (error instanceof Unbuildable) return null
    throw error
  }
}

class Unbuildable extends Error {
  override readonly name = 'Unbuildable'
}

function build({ rules, ignored }: LarkGrammar): Productions {
  const alternatives: (readonly (readonly GrammarSymbol[])[])[] = []
  const named = new Map<string, number>()
  let count = 0
  let depth = 0

  const reserve = (): number => alternatives.push([]) - 1
  const define = (id: number, options: readonly (readonly GrammarSymbol[])[]): number => {
    count += options.length
    if (count > MAX_PRODUCTIONS) throw new Unbuildable('too large')
    alternatives[id] = options
    return id
  }
  const add = (...options: readonly (readonly GrammarSymbol[])[]) => define(reserve(), options)
  /** `inTerminal`: nothing is ignored between the parts of a terminal. */
  const symbolOf = (node: LarkNode, inTerminal: boolean): GrammarSymbol => {
    switch (node.type) {
      case 'literal':
        return spaced(literal(node), inTerminal)
      case 'pattern':
        return spaced(pattern(node.source), inTerminal)
      case 'rule':
        return ruleSymbol(node.name, inTerminal)
      case 'choice':
        return add(...node.nodes.map((child) => [symbolOf(child, inTerminal)]))
      case 'sequence':
        return add(node.nodes.map((child) => symbolOf(child, inTerminal)))
      case 'repeat':
        return repeat(symbolOf(node.node, inTerminal), node.min, node.max)
    }
  }
  const repeat = (symbol: GrammarSymbol, min: number, max: number): number => {
    if (max < min || min > MAX_PRODUCTIONS) throw new Unbuildable('bounds')
    const needed = Array.from({ length: min }, () => symbol)
    if (max === Number.POSITIVE_INFINITY) {
      const more = reserve()
      define(more, [[], [more, symbol]])
      return add([...needed, more])
    }
    if (max > MAX_PRODUCTIONS) throw new Unbuildable('bounds')
    let optional: number | null = null
    for (let left = max - min; left > 0; left -= 1)
      optional = add([], optional === null ? [symbol] : [symbol, optional])
    return add(optional === null ? needed : [...needed, optional])
  }
  const ruleSymbol = (name: string, inTerminal: boolean): GrammarSymbol => {
    const terminal = isTerminalName(name)
    const key = terminal ? name : `${inTerminal}:${name}`
    const known = named.get(key)
    if (known !== undefined) return terminal ? spaced(known, inTerminal) : known
    const body = rules.get(name)
    if (body === undefined) throw new Unbuildable(name)
    const id = reserve()
    named.set(key, id)
    depth += 1
    if (depth > MAX_RULE_DEPTH) throw new Unbuildable('too deep')
    define(id, [[symbolOf(body, terminal || inTerminal)]])
    depth -= 1
    return terminal ? spaced(id, inTerminal) : id
  }
  // Made first, because terminals refer to it; what is ignored is itself made of terminals.
  const gap = ignored.length === 0 ? null : reserve()
  const spaced = (symbol: GrammarSymbol, inTerminal: boolean): GrammarSymbol =>
    gap === null || inTerminal ? symbol : add([gap, symbol])
  if (gap !== null) define(gap, [[], ...ignored.map((node) => [gap, symbolOf(node, true)])])
  const whole = symbolOf({ type: 'rule', name: 'start' }, false)
  const start = add(gap === null ? [whole] : [whole, gap])
  return { start, alternatives, nullable: nullableOf(alternatives) }
}

const literal = ({ text, ignoreCase = false }: Extract<LarkNode, { type: 'literal' }>): Terminal => ({
  type: 'literal',
  codes: codesOf(ignoreCase ? text.toLowerCase() : text),
  ignoreCase,
})

function pattern(source: string): Terminal {
  const translated = fromRustRegex(source)
  const node = translated === null ? null : parsePattern(translated)
  // What looks at its surroundings would see those of the whole text.
  if (node === null || looksAround(node)) throw new Unbuildable('pattern')
  return { type: 'pattern', node }
}

function looksAround(node: PatternNode): boolean {
  if (node.type === 'assert' || node.type === 'look') return true
  if (node.type === 'repeat') return looksAround(node.node)
  return 'nodes' in node && node.nodes.some(looksAround)
}

export const codesOf = (text: string): readonly number[] => [...text].map((char) => char.codePointAt(0) ?? 0)

/** One pass over the grammar: an alternative counts the parts of it that are still open, and ends at none. */
function nullableOf(alternatives: Productions['alternatives']): ReadonlySet<number> {
  const nullable = new Set<number>()
  const waiting = new Map<number, { readonly of: number; open: number }[]>()
  const found: number[] = []
  const close = (id: number) => {
    if (nullable.has(id)) return
    nullable.add(id)
    found.push(id)
  }
  for (const [of, options] of alternatives.entries()) {
    for (const symbols of options) {
      const parts = symbols.filter((symbol) => typeof symbol === 'number')
      if (parts.length < symbols.length) continue
      const entry = { of, open: parts.length }
      for (const part of parts) {
        const entries = waiting.get(part)
        if (entries === undefined) waiting.set(part, [entry])
        else entries.push(entry)
      }
      if (parts.length === 0) close(of)
    }
  }
  for (let id = found.pop(); id !== undefined; id = found.pop()) {
    for (const entry of waiting.get(id) ?? []) {
      entry.open -= 1
      if (entry.open === 0) close(entry.of)
    }
  }
  return nullable
}
