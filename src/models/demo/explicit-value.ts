/** A property named in the text together with its value: "path notes.md", `limit = 5`, "content exactly: ...". */
import type { Property } from './schema-properties.ts'
import { escapePattern, isStopWord } from './words.ts'

/** Names of other properties that are looked out for: each makes every search slower. */
const MAX_OTHERS = 20

/** Undefined when the text does not name the property. `all`: names at which a value without quotes ends. */
export function explicitValue(property: Property, text: string, all: readonly Property[]): unknown {
  const name = namePattern(property)
  if (!isNamed(property, text)) return undefined
  const { types } = property
  if (types.includes('boolean')) {
    const word = new RegExp(`${name}\\s*(?:is|=|:|to)?\\s*(true|false|yes|no|on|off)\\b`, 'i').exec(text)?.[1]
    if (word !== undefined) return /^(?:true|yes|on)$/i.test(word)
  }
  if (types.includes('integer') || types.includes('number')) {
    const number = new RegExp(`${name}\\s*(?:is|=|:|of|to|set to)?\\s*(-?\\d+(?:\\.\\d+)?)(?![\\w-])`, 'i').exec(
      text,
    )?.[1]
    if (number !== undefined && (types.includes('number') || Number.isInteger(Number(number)))) return Number(number)
  }
  const isText = types.length === 0 || types.includes('string') || (types.includes('array') && property.item === null)
  return isText && !property.members ? explicitText(name, property, text, all) : undefined
}

function explicitText(name: string, property: Property, text: string, all: readonly Property[]): string | undefined {
  const quoted = new RegExp(
    `${name}\\s*(?:is|=|:|of|to|as|named|called|set to|exactly)*\\s*(?:"([^"\\n]*)"|“([^”\\n]*)”|\`([^\`\\n]*)\`|'([^'\\n]*)')`,
    'i',
  ).exec(text)
  if (quoted) return quoted[1] ?? quoted[2] ?? quoted[3] ?? quoted[4]
  const others = all
    .filter((other) => other.name !== property.name && isNamed(other, text))
    .slice(0, MAX_OTHERS)
    .map(namePattern)
  // A colon at the end of a line, or "exactly:", announces everything that follows.
  const gap = others.length > 0 ? `(?:(?!${others.join('|')})[^\\n:"]){0,30}` : '[^\\n:"]{0,30}'
  const rest = new RegExp(
    `${name}(?:${gap}\\bexactly\\b[^\\n:"]{0,20}:[ \\t]*\\n?|${gap}:[ \\t]*\\n)([\\s\\S]+)$`,
    'i',
  ).exec(text)?.[1]
  if (rest !== undefined) return rest.trim()
  const stop = others.length > 0 ? `(?=,?\\s+(?:and\\s+)?(?:the\\s+)?(?:${others.join('|')})|$)` : '$'
  const line = new RegExp(`${name}\\s*(?:=|:|\\bis\\b|\\bset to\\b)\\s*([^\\n]+?)[.;,]?${stop}`, 'im').exec(text)?.[1]
  if (line !== undefined) return line.trim()
  const token = new RegExp(`${name}\\s+(?:of |to |as |named |called )?(\\S+)`, 'i')
    .exec(text)?.[1]
    ?.replace(/[.,;:!?]+$/, '')
  return token !== undefined && looksLikeValue(token) ? token : undefined
}

/** "city Paris" and "path notes.md" give a value, "city in France" and "weather forecast" do not. */
const looksLikeValue = (token: string): boolean =>
  !isStopWord(token.toLowerCase()) && (/[\d./_@-]/.test(token) || /^\p{Lu}/u.test(token)) && /[\p{L}\p{N}]/u.test(token)

/** A name in quotes counts only where a colon or equals sign follows: else it is spoken about. */
const namePattern = ({ words }: Property): string => {
  const name = words.split(' ').map(escapePattern).join('[\\s_-]*')
  return `(?:(?<!["'\`“])\\b${name}\\b(?!["'\`”])|["'\`“]${name}["'\`”](?=\\s*[:=]))`
}

const isNamed = (property: Property, text: string): boolean => new RegExp(namePattern(property), 'i').test(text)
