/** The values for one property of a schema that a text or the outputs of tools hold. */
import { plainName } from '../../lib/fill-schema.ts'
import { findArithmetic } from './arithmetic.ts'
import { explicitValue } from './explicit-value.ts'
import type { Fact } from './facts.ts'
import type { Property } from './schema-properties.ts'
import { type FoundNumber, namesIn, placesIn, shapedValues } from './text-values.ts'
import { contentWords, escapePattern, isStopWord, quotedIn, stem, wordsOf } from './words.ts'

/** What is searched, prepared once for all properties of a schema. */
export type Search = {
  readonly text: string
  /** With more of a long text, for values given word for word. */
  readonly whole: string
  readonly properties: readonly Property[]
  readonly stems: ReadonlySet<string>
  readonly numbers: readonly FoundNumber[]
  readonly facts: readonly Fact[]
  readonly outputs: readonly string[]
  /** The outputs that are JSON: plain name -> scalar. */
  readonly answered: readonly ReadonlyMap<string, unknown>[]
  readonly outputFacts: readonly Fact[]
  readonly toolWords: ReadonlySet<string>
  /** Values that were given to an earlier property. */
  readonly used: Set<unknown>
}

/** None where nothing fits; several where the text lists several. */
export function valuesFor(property: Property, search: Search): readonly unknown[] {
  if (property.item) return listFor(property, property.item, search)
  const { types, members } = property
  const explicit = explicitValue(property, search.whole, search.properties)
  if (explicit !== undefined) return [explicit]
  if (members) return membersIn(members, search.text)
  if (types.includes('boolean')) return booleanOf(property, search)
  if (types.includes('integer') || types.includes('number')) return numberFor(property, search)
  if (types.length > 0 && !types.includes('string')) return []
  const found = fromOutputs(property, search) ?? textsFor(property, search)
  for (const value of found) search.used.add(value)
  return found
}

function listFor(property: Property, item: Property, search: Search): readonly unknown[] {
  if (item.types.some((type) => type === 'integer' || type === 'number'))
    return search.numbers.map(({ value }) => value)
  // A list of names is all names, also those that stand for something else too.
  const names = item.members || !PEOPLE.test(property.words) ? [] : [...new Set(namesIn(search.text))]
  return names.length > 0 ? names : valuesFor({ ...item, name: property.name, words: property.words }, search)
}

const PEOPLE = /\b(?:names|people|persons|participants|attendees|members|users|guests|authors|characters|entities)\b/

// ---- numbers --------------------------------------------------------------------------------------------------

/** The number next to the property's name, else one a tool answered, else the next that is free. */
function numberFor(property: Property, search: Search): readonly unknown[] {
  const isWhole = property.types.includes('integer') && !property.types.includes('number')
  const names = property.words.split(' ').map(stem)
  const free = search.numbers.filter(
    (number) => !search.used.has(number) && (!isWhole || Number.isInteger(number.value)),
  )
  const isNamed = ({ next }: FoundNumber) =>
    names.includes(stem(next)) || (names.includes('age') && /^years?$/.test(next))
  const answered = fromOutputs(property, search)
  const taken = free.find(isNamed) ?? (answered === null ? free[0] : undefined)
  if (!taken) return answered ?? []
  search.used.add(taken)
  return [taken.value]
}

function fromOutputs({ name, words }: Property, search: Search): readonly unknown[] | null {
  const key = plainName(name)
  for (const output of [...search.answered].reverse()) {
    const exact = output.get(key) ?? (key.endsWith('id') ? output.get('id') : undefined)
    if (exact !== undefined) return [exact]
  }
  const wanted = [...contentWords(words)]
  const fact = search.outputFacts.findLast(
    (known) => wanted.length > 0 && wanted.every((word) => known.words.has(word)),
  )
  if (fact) return [fact.value]
  const [scalar = ''] = search.outputs
  return search.outputs.length === 1 && key.endsWith('id') && /^[\w-]{1,64}$/.test(scalar.trim())
    ? [scalar.trim()]
    : null
}

