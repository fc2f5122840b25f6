/** What was said in a conversation, as facts: learned from "X is Y" in its many forms, recalled by shared words. */
import type { Speaker } from './conversation.ts'
import { contentWords, isQuestion, sentencesOf, unquote } from './words.ts'

export type Owner = 'user' | 'assistant' | null

export type Fact = {
  readonly owner: Owner
  /** As said: "favourite colour". */
  readonly subject: string
  readonly words: ReadonlySet<string>
  readonly value: string
}

export type Source = { readonly speaker: Speaker; readonly text: string }

const MAX_SENTENCE_CHARS = 1000
const MAX_VALUE_CHARS = 400
const WORD = "[\\p{L}\\p{N}'’_#-]+"
const IS = new RegExp(
  `((?:${WORD} ){0,9}${WORD})\\s+(?:is|are|was|were|equals|will be|=)\\s+(?:now |called |named |set to |exactly )?:?\\s*(\\S.*)`,
  'u',
)
const LABEL = new RegExp(`((?:${WORD} ){0,5}${WORD})\\s?[:=]\\s*(\\S.*)`, 'u')
const REMEMBER = /\b(?:remember|memorize|note) (?:the|this|my) ((?:[\p{L}-]+ )?[\p{L}-]+) ["'“]?(\S+?)["'”]?$/iu
const NAME =
  /\b(?:I am|I['’]m|my name['’]s|call me|this is)\s+(\p{Lu}[\p{L}\p{M}'’-]*(?: \p{Lu}[\p{L}\p{M}'’-]*){0,3})/u
