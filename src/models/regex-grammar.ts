/**
 * Regex grammars are written in the syntax of Rust's `regex` crate. Most of them mean the same in JavaScript; the
 * others cannot be checked here, and it is better to say so than to refuse a good input.
 */

/** A grammar as a JavaScript expression that must match the whole input. */
export type PortableRegex = { readonly source: string; readonly flags: string }

/** Rust's classes are Unicode, JavaScript's are not. */
const CLASS_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['d', '\\p{Nd}'],
  ['D', '\\P{Nd}'],
  ['s', '\\p{White_Space}'],
  ['S', '\\P{White_Space}'],
])
const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200c\\u200d'
/** JavaScript's dot also stops at other line ends. */
const ANY_BUT_NEWLINE = '[^\\n]'
const INLINE_FLAGS = /\(\?[a-zA-Z-]+[:)]/
/** Not `b` and `B`: Rust's word boundary knows letters beyond ASCII. */
const SAME_LETTER_ESCAPES: ReadonlySet<string> = new Set(['n', 'r', 't', 'f', 'v', 'x', 'u', 'p', 'P'])
const SYNTAX_CHARS: ReadonlySet<string> = new Set('^$\\.*+?()[]{}|/')
/** Set operations and nested or POSIX classes: legal in JavaScript as well, with another meaning. */
const SET_SYNTAX = /&&|~~|--/

/** Null when the definition cannot be expressed faithfully. */
export function toPortableRegex(definition: string): PortableRegex | null {
  const body = INLINE_FLAGS.test(definition) ? null : translate(definition)
  if (body === null) return null
  const source = `^(?:${body})$`
  try {
    new RegExp(source, 'u')
    return { source, flags: 'u' }
  } catch {
    return null
  }
}

function translate(definition: string): string | null {
  let out = ''
  let classStart = -1
  for (let index = 0; index < definition.length; index += 1) {
    const char = definition.charAt(index)
    if (char === '\\') {
      index += 1
      const translated = translateEscape(definition.charAt(index), classStart !== -1)
      if (translated === null) return null
      out += translated
    } else if (classStart === -1) {
      if (char === '[') classStart = index
      out += char === '.' ? ANY_BUT_NEWLINE : char
    } else {
      if (char === '[') return null
      if (char === ']') {
        if (SET_SYNTAX.test(definition.slice(classStart, index))) return null
        classStart = -1
      }
      out += char
    }
  }
  return out
}

function translateEscape(char: string, inClass: boolean): string | null {
  const unicode = CLASS_ESCAPES.get(char)
  if (unicode !== undefined) return unicode
  if (char === 'w') return inClass ? WORD : `[${WORD}]`
  if (char === 'W') return inClass ? null : `[^${WORD}]`
  if (SAME_LETTER_ESCAPES.has(char)) return `\\${char}`
  if (/[0-9A-Za-z]/.test(char) || char === '') return null
  if (SYNTAX_CHARS.has(char) || (inClass && char === '-')) return `\\${char}`
  return char
}
