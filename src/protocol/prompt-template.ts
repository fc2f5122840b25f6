/**
 * Placeholders: `{{name}}` in the instructions and messages of a template, and what is put into their place.
 *
 * Invariant: values are put in once and are not read again, so a value cannot bring placeholders of its own.
 */
import type { MessagePart } from './content.ts'
import { badRequest, missingParameter, unknownParameter } from './errors.ts'
import { clip, joinQuoted } from './invalid-texts.ts'
import type { InputItemParam, MessageParam } from './items.ts'
import type { PromptValue } from './prompt-param.ts'
import { MAX_PROMPT_VARIABLES, type PromptTemplate, type PromptVariable } from './prompts.ts'

const PLACEHOLDER = /\{\{\s*([A-Za-z_][A-Za-z0-9_]{0,63})\s*\}\}/g
const ONLY_PLACEHOLDER = new RegExp(`^\\s*${PLACEHOLDER.source}\\s*$`)

type Input = NonNullable<PromptTemplate['input']>
type Place = { readonly text: string; readonly mayBePart: boolean; readonly path: string }

/** Every variable of a template with its type; one that is used and not declared is a string. */
export function variablesOf(template: PromptTemplate): Record<string, PromptVariable> {
  const declared = template.variables ?? {}
  const used = placesOf(template).flatMap(({ text }) => namesIn(text))
  return {
    ...declared,
    ...Object.fromEntries(used.flatMap((name) => (Object.hasOwn(declared, name) ? [] : [[name, STRING]]))),
  }
}

const STRING: PromptVariable = { type: 'string' }
const namesIn = (text: string): string[] => [...text.matchAll(PLACEHOLDER)].flatMap(([, name]) => name ?? [])

/** Refuses a template that no value could fill. */
export function checkTemplate(template: PromptTemplate): void {
  const places = placesOf(template)
  const used = new Set(places.flatMap(({ text }) => namesIn(text)))
  const all = variablesOf(template)
  if (Object.keys(all).length > MAX_PROMPT_VARIABLES)
    throw badRequest('variables', 'invalid_value', `A prompt has at most ${MAX_PROMPT_VARIABLES} variables.`)
  for (const [name, { type, default: value }] of Object.entries(template.variables ?? {})) {
    const path = `variables.${clip(name)}`
    if (!used.has(name)) throw badRequest(path, 'invalid_value', `No placeholder uses the variable '${clip(name)}'.`)
    if (type !== 'string' && typeof value === 'string')
      throw badRequest(`${path}.default`, 'invalid_value', `Only variables of type 'string' have a default.`)
  }
  for (const { text, mayBePart, path } of places) {
    const stranger = namesIn(text).find((name) => all[name]?.type !== 'string')
    if (stranger === undefined || (mayBePart && ONLY_PLACEHOLDER.test(text))) continue
    const why = `'${stranger}' is no text: its placeholder must be all there is of a part of a user message.`
    throw badRequest(path, 'invalid_value', `Invalid '${path}': ${why}`)
  }
}

function placesOf({ instructions, input }: PromptTemplate): Place[] {
  const places: Place[] = instructions ? [{ text: instructions, mayBePart: false, path: 'instructions' }] : []
  if (typeof input === 'string') return [...places, { text: input, mayBePart: true, path: 'input' }]
  for (const [index, item] of (input ?? []).entries()) {
    if (!isMessage(item)) continue
    const path = `input[${index}].content`
    const mayBePart = item.role === 'user'
    if (typeof item.content === 'string') places.push({ text: item.content, mayBePart, path })
    else {
      for (const [at, part] of item.content.entries())
        if ('text' in part) places.push({ text: part.text, mayBePart, path: `${path}[${at}]` })
    }
  }
  return places
}

/** The template with values in the place of its placeholders. Refuses missing, unknown and wrongly typed values. */
export function renderTemplate(
  template: PromptTemplate,
  given: Readonly<Record<string, PromptValue>>,
): Pick<PromptTemplate, 'instructions' | 'input'> {
  const values = valuesFor(variablesOf(template), given)
  const { instructions, input } = template
  return {
    ...(instructions ? { instructions: fillText(instructions, values) } : {}),
    ...(input ? { input: fillInput(input, values) } : {}),
  }
}

type Values = ReadonlyMap<string, PromptValue>

function valuesFor(
  variables: Readonly<Record<string, PromptVariable>>,
  given: Readonly<Record<string, PromptValue>>,
): Values {
  const known = Object.keys(variables)
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(variables, name))
  if (unknown !== undefined) {
    const names = known.length > 0 ? ` Its variables are ${joinQuoted(known)}.` : ' It has no variables.'
    const path = `prompt.variables.${clip(unknown)}`
    throw badRequest(path, 'unknown_parameter', `${unknownParameter(path).message}${names}`)
  }
  return new Map(
    Object.entries(variables).map(([name, { type, default: fallback }]) => {
      const value = Object.hasOwn(given, name) ? given[name] : (fallback ?? undefined)
      const path = `prompt.variables.${name}`
      if (value === undefined) throw missingParameter(path)
      if (typeOf(value) === type) return [name, value]
      const message = `Invalid type for '${path}': expected ${EXPECTED[type]}.`
      throw badRequest(path, 'invalid_type', message)
    }),
  )
}

const EXPECTED = {
  string: "a string or a part of type 'input_text'",
  image: "a part of type 'input_image'",
  file: "a part of type 'input_file'",
} as const

function typeOf(value: PromptValue): PromptVariable['type'] {
  if (typeof value === 'string' || value.type === 'input_text') return 'string'
  return value.type === 'input_image' ? 'image' : 'file'
}

const textOf = (value: PromptValue | undefined): string =>
  typeof value === 'string' ? value : value?.type === 'input_text' ? value.text : ''

const fillText = (text: string, values: Values): string =>
  text.replaceAll(PLACEHOLDER, (_, name: string) => textOf(values.get(name)))

/** The part that stands in the place of a whole text; null where the text is to be filled. */
function partFor(text: string, values: Values): MessagePart | null {
  const name = ONLY_PLACEHOLDER.exec(text)?.[1]
  const value = name === undefined ? undefined : values.get(name)
  return value === undefined || typeof value === 'string' || value.type === 'input_text' ? null : value
}

function fillInput(input: Input, values: Values): InputItemParam[] {
  if (typeof input === 'string') return [{ role: 'user', content: fillContent(input, values) }]
  return input.map((item) => {
    if (!isMessage(item)) return item
    return { ...item, content: fillContent(item.content, values) }
  })
}

const isMessage = (item: InputItemParam): item is MessageParam =>
  (item.type === undefined || item.type === 'message') && 'role' in item

function fillContent(content: string | readonly MessagePart[], values: Values): string | MessagePart[] {
  if (typeof content === 'string') {
    const part = partFor(content, values)
    return part ? [part] : fillText(content, values)
  }
  return content.map((part) => {
    if (!('text' in part)) return part
    return partFor(part.text, values) ?? { ...part, text: fillText(part.text, values) }
  })
}
