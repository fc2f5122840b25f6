/** Values that stand in a text: names, places, numbers, dates, addresses. */
import { isStopWord, quotedIn, sentencesOf, wordsOf } from './words.ts'

const NAME = "\\p{Lu}[\\p{L}\\p{M}\\p{N}'’.-]*[\\p{L}\\p{N}]|\\p{Lu}"
const LIST = `(?:${NAME})(?:\\s+(?:${NAME}))*(?:(?:\\s*,\\s*(?:and |or )?|\\s+(?:and|or|&|AND|OR)\\s+)(?:in |for |at )?(?:${NAME})(?:\\s+(?:${NAME}))*)*`
/** Sentences begin with a capital: these words are not names there. */
const VERBS = new Set(
  `add answer book calculate call check compute create describe execute explain extract fetch fill find first generate
  how imagine invent list look make output parse produce provide query read run search send set show solve summarize
  tell then translate use weather what write yes return finally next after now both also using show order`.split(/\s+/),
)
const DETERMINERS = new Set([
  'a',
  'an',
  'the',
  'me',
  'my',
  'all',
  'one',
  'some',
  'this',
  'that',
  'these',
  'both',
  'for',
  'up',
])
const NO_PLACES = new Set(
  `celsius fahrenheit kelvin days day hours weeks today tomorrow degrees general detail details parallel json order english
  celcius metric imperial total turn this that it advance short words one two three four five both each every sure fact people
  tonight now parallel sequence text tool tools python code exactly`.split(/\s+/),
)

