/** Values for the properties of a schema, found in what the user wrote and in what tools answered. */
import { plainName } from '../../lib/fill-schema.ts'
import { isRecord } from '../../lib/schema-values.ts'
import { learnFacts, type Source } from './facts.ts'
import { type Search, valuesFor } from './property-values.ts'
import { type Property, propertiesOf } from './schema-properties.ts'
import { numbersAt } from './text-values.ts'
import { stem, wordsOf } from './words.ts'

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
/** Of a text given word for word, as the content of a file. */
const MAX_EXPLICIT_CHARS = 262_144

export function hintsFromText(schema: unknown, material: Material): Hints {
  const values = new Map<string, unknown>(Object.entries(jsonIn(material.text)))
  let fanOut: Hints['fanOut'] = null
  const properties = propertiesOf(schema)
  const search = toSearch(material, properties)
  for (const property of properties) {
    if (values.has(property.name)) continue
    const found = valuesFor(property, search)
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

function toSearch({ text: whole, sources, outputs, toolWords }: Material, properties: readonly Property[]): Search {
  const text = whole.slice(0, MAX_TEXT_CHARS)
  return {
    text,
    whole: whole.slice(0, MAX_EXPLICIT_CHARS),
    properties,
    stems: new Set(wordsOf(text).map(stem)),
    numbers: numbersAt(text),
    facts: learnFacts([...sources, { speaker: 'user', text }]),
    outputs,
    answered: outputs.map(flattenOutput),
    outputFacts: learnFacts(outputs.map((output) => ({ speaker: 'tool' as const, text: output }))),
    toolWords: toolWords ?? new Set(),
    used: new Set(),
  }
}

/** JSON of an output as plain names and scalar values; the first element speaks for a list. */
function flattenOutput(output: string): Map<string, unknown> {
  const found = new Map<string, unknown>()
  const visit = (value: unknown, depth: number): void => {
    if (depth > 5) return
    const record = Array.isArray(value) ? value[0] : value
    for (const [key, entry] of Object.entries(isRecord(record) ? record : {})) {
      if (typeof entry !== 'object' && !found.has(plainName(key))) found.set(plainName(key), entry)
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
