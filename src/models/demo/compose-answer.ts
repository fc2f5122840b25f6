/** The text of an answer: the first rule that fits, said in the style that was asked for. */
import { changeOf, findArithmetic, formatNumber, numbersIn } from './arithmetic.ts'
import { answerFromCode } from './code-interpreter.ts'
import type { Conversation, MadeCall, Utterance } from './conversation.ts'
import { describeImage, readImage } from './describe-image.ts'
import { answerFromPicture } from './draw.ts'
import { learnFacts, recallFact, recallSentence, type Source, toQuestion } from './facts.ts'
import { answerFromFiles } from './file-search.ts'
import { lookUp } from './knowledge.ts'
import { answerFromProgram } from './programs.ts'
import { readHistoryQuestion } from './recall-history.ts'
import { type Answer, applyStyle, readStyle } from './style.ts'
import { findVerbatim } from './verbatim.ts'
import { answerFromWeb } from './web-search.ts'
import { contentWords, isQuestion, listOf, sentencesOf, shorten } from './words.ts'

const ABOUT_ME = 'I am the Antiphon demo model: fixed rules, not a language model.'
const MAX_QUOTE_CHARS = 280
const MAX_OUTPUT_CHARS = 20_000
const MAX_COUNT = 2000
/** Rules that look at the wording read at most so much of each end of the message. */
const MAX_WORDING_CHARS = 4000

type Asked = {
  readonly conversation: Conversation
  readonly text: string
  readonly wording: string
  readonly questions: readonly string[]
}
type Rule = (asked: Asked) => Answer | null

export function composeAnswer(conversation: Conversation): string {
  const { asked } = conversation
  const earlier = conversation.utterances.filter((said) => said.speaker === 'user' && said !== asked)
  const standing = earlier.map(({ text }) => text)
  return applyStyle(
    findAnswer(conversation) ?? fallback(conversation),
    readStyle(conversation.system, standing, asked?.text ?? ''),
  )
}

/** Null when no rule fits and only an echo is left. */
export function findAnswer(conversation: Conversation): Answer | null {
  const text = conversation.asked?.text ?? ''
  const isShort = text.length <= 2 * MAX_WORDING_CHARS
  const wording = isShort ? text : `${text.slice(0, MAX_WORDING_CHARS)}\n${text.slice(-MAX_WORDING_CHARS)}`
  const asked = { conversation, text, wording, questions: sentencesOf(wording).filter(isQuestion).reverse() }
  for (const rule of RULES) {
    const found = rule(asked)
    if (found) return found
  }
  return null
}

/** Long text on request: `count` words, every one a token or two, with a number now and then to see where one is. */
export function longText(count: number): string {
  const words = 'the demo model writes plain words so that a long answer can be watched while it streams'.split(' ')
  return Array.from({ length: count }, (_, at) =>
    (at + 1) % 10 === 0 ? String(at + 1) : words[at % words.length],
  ).join(' ')
}

const answer = (brief: string, full: string): Answer => ({ brief, full })

const fromTools: Rule = ({ conversation, wording }) => {
  const done = conversation.calls.filter(({ output }) => output !== null)
  if (done.length === 0) return null
  const question = conversation.asked?.text ?? ''
  const brief = done.map((call) => answerOf(call, question) ?? briefOutput(call.output ?? '', wording)).join(' ')
  return answer(brief || 'Nothing.', done.map((call) => reportCall(call, question)).join('\n'))
}

const reportCall = (call: MadeCall, question: string): string =>
  answerOf(call, question) ??
  (call.output?.trim()
    ? `The tool ${call.name} answered: ${shorten(call.output, MAX_OUTPUT_CHARS)}`
    : `The tool ${call.name} answered with nothing.`)

/** Of tools that it knows. */
const answerOf = ({ name, output }: MadeCall, question: string): string | null =>
  answerFromWeb(output ?? '') ??
  answerFromFiles(output ?? '', question) ??
  answerFromPicture(name, output ?? '') ??
  answerFromProgram(name, output ?? '') ??
  answerFromCode(output ?? '')

