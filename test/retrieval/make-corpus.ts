/**
 * Manuals of machines that do not exist, with questions whose answers are known because the same hand wrote both.
 *
 * A topic is a device, a part and a problem. Up to three chunks tell of it, each in words of its own choice among those
 * that mean the same; sentences about other machines stand around them, so that no word of a question is found only in
 * its answer.
 */
import { seededRandom } from '../faults/seed.ts'
import { DEVICES, PARTS, PEOPLE, PLACES, PROBLEMS, REMEDIES } from './vocabulary.ts'

type Random = {
  /** From 0 up to, and without, `limit`. */
  below(limit: number): number
  pick<T>(list: readonly T[]): T
}

export type CorpusChunk = { readonly id: number; readonly text: string }
export type QueryKind = 'words' | 'forms' | 'other words' | 'misspelled' | 'identifier'
export type CorpusQuery = {
  readonly kind: QueryKind
  readonly text: string
  /** How well a chunk answers, by its id: 2 says what to do, 1 is about the same. */
  readonly grades: ReadonlyMap<number, number>
}
export type Corpus = { readonly chunks: readonly CorpusChunk[]; readonly queries: readonly CorpusQuery[] }

type Topic = {
  readonly device: readonly string[]
  readonly part: readonly string[]
  readonly problem: readonly string[]
}
type Words = { readonly device: string; readonly part: string; readonly problem: string }
type Written = CorpusChunk & { readonly words: Words; readonly identifier: string }

const TOPICS = 1_100
const NOISE_SENTENCES = 4
/** Of each kind; a topic is asked for once. */
const QUERIES: Readonly<Record<QueryKind, number>> = {
  words: 70,
  forms: 60,
  'other words': 60,
  misspelled: 60,
  identifier: 60,
}

function createRandom(seed: number): Random {
  const next = seededRandom(seed)
  const below = (limit: number) => Math.floor(next() * limit)
  return { below, pick: (list) => list[below(list.length)] ?? fail() }
}

export function makeCorpus(seed: number): Corpus {
  const random = createRandom(seed)
  const chunks: CorpusChunk[] = []
  const write = (topic: Topic, at: number): Written => {
    const written = writeChunk(chunks.length, topic, at, random)
    chunks.push({ id: written.id, text: written.text })
    return written
  }
  const told = makeTopics(random).map((topic) => ({
    topic,
    written: Array.from({ length: 1 + random.below(3) }, (_, at) => write(topic, at)),
  }))
  const kinds = Object.entries(QUERIES)
    .flatMap(([kind, count]) => Array<string>(count).fill(kind))
    .filter(isKind)
  const queries = kinds.map((kind, at) => makeQuery(kind, told[at] ?? fail(), random))
  return { chunks, queries }
}

const isKind = (name: string): name is QueryKind => Object.hasOwn(QUERIES, name)
const fail = (): never => {
  throw new RangeError('a list has nothing to take')
}

function makeTopics(random: Random): Topic[] {
  const topics = new Map<string, Topic>()
  while (topics.size < TOPICS) {
    const topic = { device: random.pick(DEVICES), part: random.pick(PARTS), problem: random.pick(PROBLEMS) }
    topics.set([topic.device, topic.part, topic.problem].join(), topic)
  }
  return [...topics.values()]
}

function choose({ device, part, problem }: Topic, random: Random): Words {
  return { device: random.pick(device), part: random.pick(part), problem: random.pick(problem) }
}

/** The first chunk of a topic says what to do. */
function writeChunk(id: number, topic: Topic, at: number, random: Random): Written {
  const words = choose(topic, random)
  const identifier = `${letters(random, 2)}-${1000 + random.below(9000)}-${letters(random, 1)}`
  const told = at === 0 ? remedy(words, identifier, random) : report(words, identifier, random)
  const noise = Array.from({ length: NOISE_SENTENCES }, () => aside(random))
  noise.splice(random.below(noise.length + 1), 0, told)
  return { id, text: noise.join(' '), words, identifier }
}

const letters = (random: Random, count: number) =>
  Array.from({ length: count }, () => random.pick([...'ABCDEFGHJKLMNPQRSTUVWXYZ'])).join('')