/** Capitalised names in order: "Ada", "Chez Nous", "New York". */
export function namesIn(text: string): string[] {
  return sentencesOf(text).flatMap((sentence) => {
    const found = [...sentence.matchAll(new RegExp(`(?<![\\p{L}\\p{N}'’@./])(?:${NAME})(?:\\s(?:${NAME}))*`, 'gu'))]
    return found.flatMap((match) => nameAt(sentence, match.index, match[0].replace(/['’]s$/, '')))
  })
}

function nameAt(sentence: string, index: number, name: string): string[] {
  if (/^[A-Z]{2,4}$/.test(name) && isStopWord(name.toLowerCase())) return []
  if (/^(?:JSON|XML|CSV|HTML|PDF|SQL|API|HTTP|URL|ID|OK|AI)$/.test(name)) return []
  if (/^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day$/.test(name)) return []
  if (/^(?:I|I['’]m|I['’]ll|I['’]d|I['’]ve)$/.test(name)) return []
  const words = name.split(' ')
  const first = (words[0] ?? '').toLowerCase()
  const isStart = /^\W*$/.test(sentence.slice(0, index)) || /[:"“]\s*$/.test(sentence.slice(0, index))
  const isWord = isStopWord(first.replace(/['’].*$/, '')) || VERBS.has(first)
  if (isStart && words.length === 1) {
    const next = wordsOf(sentence.slice(index + name.length))[0] ?? ''
    if (isWord || DETERMINERS.has(next)) return []
  }
  const kept = isWord ? words.slice(1).join(' ') : name
  return kept === '' ? [] : [kept]
}

/** Places named after a preposition; `splitList` of the run: "Paris and Tokyo" is two, "Paris, France" one. */
export function placesIn(text: string): string[] {
  const listed = [...text.matchAll(new RegExp(`\\b(?:in|at|for|near|of|between|like in|to)\\s+(${LIST})`, 'gu'))]
  const found = listed.flatMap((match) => splitList(match[1] ?? ''))
  if (found.length > 0) return found
  const lower = [...text.matchAll(/\b(?:in|at|for|near)\s+([\p{Ll}][\p{L}'’-]+)/gu)].map((match) => match[1] ?? '')
  return lower.filter((word) => !NO_PLACES.has(word) && !isStopWord(word)).slice(0, 1)
}

export function splitList(run: string): string[] {
  const hasAnd = /\s(?:and|or|&|AND|OR)\s/.test(run)
  const parts = run.split(hasAnd ? /\s*,\s*(?:and |or )?|\s+(?:and|or|&|AND|OR)\s+/ : /(?!)/)
  const list = !hasAnd && run.split(',').length > 2 ? run.split(/\s*,\s*/) : parts
  return list
    .map((part) =>
      part
        .replace(/^(?:in|for|at) /, '')
        .replace(/['’]s$/, '')
        .trim(),
    )
    .filter((part) => part !== '')
}

const NUMBER_WORDS = 'zero one two three four five six seven eight nine ten eleven twelve'.split(' ')

export type FoundNumber = { readonly value: number; readonly index: number; readonly next: string }

/** Numbers in digits or small words, each with the word that follows. Not those inside dates, times or names. */
export function numbersAt(text: string): FoundNumber[] {
  const pattern = new RegExp(
    `(?<![\\w.:/-])(?:-?\\d+(?:,\\d{3})*(?:\\.\\d+)?|\\b(?:${NUMBER_WORDS.slice(1).join('|')})\\b)(?![\\w]|[-:/]\\d)`,
    'gi',
  )
  return [...text.matchAll(pattern)].flatMap((match) => {
    const word = NUMBER_WORDS.indexOf(match[0].toLowerCase())
    const value = word >= 0 ? word : Number(match[0].replaceAll(',', ''))
    const next = wordsOf(text.slice(match.index + match[0].length, match.index + match[0].length + 40))[0] ?? ''
    return Number.isFinite(value) ? [{ value, index: match.index, next }] : []
  })
}

type Shape = { readonly names: RegExp; readonly find: (text: string) => string[] }

const all =
  (pattern: RegExp) =>
  (text: string): string[] =>
    [...text.matchAll(pattern)].map((match) => match[1] ?? match[0])

const TOKEN_WITH_DIGIT = /(?<![\w./-])(?=[\w-]{0,40}\d)[\p{L}\d][\w-]{0,63}(?![\w/-])/gu
const isoDate = all(/\b\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?)?/g)
const namedDay = all(
  /\b(?:today|tomorrow|yesterday|tonight|monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b/gi,
)
const clockTime = all(
  /\b\d{1,2}(?::\d{2}(?::\d{2})?)?\s?(?:am|pm)\b|\b\d{1,2}:\d{2}(?::\d{2})?\b|\bnoon\b|\bmidnight\b/gi,
)

/** What a text parameter of a certain name looks like. The first row that fits the name decides. */
const SHAPES: readonly Shape[] = [
  { names: /e-?mail/, find: all(/[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+/g) },
  { names: /\b(?:ur[il]s?|link|website|web page)\b/, find: all(/\bhttps?:\/\/[^\s"'<>)]+[^\s"'<>).,;!?]/g) },
  {
    names: /\b(?:date|day|when|start|end|deadline|due)\b/,
    find: (text) => [...isoDate(text), ...namedDay(text), ...clockTime(text)],
  },
  { names: /\btime\b/, find: (text) => [...clockTime(text), ...isoDate(text), ...namedDay(text)] },
  {
    names: /\b(?:path|file|filename|directory|folder|dir)\b/,
    find: all(/(?<![\w:/])(?:[~.]{0,2}\/[\w./-]*\w|[\w-]+(?:\/[\w.-]+)*\.[A-Za-z]\w{0,7})(?!\w)/g),
  },
  { names: /\b(?:phone|telephone|mobile)\b/, find: all(/\+?\d[\d ()-]{6,18}\d/g) },
  { names: /\b(?:currency|ticker|symbol|iata|airport)\b/, find: all(/\b[A-Z]{3,5}\b/g) },
  {
    names: /\b(?:id|uuid|number|code|reference|ref|sku|key)\b/,
    find: (text) => [...all(TOKEN_WITH_DIGIT)(text), ...quotedIn(text)],
  },
]

/** Null when the name says nothing about the shape. `name`: its words, lower case, with spaces. */
export function shapedValues(name: string, text: string): string[] | null {
  return SHAPES.find(({ names }) => names.test(name))?.find(text) ?? null
}