/** "Just the number" of an output that holds one. */
function briefOutput(output: string, wording: string): string {
  const numbers = numbersIn(output)
  const [only] = numbers
  return /\bnumber\b/i.test(wording) && numbers.length === 1 && only !== undefined
    ? String(only)
    : shorten(output, MAX_OUTPUT_CHARS)
}

const verbatim: Rule = ({ text }) => findVerbatim(text)

const images: Rule = ({ conversation, wording }) => {
  const seen = conversation.asked?.images ?? []
  const [first] = seen
  if (!first) return null
  const facts = readImage(first)
  const brief =
    /\bsize|dimension|wide|width|height|large|big\b/i.test(wording) && facts.width !== null
      ? `${facts.width}x${facts.height}`
      : (facts.colour ?? facts.kind ?? 'image')
  return answer(
    brief,
    `I was given ${listOf(seen.map(describeImage))}. ${ABOUT_ME} I read only the header and the average colour.`,
  )
}

const changedResult: Rule = ({ conversation, wording }) => {
  const last = conversation.utterances.findLast(({ speaker }) => speaker === 'assistant')
  const number = numbersIn(last?.text ?? '').at(-1)
  const sum = number === undefined ? null : changeOf(wording, number)
  return sum && answer(formatNumber(sum.value), `${sum.expression} = ${formatNumber(sum.value)}.`)
}

const arithmetic: Rule = ({ wording, questions }) => {
  const asking =
    /\b(?:calculate|compute|evaluate|solve|work out|add|subtract|multiply|divide|sum|product)\b|=\s*\??\s*$/i
  const bare = /^[\s\d()+*/^%.,=?x×÷-]+$/.test(wording) ? [wording] : []
  for (const sentence of [...questions, ...sentencesOf(wording).filter((part) => asking.test(part)), ...bare]) {
    const sum = findArithmetic(sentence)
    if (sum) return answer(formatNumber(sum.value), `${sum.expression} = ${formatNumber(sum.value)}.`)
  }
  return null
}

const counting: Rule = ({ wording }) => {
  const match =
    /\bcount(?:ing)?(?: down| up| out loud)?(?: from (\d{1,9}))?(?: up| down)? to (\d{1,9})\b|\bnumbers from (\d{1,9}) to (\d{1,9})\b/i.exec(
      wording,
    )
  if (!match) return null
  const [from, to] = [Number(match[1] ?? match[3] ?? 1), Number(match[2] ?? match[4])]
  const step = from <= to ? 1 : -1
  const length = Math.min(Math.abs(to - from) + 1, MAX_COUNT)
  const separator =
    /\b(?:each|one) (?:number )?(?:per|on (?:a|its own|a new|its)) (?:own |new )?line\b|\bnew ?lines?\b/i.test(wording)
      ? '\n'
      : ', '
  const counted = Array.from({ length }, (_, at) => String(from + at * step)).join(separator)
  return { brief: counted, full: counted, isVerbatim: true }
}

const history: Rule = ({ conversation, wording }) => readHistoryQuestion(conversation, wording)

/** What was said before the question: earlier messages, tools, files, and the rest of the message itself. */
function sourcesOf({ conversation, questions }: Asked): Source[] {
  return conversation.utterances.flatMap((said) => [
    ...said.files.flatMap(({ text }) => (text === null ? [] : [{ speaker: 'system' as const, text }])),
    ...(said.speaker === 'assistant'
      ? []
      : [{ speaker: said.speaker, text: said === conversation.asked ? without(said, questions) : said.text }]),
  ])
}

const without = (said: Utterance, sentences: readonly string[]): string =>
  sentences.reduce((text, sentence) => text.replace(sentence, ' '), said.text)

const facts: Rule = (asked) => {
  if (asked.questions.length === 0) return null
  const known = learnFacts(sourcesOf(asked))
  for (const sentence of asked.questions) {
    const question = toQuestion(sentence)
    const fact = recallFact(question, known)
    if (fact) return answer(fact.value, `${whose(fact.owner)} ${fact.subject} is ${fact.value}.`)
  }
  return null
}

const whose = (owner: 'user' | 'assistant' | null): string =>
  owner === 'user' ? 'Your' : owner === 'assistant' ? 'My' : 'The'

const knowledge: Rule = ({ wording }) => {
  const known = lookUp(wording)
  return known && answer(known.brief, `${known.full} (That is one of the few facts in my table.)`)
}

