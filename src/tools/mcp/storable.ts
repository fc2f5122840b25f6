/** What a stranger sent, in a form that can be kept, shown and walked: no control characters, no half characters, not too deep. */

/** Terminal escapes and NUL among them; line ends and tabs stay. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it removes
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g

export const storableText = (text: string): string => text.toWellFormed().replace(CONTROLS, '')

export const MAX_DEPTH = 64

/** Undefined when it is nested deeper than `MAX_DEPTH`. */
export function storableJson(value: unknown): { readonly value: unknown } | undefined {
  try {
    return { value: copy(value, 0) }
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function copy(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return storableText(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= MAX_DEPTH) throw new RangeError('too deep')
  if (Array.isArray(value)) return value.map((item) => copy(item, depth + 1))
  const entries = Object.entries(value).filter(([key]) => key !== '__proto__')
  return Object.fromEntries(entries.map(([key, item]) => [storableText(key), copy(item, depth + 1)]))
}
