/** Values for the properties of a schema, found in what the user wrote and in what tools answered. */
import { isRecord } from '../../lib/schema-values.ts'
import { findArithmetic } from './arithmetic.ts'
import { explicitValue } from './explicit-value.ts'
import { type Fact, learnFacts, type Source } from './facts.ts'
import { type Property, propertiesOf } from './schema-properties.ts'
import { namesIn, numbersAt, placesIn, shapedValues } from './text-values.ts'
import { contentWords, escapePattern, isStopWord, quotedIn, stem, wordsOf } from './words.ts'

export type Hints = {
  /** Property name -> value. */
  readonly values: Map<string, unknown>
  /** A text property the user gave several values for: one call each. */
  readonly fanOut: { readonly name: string; readonly values: readonly string[] } | null
  /** Required properties nothing was found for. */
  readonly missing: readonly string[]
}

export type Material = {
  readonly text: string
  /** Where facts may come from besides the text: earlier messages. */
  readonly sources: readonly Source[]
  /** Outputs of tools called for the same question. */
  readonly outputs: readonly string[]
  /** Words that name the tool and are therefore nobody's value. */
  readonly toolWords?: ReadonlySet<string>
}

const MAX_TEXT_CHARS = 16_000

export function hintsFromText(schema: unknown, material: Material): Hints {
  const finder = createFinder(material)
  const values = new Map<string, unknown>(Object.entries(jsonIn(material.text)))
  let fanOut: Hints['fanOut'] = null
  const properties = propertiesOf(schema)
  for (const property of properties) {
    if (values.has(property.name)) continue
    const found = finder.find(property, properties)
    const [first] = found
    if (first === undefined) continue
    const isList = property.types.includes('array')
    values.set(property.name, isList ? found : first)
    const texts = found.filter((value) => typeof value === 'string')
    if (!isList && !fanOut && texts.length > 1 && found.length === texts.length)
      fanOut = { name: property.name, values: texts }
  }
  const missing = properties.filter(({ name, isRequired }) => isRequired && !values.has(name)).map(({ name }) => name)
  return { values, fanOut, missing }
}

/** A JSON object written out in the text is taken at its word. */
function jsonIn(text: string): Record<string, unknown> {
  const start = text.indexOf('{')
  const end = text.lastIndexOf('}')
  if (start < 0 || end <= start || end - start > MAX_TEXT_CHARS) return {}
  try {
    const value: unknown = JSON.parse(text.slice(start, end + 1))
    return isRecord(value) ? value : {}
  } catch {
    return {}
  }
}

type Finder = { find(property: Property, all: readonly Property[]): readonly unknown[] }

function createFinder({ text: whole, sources, outputs, toolWords }: Material): Finder {
  const text = whole.slice(0, MAX_TEXT_CHARS)
  const stems = new Set(wordsOf(text).map(stem))
  const numbers = numbersAt(text)
  const used = new Set<unknown>()
  const facts = learnFacts([...sources, { speaker: 'user', text }])
  const answered = outputs.map(flattenOutput)
  const outputFacts = learnFacts(outputs.map((output) => ({ speaker: 'tool' as const, text: output })))
  const isFree = (value: string) =>
    !used.has(value) && !wordsOf(value).every((word) => toolWords?.has(stem(word)) || isStopWord(word))

  const find = (property: Property, all: readonly Property[]): readonly unknown[] => {
    if (property.item) {
      const numeric = property.item.types.some((type) => type === 'integer' || type === 'number')
      if (numeric) return numbers.map(({ value }) => value)
      return find({ ...property.item, name: property.name, words: property.words }, all)
    }
    const explicit = explicitValue(property, whole, all)
    if (explicit !== undefined) return [explicit]
    if (property.members) return membersIn(property.members, text)
    const { types } = property
    if (types.includes('boolean')) return booleanOf(property, text, stems)
    if (types.includes('integer') || types.includes('number')) return numberOf(property)
    if (types.length > 0 && !types.includes('string')) return []
    const found = fromOutputs(property) ?? stringsOf(property)
    for (const value of found) used.add(value)
    return found
  }

  const numberOf = (property: Property): readonly unknown[] => {
    const fits = ({ value }: { value: number }) =>
      !property.types.includes('integer') || property.types.includes('number') || Number.isInteger(value)
    const names = property.words.split(' ').map(stem)
    const free = numbers.filter((number) => !used.has(number) && fits(number))
    const chosen =
      free.find(({ next }) => names.includes(stem(next))) ??
      (names.includes('age') ? free.find(({ next }) => /^years?$/.test(next)) : undefined)
    const taken = chosen ?? (fromOutputs(property) === null ? free[0] : undefined)
    if (!taken) return fromOutputs(property) ?? []
    used.add(taken)
    return [taken.value]
  }

  const fromOutputs = ({ name, words }: Property): readonly unknown[] | null => {
    const key = plain(name)
    for (const output of [...answered].reverse()) {
      const exact = output.get(key) ?? (key.endsWith('id') ? output.get('id') : undefined)
      if (exact !== undefined) return [exact]
    }
    const fact = outputFacts.findLast(
      (known) => contentWords(words).size > 0 && [...contentWords(words)].every((word) => known.words.has(word)),
    )
    if (fact) return [fact.value]
    const [scalar] = outputs
    return outputs.length === 1 && scalar && key.endsWith('id') && /^[\w-]{1,64}$/.test(scalar.trim())
      ? [scalar.trim()]
      : null
  }

  const stringsOf = ({ words }: Property): readonly string[] => {
    const known = factValue(words, facts)
    const shaped = shapedValues(words, text)
    if (shaped)
      return first(
        shaped.filter((value) => !used.has(value)),
        known,
      )
    if (/\b(?:expression|formula|equation|calculation|math|sum)\b/.test(words))
      return first([], findArithmetic(text)?.expression ?? known)
    if (/\b(?:code|script|python|command|cmd|shell|sql|source|program)\b/.test(words))
      return first([...codeIn(text), ...quotedIn(text)], codeFor(text))
    if (/\b(?:origin|from|source|departure)\b/.test(words)) return first(after('from', text), known)
    if (/\b(?:destination|to|target|arrival|recipient)\b/.test(words)) return first(after('to', text), known)
    if (/\b(?:location|city|cities|place|country|countries|region|address|town|area|where|timezone)\b/.test(words)) {
      const places = placesIn(text).filter(isFree)
      return places.length > 0 ? places : first(namesIn(text).filter(isFree), known)
    }
    if (
      /\b(?:query|q|search|keywords?|terms?|topic|question|prompt|input|request|task|text|content|body|message|note|description|reason|thought)\b/.test(
        words,
      )
    ) {
      return first([...quotedIn(text).filter(isFree)], subjectOf(text))
    }
    if (known !== null) return [known]
    return first([...quotedIn(text), ...namesIn(text), ...placesIn(text)].filter(isFree), null)
  }
  return { find }
}