// ---- texts ----------------------------------------------------------------------------------------------------

type TextRule = {
  readonly names: RegExp
  readonly find: (search: Search, property: Property) => readonly (string | null)[]
  /** Every value is one, not only the first. */
  readonly isList?: boolean
}

/** The first row that fits the property's name decides. */
const TEXT_RULES: readonly TextRule[] = [
  {
    names: /\b(?:expression|formula|equation|calculation|math|sum)\b/,
    find: ({ text }) => [findArithmetic(text)?.expression ?? null],
  },
  {
    names: /\b(?:code|script|python|command|cmd|shell|sql|source|program)\b/,
    find: ({ text }) => [...codeIn(text), ...quotedIn(text), codeFor(text)],
  },
  { names: /\b(?:origin|from|departure)\b/, find: ({ text }) => after('from', text) },
  { names: /\b(?:destination|to|target|arrival|recipient)\b/, find: ({ text }) => after('to', text) },
  {
    names: /\b(?:location|city|cities|place|country|countries|region|address|town|area|where|timezone)\b/,
    isList: true,
    find: (search) => {
      const places = placesIn(search.text).filter((value) => isFree(value, search))
      return places.length > 0
        ? places
        : namesIn(search.text)
            .filter((value) => isFree(value, search))
            .slice(0, 1)
    },
  },
  {
    names:
      /\b(?:query|q|search|keywords?|terms?|topic|question|prompt|input|request|task|text|content|body|message|note|description|reason|thought)\b/,
    find: (search, property) => [
      ...quotedIn(search.text).filter((value) => isFree(value, search)),
      subjectOf(property, search),
    ],
  },
]

function textsFor(property: Property, search: Search): readonly string[] {
  const { text, used } = search
  const known = factValue(property.words, search.facts)
  const shaped = shapedValues(property.words, text)
  if (shaped) return firstOf([...shaped.filter((value) => !used.has(value)), known])
  const rule = TEXT_RULES.find(({ names }) => names.test(property.words))
  if (rule) {
    const found = rule.find(search, property).filter((value) => value !== null && value !== '')
    return rule.isList && found.length > 0 ? found.filter((value) => value !== null) : firstOf([...found, known])
  }
  return firstOf([
    known,
    ...[...quotedIn(text), ...namesIn(text), ...placesIn(text)].filter((value) => isFree(value, search)),
  ])
}

const firstOf = (values: readonly (string | null)[]): readonly string[] =>
  values.filter((value): value is string => value !== null && value !== '').slice(0, 1)

/** Nobody's value yet, not the name of a property, and not the words that name the tool. */
function isFree(value: string, { used, properties, toolWords }: Search): boolean {
  if (used.has(value) || properties.some(({ name }) => plainName(name) === plainName(value))) return false
  return !wordsOf(value).every((word) => toolWords.has(stem(word)) || isStopWord(word))
}

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
function booleanOf({ words }: Property, { text, stems }: Search): readonly boolean[] {
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
function subjectOf({ name }: Property, { text, properties }: Search): string {
  const others = properties.filter((other) => other.name !== name).map(({ words }) => escapePattern(words))
  const written = /\b(?:write|put|save|append|store)\s+(.+?)\s+(?:to|into|in)\s/is.exec(text)?.[1]
  if (written !== undefined) return written
  const match =
    /\b(?:search(?: the (?:web|internet|files?|documents?))?|look up|query|google|find|information|research|saying|says|say|about|echo|with)\s+(?:for |about |on |me |that )?(.+)$/is.exec(
      text,
    )
  const subject = (match?.[1] ?? text).trim().replace(/[.?!]+$/, '')
  if (others.length === 0) return subject
  return subject.replace(
    new RegExp(`,?\\s+(?:with|and|using)\\s+(?:an? |the )?(?:${others.join('|')})\\b.*$`, 'is'),
    '',
  )
}
