/**
 * Regular expressions in the syntax of Rust's `regex` crate, put into JavaScript's. Most of them mean the same; where
 * they do not, either the expression is rewritten or it is not translated at all.
 */

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

/** For the `u` flag. Null when the expression cannot be expressed faithfully. */
export const fromRustRegex = (expression: string): string | null =>
  INLINE_FLAGS.test(expression) ? null : translate(expression)

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