const statements: Rule = (asked) => {
  for (const sentence of asked.questions) {
    const found = recallSentence(toQuestion(sentence), sourcesOf(asked))
    if (found) return answer(found, `The conversation says: "${found}"`)
  }
  return null
}

const unknown: Rule = ({ questions }) => {
  const wanted = questions
    .map((sentence) => /\bmy (\p{L}+(?: \p{L}+)?)\s*\??$/iu.exec(sentence)?.[1])
    .find((found) => found !== undefined)
  return wanted === undefined
    ? null
    : answer('Unknown', `I do not know your ${wanted}: it was not said in this conversation.`)
}

const files: Rule = ({ conversation }) => {
  const seen = conversation.asked?.files ?? []
  if (seen.length === 0) return null
  const told = seen.map(
    ({ name, text }) => `${name}${text === null ? '' : `, which begins: "${shorten(text, MAX_QUOTE_CHARS)}"`}`,
  )
  return answer(shorten(seen[0]?.text ?? seen[0]?.name ?? 'file', 80), `I was given ${listOf(told)}. ${ABOUT_ME}`)
}

const greeting: Rule = ({ wording }) => {
  if (/\bwho are you\b|\bwhat are you\b|\bwhat(?:['’]s| is) your name\b|\bwhich model\b/i.test(wording))
    return answer('Demo', ABOUT_ME)
  if (/^\s*(?:hi|hello|hey|good (?:morning|evening|day))\b[^?]{0,40}$/i.test(wording))
    return answer('Hello', `Hello! ${ABOUT_ME}`)
  if (/^\s*(?:thanks|thank you)\b[^?]{0,30}$/i.test(wording)) return answer('Welcome', `You are welcome. ${ABOUT_ME}`)
  return null
}

const told: Rule = ({ wording, questions }) => {
  if (questions.length > 0) return null
  const learned = learnFacts([{ speaker: 'user', text: wording }])
  const [first] = learned
  if (!first || /\b(?:write|explain|describe|summari[sz]e|translate|create|list)\b/i.test(wording)) return null
  const noted = learned
    .slice(0, 5)
    .map(({ owner, subject, value }) => `${whose(owner).toLowerCase()} ${subject} is ${value}`)
  return answer('Noted', `Noted: ${listOf(noted)}. Ask me about it later in this conversation.`)
}

const writing: Rule = ({ wording }) => {
  const match =
    /\b(?:write|explain|describe|compose|tell (?:me |us )?(?:about|a|an)|essay|story|poem|outline|elaborate)\b([^\n]{0,200})/i.exec(
      wording,
    )
  if (!match) return null
  const topic = shorten(
    (match[1] ?? '')
      .replace(/[.?!].*$/, '')
      .replace(/^[\s,]+/, '')
      .trim() || 'that',
    80,
  )
  const paragraphs = [
    `You asked for words about: ${topic}. ${ABOUT_ME} So this is not an essay but a paragraph of fixed sentences, long enough to be streamed, stopped and counted.`,
    'First, every sentence here is the same for the same request, whatever the temperature. Second, the tokens are counted by a real tokenizer, so limits and usage are exact. Third, nothing of it was sent anywhere.',
    'Point the same request at a real model to get a real text; the events, the items and the fields of the reply stay as they are.',
  ]
  return answer([...contentWords(topic)][0] ?? 'words', paragraphs.join('\n\n'))
}

function fallback(conversation: Conversation): Answer {
  const text = conversation.asked?.text ?? ''
  const count = conversation.utterances.filter(({ speaker }) => speaker === 'user').length
  const messages = count === 1 ? 'one message' : `${count} messages`
  const quote = text.trim() === '' ? 'You sent no text.' : `You said: "${shorten(text.trim(), MAX_QUOTE_CHARS)}"`
  return answer('Demo', `${quote} I have seen ${messages} from you in this conversation. ${ABOUT_ME}`)
}

const RULES: readonly Rule[] = [
  fromTools,
  verbatim,
  images,
  history,
  changedResult,
  arithmetic,
  facts,
  counting,
  knowledge,
  statements,
  unknown,
  files,
  greeting,
  told,
  writing,
]
