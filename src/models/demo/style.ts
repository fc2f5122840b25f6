/** How an answer is to be said: simple instructions of the system, standing ones of the user, and those of the question. */
import { isStopWord, sentencesOf } from './words.ts'

export type Style = {
  readonly isBrief: boolean
  readonly exactWords: number | null
  readonly maxWords: number | null
  /** The whole answer, whatever was asked. */
  readonly only: string | null
  readonly startWith: readonly string[]
  readonly include: readonly string[]
  readonly endWith: readonly string[]
  readonly letters: 'upper' | 'lower' | null
  /** "You are a pirate": `pirate`. */
  readonly persona: string | null
}

const THING =
  '(?:(?:the|a|an) )?(?:exact |single |one |special |following |literal )*(?:(?:word|phrase|text|token|marker|string|tag|line|sentence|suffix|prefix|code|letters?)s?\\s*)?:?\\s*'
const TARGET = '(?:"([^"\\n]+)"|“([^”\\n]+)”|`([^`\\n]+)`|\'([^\'\\n]+)\'|([^\\s"\'`“,;:]+))'
const rule = (head: string) => new RegExp(`${head}\\s+${THING}${TARGET}`, 'i')

const END = rule('\\b(?:end|ends|ending|finish|conclude|close|sign off)\\b[^"\'\\n]{0,60}?\\bwith')
const APPEND = rule('\\bappend')
const START = rule('\\b(?:start|starts|begin|begins|open|prefix)\\b[^"\'\\n]{0,60}?\\bwith')
const ONLY = rule(
  '\\b(?:(?:always|only|must|just) (?:ever )?(?:answer|reply|respond)|(?:answer|reply|respond) (?:only|always|just))\\b(?: (?:only|just|exactly|to everything|to every (?:message|question)|to all questions))*(?: with| in| using| by saying)?(?: (?:only|just|exactly))?',
)
/** In instructions, what to reply with holds for every reply. */
const SYSTEM_ONLY = rule(
  '^(?:you |must |should |will |please )*(?:answer|reply|respond)(?: to [a-z ]{1,40})? with(?: exactly| only| just)*(?=.{0,20}\\b(?:word|text|phrase|token|string)\\b)',
)
const INCLUDE = rule(
  '\\b(?:(?:always|must|should|please) (?:include|mention|contain|use|say|add|insert)|(?:include|mention|contain|insert))',
)
const STANDING =
  /\b(?:always|from now on|every (?:reply|answer|message|response)|all (?:replies|answers|responses)|never|until i say)\b/i
/** Words after "answer in" and the like that are not themselves to be said. */
const NOT_SAID =
  /^(?:a|an|the|one|your|my|it|this|that|json|english|french|german|spanish|italian|latin|uppercase|lowercase|capital|all|caps|full|plain|short|brief|detail|concise|haiku|rhymes?|verse|bullet|markdown|\d+|two|three|four|five|any|what|which|only|just|and|or|for|if|when|in|with|as|helpful|polite|politely|concisely|briefly|honestly|truthfully|accurately|correctly|directly)[.!?]*$/i

const NUMBERS = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
]
const COUNT = `(\\d{1,3}|${NUMBERS.join('|')}|a single)`
const EXACT_WORDS = new RegExp(
  `\\b(?:in|with|using|of|exactly|precisely|just|only)\\s+(?:exactly |precisely |just |only )?${COUNT}[- ]words?\\b`,
  'i',
)
const MAX_WORDS = new RegExp(
  `\\b(?:at most|no more than|up to|under|fewer than|less than|maximum of)\\s+${COUNT}\\s+words?\\b`,
  'i',
)
const BRIEF =
  /\b(?:reply|respond|answer|return|output|give|say|state|tell)\b[^.?!\n]{0,40}\b(?:only|just|nothing but|single)\b|\bnothing else\b|\bno other (?:text|words)\b|\b(?:just|only) the [\p{L}]+\b|\b(?:name|number|word|city|surname|answer|digits?|code|value) only\b|\bin (?:exactly )?one word\b|\bone[- ]word (?:answer|reply)\b|\b(?:be |very )?(?:concise|terse)\b/iu
const PERSONA =
  /\byou are (?:an? )(?!helpful|ai\b|assistant|useful|friendly|language|large)((?:[\p{L}-]+ )?[\p{L}-]+)/iu
const MAX_INSTRUCTION_CHARS = 20_000