const plain = (name: string): string => name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '')

const first = (values: readonly string[], otherwise: string | null): readonly string[] =>
  values.length > 0 ? values.slice(0, 1) : otherwise === null || otherwise === '' ? [] : [otherwise]

/** Members that stand in the text, as words, in any case; the first one named comes first. */
function membersIn(members: readonly unknown[], text: string): readonly unknown[] {
  const placed = members.flatMap((member) => {
    const words = escapePattern(String(member)).replaceAll(/[ _-]|\\-/g, '[ _-]')
    const synonym = SYNONYMS.get(String(member).toLowerCase())
    const match =
      new RegExp(`(?<![\\p{L}\\p{N}])${words}(?:e?s)?(?![\\p{L}\\p{N}])`, 'iu').exec(text) ??
      (synonym ? synonym.exec(text) : null)
    return match ? [{ member, index: match.index }] : []
  })
  return placed
    .sort((left, right) => left.index - right.index)
    .slice(0, 1)
    .map(({ member }) => member)
}

const CELSIUS = /°\s?C\b|\bcelsius\b|\bcentigrade\b/i
const FAHRENHEIT = /°\s?F\b|\bfahrenheit\b/i
const SYNONYMS = new Map([
  ['celsius', CELSIUS],
  ['c', CELSIUS],
  ['metric', CELSIUS],
  ['fahrenheit', FAHRENHEIT],
  ['f', FAHRENHEIT],
  ['imperial', FAHRENHEIT],
])

/** `outdoor` is true when the text speaks of outdoors, false when it says "not outdoors". */
function booleanOf({ words }: Property, text: string, stems: ReadonlySet<string>): readonly boolean[] {
  const names = [...contentWords(words)].filter((word) => !/^(?:is|has|include|enable|use|should|allow)$/.test(word))
  const named = names.find((word) => stems.has(word))
  if (!named) return []
  const negated = new RegExp(
    `\\b(?:no|not|without|never|don['’]t|non|isn['’]t)[ -](?:\\w+ )?${escapePattern(named)}`,
    'i',
  )
  return [!negated.test(text)]
}

function factValue(words: string, facts: readonly Fact[]): string | null {
  const wanted = contentWords(words)
  if (wanted.size === 0) return null
  return (
    facts.findLast((fact) => fact.words.size === wanted.size && [...wanted].every((word) => fact.words.has(word)))
      ?.value ?? null
  )
}

const codeIn = (text: string): string[] =>
  [...text.matchAll(/```[a-z]*\n([\s\S]*?)```/g)].map((match) => (match[1] ?? '').trimEnd())

function codeFor(text: string): string | null {
  const sum = findArithmetic(text)
  if (sum) return `print(${sum.expression.replaceAll('^', '**')})`
  return /\b(?:run|execute)(?: the command| command)?:? (.+)$/i.exec(text)?.[1]?.trim() ?? null
}

const after = (preposition: string, text: string): string[] =>
  [
    ...text.matchAll(
      new RegExp(
        `\\b${preposition}\\s+(\\p{Lu}[\\p{L}\\p{M}'’.-]*(?: \\p{Lu}[\\p{L}\\p{M}'’.-]*)*|[\\w.+-]+@[\\w.-]+\\w)`,
        'gu',
      ),
    ),
  ].map((match) => match[1] ?? '')

/** What a request is about: "search the web for X" is about X. Else the whole request. */
function subjectOf(text: string): string {
  const match =
    /\b(?:search(?: the (?:web|internet|files?|documents?))?|look up|query|google|find|information|research|saying|says|say|about|echo|with)\s+(?:for |about |on |me |that )?(.+)$/is.exec(
      text,
    )
  const subject = (match?.[1] ?? text).trim()
  return subject.replace(/[.?!]+$/, '')
}

/** JSON of an output as plain names and scalar values; the first element speaks for a list. */
function flattenOutput(output: string): Map<string, unknown> {
  const found = new Map<string, unknown>()
  const visit = (value: unknown, depth: number): void => {
    if (depth > 5) return
    const record = Array.isArray(value) ? value[0] : value
    for (const [key, entry] of Object.entries(isRecord(record) ? record : {})) {
      if (typeof entry !== 'object' && !found.has(plain(key))) found.set(plain(key), entry)
      visit(entry, depth + 1)
    }
  }
  try {
    visit(JSON.parse(output), 0)
  } catch {
    // Not JSON: such an output is read as sentences instead.
  }
  return found
}
