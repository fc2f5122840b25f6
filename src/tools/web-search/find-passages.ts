/** Where a page speaks of something: the places of a text with what is around them. */

export type Passage = {
  /** Characters from the start of the page. */
  readonly start: number
  readonly text: string
}

const MAX_PASSAGES = 8
const AROUND = 300

/** `pattern` is plain text; upper and lower case are the same, and so is any space between words. */
export function findPassages(text: string, pattern: string): readonly Passage[] {
  const words = pattern.trim().split(/\s+/).map(escapePattern).join('\\s+')
  if (words === '') return []
  const passages: Passage[] = []
  let covered = -1
  for (const { index } of text.matchAll(new RegExp(words, 'giu'))) {
    if (index < covered) continue
    const start = Math.max(0, index - AROUND)
    covered = index + AROUND
    passages.push({ start, text: text.slice(start, covered).toWellFormed() })
    if (passages.length === MAX_PASSAGES) break
  }
  return passages
}

const escapePattern = (word: string) => word.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