/** `standing`: earlier user messages; of these only what is said to hold "always" counts. */
export function readStyle(system: readonly string[], standing: readonly string[], asked: string): Style {
  const always = [
    ...system.flatMap((text) => sentencesOf(text.slice(0, MAX_INSTRUCTION_CHARS))),
    ...standing.flatMap((text) =>
      sentencesOf(text.slice(0, MAX_INSTRUCTION_CHARS)).filter((part) => STANDING.test(part)),
    ),
  ]
  const now = sentencesOf(clip(asked))
  const all = [...always, ...now]
  const whole = all.join('\n')
  const only = [
    ...always.flatMap((part) => targets(ONLY, part)),
    ...system.flatMap((part) => targets(SYSTEM_ONLY, part)),
  ]
  const exact = readCount(EXACT_WORDS.exec(now.join('\n'))?.[1])
  return {
    isBrief: BRIEF.test(now.join('\n')) || BRIEF.test(always.join('\n')),
    exactWords: exact,
    maxWords: readCount(MAX_WORDS.exec(whole)?.[1]),
    only: only[0] ?? null,
    startWith: all.flatMap((sentence) => targets(START, sentence)),
    include: always.flatMap((sentence) => targets(INCLUDE, sentence)),
    endWith: all.flatMap((sentence) => [...targets(END, sentence), ...targets(APPEND, sentence)]),
    letters: readLetters(whole),
    persona: readPersona(system.join('\n').slice(0, MAX_INSTRUCTION_CHARS)),
  }
}

function readPersona(text: string): string | null {
  const [first, second] = PERSONA.exec(text)?.[1]?.split(' ') ?? []
  if (first === undefined || /^(?:assistant|model|bot|ai)$/i.test(second ?? '')) return null
  return second === undefined || isStopWord(second.toLowerCase()) ? first : `${first} ${second}`
}

function readLetters(text: string): 'upper' | 'lower' | null {
  if (
    /\bin (?:all )?(?:upper ?case|capitals|caps|capital letters)\b|\b(?:all|only) (?:caps|upper ?case|capital letters)\b/i.test(
      text,
    )
  )
    return 'upper'
  return /\bin (?:all )?lower ?case\b|\b(?:all|only) lower ?case\b/i.test(text) ? 'lower' : null
}

/** Nobody hides an instruction in the middle of a long text, and long texts make patterns slow. */
const clip = (text: string): string => (text.length <= 8000 ? text : `${text.slice(0, 4000)}\n${text.slice(-4000)}`)

function targets(pattern: RegExp, sentence: string): string[] {
  const match = pattern.exec(sentence)
  if (!match) return []
  const quoted = match[1] ?? match[2] ?? match[3] ?? match[4]
  if (quoted !== undefined) return [quoted]
  const bare = (match[5] ?? '').replace(/[.)]+$/, '')
  return bare === '' || NOT_SAID.test(bare) ? [] : [bare]
}

function readCount(text: string | undefined): number | null {
  if (text === undefined) return null
  if (/^a single$/i.test(text)) return 1
  return /^\d+$/.test(text) ? Number(text) : NUMBERS.indexOf(text.toLowerCase())
}

/** An answer in two lengths: the bare fact, and a whole sentence. */
export type Answer = {
  readonly brief: string
  readonly full: string
  /** Said as asked, byte for byte: no word is added, left out or changed for its length. */
  readonly isVerbatim?: boolean
}

export function applyStyle(answer: Answer, style: Style): string {
  let text = style.only ?? (style.isBrief || style.exactWords !== null ? answer.brief : answer.full)
  if (!answer.isVerbatim && style.only === null) {
    if (style.persona !== null && !style.isBrief && style.exactWords === null) text = `As a ${style.persona}: ${text}`
    if (style.exactWords !== null) text = toWordCount(text, style.exactWords)
    if (style.maxWords !== null) text = firstWords(text, style.maxWords)
    if (style.letters === 'upper') text = text.toUpperCase()
    if (style.letters === 'lower') text = text.toLowerCase()
  }
  const has = (part: string) => text.includes(part)
  for (const part of style.startWith) if (!text.startsWith(part)) text = `${part} ${text}`
  for (const part of style.include) if (!has(part)) text = `${text} ${part}`
  for (const part of style.endWith) if (!text.endsWith(part)) text = `${text} ${part}`
  return text
}

const PADDING = [
  'there',
  'dear',
  'friend',
  'from',
  'the',
  'demo',
  'model',
  'with',
  'best',
  'wishes',
  'today',
  'and',
  'always',
]

function toWordCount(text: string, count: number): string {
  const words = text.split(/\s+/).filter((word) => word !== '')
  for (let index = 0; words.length < count; index++) words.push(PADDING[index % PADDING.length] ?? 'word')
  return words.slice(0, count).join(' ')
}

const firstWords = (text: string, count: number): string => text.split(/\s+/).slice(0, count).join(' ')
