/** The grammar of a custom tool, as far as it can be held against an input here. */
import { createLarkMatcher, type LarkMatcher } from '../lib/lark-match.ts'
import type { CustomFormat } from '../protocol/tools.ts'
import type { IsolatedChecks } from './isolated-checks.ts'
import { ModelError } from './model.ts'
import { toPortableRegex } from './regex-grammar.ts'

export interface ToolGrammar {
  /** What is wrong with an input; null when it fits. Throws `ModelError` when that cannot be told in time. */
  problem(input: string, signal: AbortSignal): Promise<string | null>
}

/** Null where there is none, or none that can be checked. */
export function toolGrammar(format: CustomFormat, checks: IsolatedChecks): ToolGrammar | null {
  if (format.type === 'text') return null
  return format.syntax === 'regex' ? regexGrammar(format.definition, checks) : larkGrammar(format)
}

export const isCheckable = (format: CustomFormat): boolean =>
  format.type === 'text' ||
  (format.syntax === 'regex' ? toPortableRegex(format.definition) : matcherOf(format)) !== null

function regexGrammar(definition: string, checks: IsolatedChecks): ToolGrammar | null {
  const regex = toPortableRegex(definition)
  if (regex === null) return null
  return {
    async problem(input, signal) {
      const result = await checks.run({ kind: 'regex', ...regex, text: input }, signal)
      if (result.outcome === 'undecided') throw undecided('regex', result.reason)
      return result.outcome === 'valid' ? null : 'it does not match the regex grammar of the tool'
    },
  }
}

type Grammar = Exclude<CustomFormat, { type: 'text' }>

/** Of the formats of turns under way: a grammar is asked about several times while a request is planned. */
const matchers = new WeakMap<Grammar, LarkMatcher | null>()

function matcherOf(format: Grammar): LarkMatcher | null {
  const known = matchers.get(format)
  if (known !== undefined) return known
  const matcher = createLarkMatcher(format.definition)
  matchers.set(format, matcher)
  return matcher
}

function larkGrammar(format: Grammar): ToolGrammar | null {
  const matcher = matcherOf(format)
  if (matcher === null) return null
  return {
    async problem(input) {
      const verdict = await matcher.match(input)
      if (verdict.outcome === 'undecided') throw undecided('lark', 'it takes too many steps')
      if (verdict.outcome === 'valid') return null
      return `it does not match the lark grammar of the tool; it fits up to ${placeOf(input, verdict.at)}`
    },
  }
}

const undecided = (syntax: string, why: string) =>
  new ModelError(
    'malformed',
    `The model's input for a tool could not be checked against its ${syntax} grammar: ${why}.`,
  )

const QUOTED_CHARS = 40

/** For the model, which counts lines no better than people do: with the text that follows. */
function placeOf(input: string, at: number): string {
  const before = input.slice(0, at).split('\n')
  const column = (before.at(-1)?.length ?? 0) + 1
  const rest = input.slice(at, at + QUOTED_CHARS).toWellFormed()
  const next = rest === '' ? 'where it ends too early' : `before ${JSON.stringify(rest)}`
  return `line ${before.length}, column ${column}, ${next}`
}
