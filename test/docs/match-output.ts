/** Loose comparison of what a snippet printed with what the page shows: ids, times and counts may differ. */
import type { Expected } from './extract-snippets.ts'

/** Null when the output fits, else what is missing from it. */
export function whyUnlike(output: string, expected: Expected): string | null {
  return expected.language === 'text' ? missingLine(output, expected.content) : missingShape(output, expected.content)
}

/** Each line of the page is found in the output, in order; `…` or `...` stands for anything. */
function missingLine(output: string, expected: string): string | null {
  let at = 0
  for (const piece of expected.split(/\n|…|\.{3}/).map((it) => it.trim())) {
    if (piece === '') continue
    const found = output.indexOf(piece, at)
    if (found === -1) return `the output lacks "${piece}"`
    at = found + piece.length
  }
  return null
}

/** Every key of the page's JSON is in the output's, of the same kind; strings of words are compared, `…` fits all. */
function missingShape(output: string, expected: string): string | null {
  const [wanted, found] = [parse(expected), parse(output)]
  if (wanted === undefined) return 'the expected block is not JSON'
  if (found === undefined) return 'the output is not JSON'
  return differenceOf(wanted, found, '$')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function differenceOf(wanted: unknown, found: unknown, path: string): string | null {
  if (isRecord(wanted)) return isRecord(found) ? recordDifference(wanted, found, path) : `${path} is no object`
  if (Array.isArray(wanted)) return Array.isArray(found) ? listDifference(wanted, found, path) : `${path} is no list`
  if (wanted === null || typeof wanted !== typeof found) {
    return wanted === found ? null : `${path} is ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`
  }
  if (typeof wanted === 'number' || isVarying(wanted)) return null
  return wanted === found ? null : `${path} is ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`
}

/** Ids and elided texts. */
const isVarying = (value: unknown): boolean =>
  typeof value === 'string' && (/…|\.{3}/.test(value) || /^[a-z]+_[0-9a-zA-Z]{6,}$/.test(value))

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function recordDifference(wanted: Record<string, unknown>, found: Record<string, unknown>, path: string) {
  for (const [key, value] of Object.entries(wanted)) {
    if (!Object.hasOwn(found, key)) return `${path}.${key} is missing`
    const difference = differenceOf(value, found[key], `${path}.${key}`)
    if (difference !== null) return difference
  }
  return null
}

function listDifference(wanted: readonly unknown[], found: readonly unknown[], path: string): string | null {
  for (const [index, value] of wanted.entries()) {
    if (index >= found.length) return `${path}[${index}] is missing`
    const difference = differenceOf(value, found[index], `${path}[${index}]`)
    if (difference !== null) return difference
  }
  return null
}
