/**
 * Does a text fit a Lark grammar? A chart parser after Earley, over characters: no grammar is ambiguous or recursive in
 * a way it cannot read, and its work has a limit.
 *
 * It takes every way to cut a text into terminals. Lark's own lexers take one, so a text they take is taken here too,
 * and now and then one that they would not.
 */

import { codesOf, type GrammarSymbol, type Productions, type Terminal, toProductions } from './lark-productions.ts'
import { parseLark } from './lark-syntax.ts'
import { endsOfPattern, type Matching } from './pattern.ts'
import { yieldToEventLoop } from './yield-to-event-loop.ts'

export type LarkVerdict =
  | { readonly outcome: 'valid' }
  /** `at`: how many characters, in UTF-16 units, still fit the beginning of something. */
  | { readonly outcome: 'invalid'; readonly at: number }
  /** The limit on the work was reached. */
  | { readonly outcome: 'undecided' }

export interface LarkMatcher {
  match(text: string): Promise<LarkVerdict>
  /** The same at once, for texts and grammars that are known to be small. */
  matchSync(text: string): LarkVerdict
}

export const MAX_LARK_STEPS = 3_000_000
export const MAX_LARK_TEXT_CHARS = 262_144
/** After so many steps others have their turn. */
const STEPS_PER_SLICE = 50_000

/** Null for a grammar that is not covered. */
export function createLarkMatcher(definition: string): LarkMatcher | null {
  const grammar = parseLark(definition)
  const productions = grammar && toProductions(grammar)
  if (productions === null) return null
  return {
    async match(text) {
      for (const parsing = parse(productions, text); ; ) {
        const step = parsing.next()
        if (step.done) return step.value
        await yieldToEventLoop()
      }
    },
    matchSync(text) {
      for (const parsing = parse(productions, text); ; ) {
        const step = parsing.next()
        if (step.done) return step.value
      }
    },
  }
}

/** A position in an alternative, begun at a place of the text. */
type Item = {
  readonly symbols: readonly GrammarSymbol[]
  readonly dot: number
  readonly of: number
  readonly from: number
}

/** What is known at one place of the text. */
type Place = {
  readonly items: Item[]
  readonly seen: Map<readonly GrammarSymbol[], Set<number>>
  /** Nonterminal -> the items that wait for it here. */
  readonly waiting: Map<number, Item[]>
}

/** Yields now and then, so that the caller can let others have their turn. */
function* parse({ start, alternatives, nullable }: Productions, text: string): Generator<void, LarkVerdict> {
  if (text.length > MAX_LARK_TEXT_CHARS) return { outcome: 'undecided' }
  const matching: Matching = { codes: codesOf(text), steps: MAX_LARK_STEPS }
  const end = matching.codes.length
  const places: (Place | undefined)[] = Array.from({ length: end + 1 })
  let slice = STEPS_PER_SLICE
  let reached = 0

  const put = (at: number, item: Item): void => {
    matching.steps -= 1
    const place: Place = places[at] ?? { items: [], seen: new Map(), waiting: new Map() }
    places[at] = place
    const key = item.from * (item.symbols.length + 1) + item.dot
    const known = place.seen.get(item.symbols) ?? new Set<number>()
    if (known.has(key)) return
    place.seen.set(item.symbols, known.add(key))
    place.items.push(item)
    reached = Math.max(reached, at)
  }
  const predict = (id: number, at: number) => {
    for (const symbols of alternatives[id] ?? []) put(at, { symbols, dot: 0, of: id, from: at })
  }
  const advance = (item: Item, at: number) => put(at, { ...item, dot: item.dot + 1 })
  const step = (item: Item, at: number, place: Place): void => {
    const symbol = item.symbols[item.dot]
    if (symbol === undefined) {
      // By index: an item may be added to the list while it is read, when something stands for nothing.
      const waiting = places[item.from]?.waiting.get(item.of) ?? []
      for (let index = 0; index < waiting.length; index += 1) {
        const one = waiting[index]
        if (one !== undefined) advance(one, at)
      }
    } else if (typeof symbol === 'number') {
      const waiting = place.waiting.get(symbol)
      if (waiting === undefined) {
        place.waiting.set(symbol, [item])
        predict(symbol, at)
      } else waiting.push(item)
      if (nullable.has(symbol)) advance(item, at)
    } else for (const stop of endsOf(symbol, at, matching)) advance(item, stop)
  }

  predict(start, 0)
  for (let at = 0; at <= end; at += 1) {
    const place = places[at]
    if (place === undefined) continue
    for (let index = 0; index < place.items.length; index += 1) {
      const item = place.items[index]
      if (item !== undefined) step(item, at, place)
      if (matching.steps <= 0) return { outcome: 'undecided' }
      if (--slice === 0) {
        slice = STEPS_PER_SLICE
        yield
      }
    }
  }
  const whole = places[end]?.items.some(
    ({ of, from, dot, symbols }) => of === start && from === 0 && dot === symbols.length,
  )
  return whole ? { outcome: 'valid' } : { outcome: 'invalid', at: unitsOf(matching.codes, reached) }
}

function endsOf(terminal: Terminal, at: number, matching: Matching): Iterable<number> {
  if (terminal.type === 'pattern') return endsOfPattern(terminal.node, at, matching)
  const { codes, ignoreCase } = terminal
  const fits = codes.every((code, index) => {
    const found = matching.codes[at + index]
    return found === code || (ignoreCase && found !== undefined && lower(found) === code)
  })
  return fits ? [at + codes.length] : []
}

const lower = (code: number) => String.fromCodePoint(code).toLowerCase().codePointAt(0)

const unitsOf = (codes: readonly number[], count: number) =>
  codes.slice(0, count).reduce((sum, code) => sum + (code > 0xffff ? 2 : 1), 0)
