/** Words and sentences: the little grammar the demo model has. */

const STOP_WORDS = new Set(
  `a about after again all also am an and any are as at be been before being but by can could did do does doing done
  for from get give gets go had has have he hello her here hi him his how i if in into is it its itself just kindly know let like many much
  me mine more most my no not now of off ok okay on once only or our out over own please remember remind remembered said say she should so some
  tell told than thank thanks that the their them then there these they this those to too up us use used using very want was we were what when
  where which while who whom whose why will with without would you your yours reply answer respond return question exactly
  earlier previously mentioned mention asked ask`.split(/\s+/),
)

/** Lower case words and numbers in order; `get_weather` and `getWeather` are two words each. */
export function wordsOf(text: string): string[] {
  const separated = text.replaceAll(/(\p{Ll})(\p{Lu})/gu, '$1 $2').replaceAll(/['’]s\b/g, '')
  return separated.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
}

export const isStopWord = (word: string): boolean => STOP_WORDS.has(word)

/** Those that carry meaning, in their base form, each once. */
export const contentWords = (text: string): Set<string> =>
  new Set(
    wordsOf(text)
      .filter((word) => !STOP_WORDS.has(word))
      .map(stem),
  )

/** Plural and verb endings off, crudely: only equality of the results counts. */
export function stem(word: string): string {
  if (word.length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`
  if (word.length > 5 && word.endsWith('ing')) return word.slice(0, -3)
  if (word.length > 5 && word.endsWith('ed')) return word.slice(0, -2)
  if (word.length > 3 && word.endsWith('s') && !/(ss|us|is)$/.test(word)) return word.slice(0, -1)
  return word
}

/** Sentences and lines, trimmed, without empty ones. A dot inside a number, name or path does not end one. */
export function sentencesOf(text: string): string[] {
  return text
    .split(/(?<=[.!?。！？])["')\]]?\s+|\n+/u)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '')
}

export const isQuestion = (text: string): boolean =>
  /\?/.test(text) ||
  /^\s*(what|which|who|whom|whose|where|when|why|how|do|does|did|is|are|can|could|tell|recall|remind|name|give|state|repeat|find|retrieve)\b/i.test(
    text,
  )

/** Without the quotes around it, if it stands in one pair of them. */
export function unquote(text: string): string {
  const [open, close] = [text.charAt(0), text.charAt(text.length - 1)]
  const inner = text.slice(1, -1)
  return text.length > 1 && PAIRS.has(open + close) && !inner.includes(open) && !inner.includes(close) ? inner : text
}
const PAIRS = new Set(['""', "''", '``', '“”', '‘’', '«»'])

/** What stands in quotes, in order; an apostrophe inside a word opens none. */
export const quotedIn = (text: string): string[] =>
  [
    ...text.matchAll(/"([^"\n]+)"|`([^`\n]+)`|“([^”\n]+)”|«([^»\n]+)»|(?<![\p{L}\p{N}])'([^'\n]+)'(?![\p{L}\p{N}])/gu),
  ].map((match) => match[1] ?? match[2] ?? match[3] ?? match[4] ?? match[5] ?? '')

export const escapePattern = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&')

export const listOf = (parts: readonly string[]): string =>
  parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`

/** The first `max` characters, with an ellipsis where something was cut. */
export function shorten(text: string, max: number): string {
  const characters = [...text]
  return characters.length <= max
    ? text
    : `${characters
        .slice(0, max - 1)
        .join('')
        .trimEnd()}…`
}