const CLAUSE =
  /;|,?\s+(?:and|but|so|while)\s+(?=(?:my|your|the|our|his|her|their|its|i|i'm|please|remember)\b)|,\s+(?=(?:my|your|the|please|remember|i|i'm|don't|do not|keep)\b)/i

/** Verbs that tell of their subject: what is asked about later, and how it is said. */
const TELLING: readonly (readonly [RegExp, string, string])[] = [
  [
    /\bI(?: currently| now)? (?:live|am based|['’]m based|reside) in (.+)/i,
    'home',
    'home city town country live where location',
  ],
  [/\bI(?: currently| now)? (?:work|am working) (?:at|for) (.+)/i, 'workplace', 'workplace work employer company'],
  [/\bI (?:am|['’]m) (\d+) years old/i, 'age', 'age old'],
  [/\bI(?:['’]m| am) (?:an? )((?:[\p{L}-]+ )?[\p{L}-]+)$/iu, 'occupation', 'occupation job profession living work'],
  [/\bI was born (?:in|on) (.+)/i, 'birth', 'birth born birthday'],
  [/\bI (?:really )?(?:like|love|enjoy|prefer) (.+)/i, 'liking', 'like love enjoy prefer liking'],
]

/** Facts in the order they were said. Questions tell nothing. */
export function learnFacts(sources: readonly Source[]): Fact[] {
  return sources.flatMap(({ speaker, text }) =>
    sentencesOf(text)
      .filter((sentence) => sentence.length <= MAX_SENTENCE_CHARS && !sentence.endsWith('?'))
      .flatMap((sentence) => sentence.split(CLAUSE).flatMap((clause) => factsIn(clause.trim(), speaker))),
  )
}

function factsIn(clause: string, speaker: Speaker): Fact[] {
  const facts: Fact[] = []
  const add = (
    subject: string,
    value: string,
    owner = ownerOf(subject, speaker),
    words = contentWords(nounOf(subject)),
  ) => {
    const clean = cleanValue(value)
    if (words.size > 0 && clean !== '' && /\p{L}{2}/u.test(subject))
      facts.push({ owner, subject: nounOf(subject), words, value: clean })
  }
  const bare = clause.replace(/[.!]+$/, '')
  const name = NAME.exec(bare)?.[1]
  if (name && speaker === 'user') add('name', name, 'user')
  for (const [pattern, subject, words] of TELLING) {
    const value = pattern.exec(bare)?.[1]
    if (value && speaker === 'user') add(subject, value, 'user', contentWords(words))
  }
  const remembered = REMEMBER.exec(bare)
  if (remembered?.[1] && remembered[2]) add(remembered[1], remembered[2])
  const [, subject, value] = IS.exec(clause) ?? LABEL.exec(clause) ?? []
  if (subject && value && !/^(?:I|it|this|that|there|what|which|who)$/i.test(subject)) {
    add(subject, value)
    // "BANANA is the code word" says the same the other way round.
    if (/^(?:the|my|your) /i.test(value)) add(cleanValue(value), subject)
  }
  return facts
}

/** "My" is the user's in a user's mouth; in instructions "you" is the assistant and "the user's" the user's. */
function ownerOf(subject: string, speaker: Speaker): Owner {
  if (/\b(?:user|customer)(?:['’]s)?\b/i.test(subject)) return 'user'
  if (/\b(?:my|our)\b/i.test(subject)) return speaker === 'user' ? 'user' : 'assistant'
  return /\byour\b/i.test(subject) ? (speaker === 'assistant' ? 'user' : 'assistant') : null
}

/** The subject after its last possessive or article: what a sentence about it names. */
const nounOf = (subject: string): string =>
  subject
    .replace(/^.*?\b(?:my|our|your|the|this|that|remember|note)\s+/i, '')
    .replace(/^(?:user|customer)['’]s\s+/i, '')

function cleanValue(value: string): string {
  const ended = value
    .slice(0, MAX_VALUE_CHARS)
    .trim()
    .replace(/(?<!\.)[.!]+$/, '')
  return unquote(ended.trim()).trim()
}

export type Question = { readonly owner: Owner; readonly words: ReadonlySet<string>; readonly text: string }

export function toQuestion(sentence: string): Question {
  const text = sentence.replace(/\b(?:in|with|using) (?:exactly |just |only )?(?:one|a single|\w+) words?\b,?/i, '')
  const isAboutUser = /\b(?:my|our|i|me)\b/i.test(text.replace(/\b(?:tell|give|remind|show) me\b/i, ''))
  const owner = isAboutUser ? 'user' : /\byour\b/i.test(text) ? 'assistant' : null
  const words = contentWords(
    /\bwho am i\b|\bam i called\b/i.test(text) ? 'name' : /\bwhere\b/i.test(text) ? `${text} where-is` : text,
  )
  return { owner, words, text }
}

/** The fact a question asks for: the one that shares most words, the latest of equals. */
export function recallFact(question: Question, facts: readonly Fact[]): Fact | null {
  let best: Fact | null = null
  let bestScore = 0
  for (const fact of facts) {
    const score = scoreOf(question, fact)
    if (score > 0 && score >= bestScore) [best, bestScore] = [fact, score]
  }
  return best
}

function scoreOf(question: Question, fact: Fact): number {
  if (question.owner !== null && fact.owner !== null && question.owner !== fact.owner) return 0
  const shared = [...fact.words].filter((word) => question.words.has(word)).length
  const isCovered = shared === question.words.size || shared === fact.words.size || shared >= 3
  // "What is my name?" is not answered by the name of something else.
  const isOtherName = question.words.has('name') && question.words.size === 1 && fact.words.size > 1
  if (shared === 0 || !isCovered || isOtherName) return 0
  const union = fact.words.size + question.words.size - shared
  return shared / union + (question.owner === fact.owner ? 0.1 : 0)
}

/** The statement that shares most words with a question, for what is not of the form "X is Y". */
export function recallSentence(question: Question, sources: readonly Source[]): string | null {
  // A sentence about some name says nothing about the one that is asked for.
  if (question.words.size === 0 || (question.words.size === 1 && question.words.has('name'))) return null
  let best: string | null = null
  let bestScore = 0.6
  for (const { text } of sources) {
    for (const sentence of sentencesOf(text)) {
      if (isQuestion(sentence) || sentence.length > MAX_SENTENCE_CHARS) continue
      const words = contentWords(sentence)
      const shared = [...question.words].filter((word) => words.has(word)).length
      const score = shared / question.words.size
      if (score >= bestScore && shared >= Math.min(2, question.words.size)) [best, bestScore] = [sentence, score]
    }
  }
  return best
}
