/**
 * From a text to the terms that are indexed, and from a query to the terms that are looked for: the same for both.
 *
 * Words in small letters without accents; of a plural the singular, as English makes it; of a name like `createServer`
 * also its parts; of scripts that put no space between words every two characters that stand together. What comes out is
 * letters and digits alone, so it can stand in a query of FTS5 as it is.
 */

/** Scripts without spaces between words. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u
const RUN = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]+|[\p{L}\p{N}]+/gu
/** Where a name is made of several: `createServer`, `HTTPServer`. */
const INNER = /(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u
const MARKS = /\p{M}+/gu
/** Longer ones are keys or numbers that nobody types, cut so that they cost no more. */
export const MAX_TERM_CHARS = 64

export function analyzeText(text: string): string[] {
  const terms: string[] = []
  for (const [run] of text.normalize('NFKD').replace(MARKS, '').matchAll(RUN)) addTerms(run, terms)
  return terms
}

function addTerms(run: string, terms: string[]): void {
  if (UNSPACED.test(run)) {
    const characters = [...run]
    if (characters.length === 1) terms.push(run)
    for (let at = 0; at + 1 < characters.length; at++) terms.push(`${characters[at]}${characters[at + 1]}`)
    return
  }
  terms.push(toTerm(run))
  const parts = run.split(INNER)
  if (parts.length > 1) for (const part of parts) terms.push(toTerm(part))
}

const toTerm = (word: string): string => singular(word.toLowerCase().slice(0, MAX_TERM_CHARS).toWellFormed())

/** Harman's three rules. */
function singular(word: string): string {
  if (word.length < 4 || !word.endsWith('s')) return word
  if (word.endsWith('ies') && !/[ae]ies$/.test(word)) return `${word.slice(0, -3)}y`
  if (word.endsWith('es') && !/[aeo]es$/.test(word)) return word.slice(0, -1)
  return /[us]s$/.test(word) ? word : word.slice(0, -1)
}
