/** Which tools a request is about: by name, by "use the X tool", or by the words they share. */
import type { ToolDeclaration } from '../model.ts'
import { findArithmetic } from './arithmetic.ts'
import { propertiesOf } from './schema-properties.ts'
import { contentWords, escapePattern, stem, wordsOf } from './words.ts'

export type ToolMatch = {
  readonly tool: ToolDeclaration
  /** The part of the request that is about this tool; all of it unless it says "first ..., then ...". */
  readonly clause: string
}

export type ToolWish = { readonly isRefused: boolean; readonly isSequential: boolean }

/** Words that say nothing about what a tool is for. */
const WEAK = new Set(
  `add call check create current do execute fetch find function get handle list local lookup look make new process query read
  request result retrieve return run search send set show tool update use value write demo test data info information string
  given name number text input output item object type based simple answer question`.split(/\s+/),
)
const MAX_WORDING_CHARS = 4000

const REFUSED =
  /\b(?:without|don['’]t|do not|never) (?:using |use |call |calling |any )*(?:a |any |the )?(?:tools?|functions?)\b|\bno tools?\b/i
const SEQUENTIAL =
  /\bfirst\b[\s\S]*\b(?:then|next|second|after|afterwards|finally)\b|[,;.]\s*(?:and )?then\b|\band then\b|\bafter that\b|\bone (?:after|by) (?:the other|another|one)\b|\bin sequence\b|\b(?:once|after) you\b|\busing (?:that|the|its) (?:result|output|id|value)\b|\bwith (?:that|the) (?:result|output)\b/i
const STEP = /\b(?:,? ?and then|then|after that|afterwards|next|finally|secondly|second)\b/gi

export function readToolWish(text: string): ToolWish {
  const wording = clip(text)
  return { isRefused: REFUSED.test(wording), isSequential: SEQUENTIAL.test(wording) }
}

/** In the order the text speaks of them. */
export function matchTools(tools: readonly ToolDeclaration[], text: string): readonly ToolMatch[] {
  const wording = clip(text)
  const named = tools.flatMap((tool) => {
    const at = namedAt(tool, wording)
    return at < 0 ? [] : [{ tool, at }]
  })
  const both =
    /\b(?:both|all|each|every|the) (?:of )?(?:the |these |your )?(?:available )?(?:tools|functions)\b|\bcall both\b/i.test(
      wording,
    )
  const found =
    named.length > 0
      ? named
      : both && tools.length <= 4
        ? tools.map((tool, at) => ({ tool, at }))
        : byWords(tools, wording)
  const ordered = [...found].sort((left, right) => left.at - right.at)
  return ordered.map(({ tool, at }) => ({ tool, clause: ordered.length > 1 ? clauseAt(text, wording, at) : text }))
}

const clip = (text: string): string =>
  text.length <= 2 * MAX_WORDING_CHARS ? text : `${text.slice(0, MAX_WORDING_CHARS)}\n${text.slice(-MAX_WORDING_CHARS)}`

/** The name as it is, or its words: `get_weather`, "get weather", "the weather tool". */
function namedAt(tool: ToolDeclaration, text: string): number {
  const exact = new RegExp(`(?<![\\w-])${escapePattern(tool.name)}(?![\\w-])`, 'i').exec(text)
  const words = wordsOf(tool.name)
  // A name that is one everyday word counts only where it is used as a name.
  if (exact && (words.length > 1 || /[`"']/.test(text.charAt(exact.index - 1)) || isCalled(tool.name, text)))
    return exact.index
  const spaced = words.length > 1 ? new RegExp(`\\b${words.map(escapePattern).join('[ _-]')}\\b`, 'i').exec(text) : null
  if (spaced) return spaced.index
  const strong = words.filter((word) => !WEAK.has(word))
  const asTool =
    strong.length > 0
      ? new RegExp(`\\b(?:${strong.map(escapePattern).join('|')})[ _-](?:tool|function)\\b`, 'i').exec(text)
      : null
  return asTool?.index ?? -1
}

/** "call alpha", "use alpha, then beta", "with the alpha tool", "alpha(1)". */
function isCalled(name: string, text: string): boolean {
  const it = escapePattern(name)
  const others = '(?:[\\w-]+\\s*(?:,|\\band\\b|&|\\bthen\\b)\\s*(?:then\\s+|and\\s+|the\\s+){0,2}){0,8}'
  const asked = `\\b(?:call|use|using|invoke|run|with|via)\\s+(?:the\\s+)?(?:tools?\\s+|functions?\\s+)?${others}${it}\\b`
  return new RegExp(`${asked}|\\b${it}\\s+(?:tool|function)\\b|\\b${it}\\(`, 'i').test(text)
}

type Scored = {
  readonly tool: ToolDeclaration
  readonly at: number
  readonly nameHits: readonly string[]
  readonly aboutHits: readonly string[]
  /** Each word of its name was said. */
  readonly isWhole: boolean
  readonly score: number
}

/** A hit in the name counts double; a tool without one needs two in its description. */
function byWords(tools: readonly ToolDeclaration[], text: string): readonly Scored[] {
  if (CREATIVE.test(text)) return []
  const said = wordsOf(text.replaceAll(/\blook(?:ing)? up\b/gi, 'lookup')).map(stem)
  const spoken = new Set([...said, ...said.flatMap((word) => SYNONYMS.get(word) ?? [])])
  const sum = findArithmetic(text)
  const scored = tools.map((tool): Scored => {
    const name = [...contentWords(tool.name)].filter((word) => !WEAK.has(word))
    const about = [...contentWords(tool.description ?? '')].filter((word) => !WEAK.has(word) && !name.includes(word))
    const nameHits = name.filter((word) => spoken.has(word))
    const aboutHits = about.filter((word) => spoken.has(word))
    const isSum = sum !== null && CALCULATION.test(`${tool.name.replaceAll('_', ' ')} ${tool.description ?? ''}`)
    const isWhole = wordsOf(tool.name).length > 1 && wordsOf(tool.name).every((word) => spoken.has(stem(word)))
    const asked = propertiesOf(tool.type === 'function' ? tool.parameters : null).flatMap(({ words }) =>
      words.split(' '),
    )
    const propertyHits = asked.filter((word) => !WEAK.has(word) && spoken.has(stem(word))).length
    const score =
      nameHits.length * 2 +
      aboutHits.length +
      (isSum ? 4 : 0) +
      (isWhole ? 1 : 0) +
      Math.min(propertyHits, 3) * 0.3 -
      (name.length - nameHits.length) * 0.1
    const isMatch = nameHits.length > 0 || aboutHits.length >= 2 || isSum
    return {
      tool,
      nameHits,
      aboutHits,
      isWhole,
      score: isMatch ? score : 0,
      at: positionOf(nameHits.length > 0 ? nameHits : aboutHits, text),
    }
  })
  return distinct(scored.filter(({ score }) => score > 0).sort((left, right) => right.score - left.score))
}

/** The best tool, and others that are about something else that was said too: weather and time, not weather twice. */
function distinct(sorted: readonly Scored[]): readonly Scored[] {
  const taken = new Set<string>()
  const [best] = sorted
  return sorted.filter((candidate) => {
    const isNew = candidate === best || candidate.isWhole || candidate.nameHits.some((word) => !taken.has(word))
    for (const word of isNew ? [...candidate.nameHits, ...candidate.aboutHits] : []) taken.add(word)
    return isNew
  })
}

/** What no tool is for, whatever it is about. */
const CREATIVE = /\b(?:poem|haiku|essay|story|joke|song|limerick)\b/i
const CALCULATION = /\b(?:calculat\w*|arithmetic|math\w*|comput\w*|expressions?|add|sum|multiply|python|evaluate)\b/i
const SYNONYMS = new Map([
  ['temperature', ['weather']],
  ['forecast', ['weather']],
  ['rain', ['weather']],
  ['sunny', ['weather']],
  ['clock', ['time']],
  ['mail', ['email']],
  ['reserve', ['book', 'reservation']],
  ['photo', ['image']],
  ['picture', ['image']],
])

function positionOf(stems: readonly string[], text: string): number {
  const places = stems.map((word) => text.toLowerCase().indexOf(word)).filter((at) => at >= 0)
  return places.length > 0 ? Math.min(...places) : text.length
}

/** The step of "first A, then B" that a position lies in. Where the text was clipped, the whole text. */
function clauseAt(text: string, wording: string, at: number): string {
  if (text !== wording) return text
  const cuts = [0, ...[...text.matchAll(STEP)].map((match) => match.index), text.length]
  const end = cuts.findIndex((cut) => cut > at)
  return end <= 0 ? text : text.slice(cuts[end - 1], cuts[end])
}