function remedy({ device, part, problem }: Words, identifier: string, random: Random): string {
  const [first, second] = [random.pick(random.pick(REMEDIES)), random.pick(random.pick(REMEDIES))]
  return random.pick([
    `When the ${part} of the ${device} shows a ${problem}, ${first} it first and then ${second} it; the display reads ${identifier}.`,
    `Code ${identifier} stands for a ${problem} at the ${part}: ${first} the ${part}, wait an hour, and ${second} it before the ${device} runs again.`,
    `To end a ${problem} in the ${part}, stop the ${device}, ${first} what you see and ${second} the rest (see ${identifier}).`,
  ])
}

function report({ device, part, problem }: Words, identifier: string, random: Random): string {
  const [person, place] = [random.pick(PEOPLE), random.pick(PLACES)]
  return random.pick([
    `${person} noted a ${problem} at the ${part} of the ${device} in the ${place}, ticket ${identifier}.`,
    `In the ${place} the ${device} was stopped for a ${problem}; the ${part} was to blame (${identifier}).`,
  ])
}

/** About something else, in the same words. */
function aside(random: Random): string {
  const [person, place] = [random.pick(PEOPLE), random.pick(PLACES)]
  const device = random.pick(random.pick(DEVICES))
  const part = random.pick(random.pick(PARTS))
  const problem = random.pick(random.pick(PROBLEMS))
  return random.pick([
    `${person} keeps the keys of the ${place} and signs for every ${device}.`,
    `A ${part} is ordered in boxes of ${2 + random.below(30)}.`,
    `The ${place} opens at ${6 + random.below(5)} and has no room for a second ${device}.`,
    `Whoever sees a ${problem} tells ${person} the same day.`,
    `How to ${random.pick(random.pick(REMEDIES))} a ${part} is taught in the ${place} each spring.`,
  ])
}

type Told = { readonly topic: Topic; readonly written: readonly Written[] }

function makeQuery(kind: QueryKind, { topic, written }: Told, random: Random): CorpusQuery {
  const answer = written[0] ?? fail()
  if (kind === 'identifier') {
    const text = random.pick([answer.identifier, `What does ${answer.identifier} mean?`])
    return { kind, text, grades: new Map([[answer.id, 2]]) }
  }
  const grades = new Map(written.map(({ id }, at) => [id, at === 0 ? 2 : 1]))
  return { kind, text: ask(reword(kind, topic, answer.words, random), random), grades }
}

function reword(kind: QueryKind, topic: Topic, words: Words, random: Random): Words {
  const each = (change: (word: string, meaning: readonly string[]) => string): Words => ({
    device: change(words.device, topic.device),
    part: change(words.part, topic.part),
    problem: change(words.problem, topic.problem),
  })
  if (kind === 'other words') return each((word, meaning) => meaning.find((it) => it !== word) ?? word)
  if (kind === 'misspelled') return each((word) => misspell(word, random))
  if (kind === 'forms') return each((word) => inflect(word))
  return words
}

const ask = ({ device, part, problem }: Words, random: Random): string =>
  random.pick([
    `${device} ${part} ${problem}`,
    `What do I do about a ${problem} at the ${part} of my ${device}?`,
    `${problem} in ${part}, ${device}`,
  ])

/** One letter left out, written twice, or put before the one it follows; the first one stays. */
function misspell(word: string, random: Random): string {
  const at = 1 + random.below(word.length - 1)
  const [before, letter, after] = [word.slice(0, at), word[at] ?? '', word.slice(at + 1)]
  if (word.length > 3 && random.below(2) === 0) return `${before}${after}`
  if (after === '' || after[0] === letter) return `${before}${letter}${letter}${after}`
  return `${before}${after[0]}${letter}${after.slice(1)}`
}

/** As a word is bent by what stands around it: of one that ends in `-ing` or is a plural already, its stem. */
function inflect(word: string): string {
  if (word.endsWith('ing')) return word.slice(0, -3)
  if (/(s|x|sh|ch)$/.test(word)) return `${word}es`
  return /[^aeiou]y$/.test(word) ? `${word.slice(0, -1)}ies` : `${word}s`
}
