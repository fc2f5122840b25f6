/** Answers in JSON: an instance of the asked schema with values from the conversation, or an object that echoes. */
import { fillSchema } from '../../lib/fill-schema.ts'
import type { TextFormat } from '../../protocol/options.ts'
import { hintsFromText } from './arguments-from-text.ts'
import { findAnswer } from './compose-answer.ts'
import type { Conversation } from './conversation.ts'
import { propertiesOf } from './schema-properties.ts'

const MAX_KEYS = 50
const MAX_LITERAL_CHARS = 8000
/** "Respond with a JSON object", where nothing but the words asks for it. */
const ASKS_FOR_JSON = /\b(?:return|respond|reply|answer|output|produce|give|generate|emit)\b[^.?!\n]{0,60}\bJSON\b/i

/** Null: plain text was asked for. `compose` gives the plain answer, which a free object echoes. */
export function structuredAnswer(format: TextFormat, conversation: Conversation, compose: () => string): string | null {
  if (format.type === 'json_schema') return JSON.stringify(fillFromConversation(format.schema, conversation))
  const text = conversation.asked?.text ?? ''
  if (format.type === 'text' && !ASKS_FOR_JSON.test(text.slice(0, 4000))) return null
  if (
    format.type === 'text' &&
    /\b(?:valid|parse|what is|explain|about)\b[^.?!\n]{0,20}\bJSON\b/i.test(text.slice(0, 4000))
  )
    return null
  const literal = literalIn(text)
  if (literal !== null) return literal
  const schema = schemaInWords(text)
  if (schema) return JSON.stringify(fillFromConversation(schema, conversation))
  return JSON.stringify({ answer: compose(), question: text, model: 'demo' })
}

/** An object written out after a colon is what is wanted, byte for byte. */
function literalIn(text: string): string | null {
  const literal = /:\s*(\{[\s\S]*\})\s*$/.exec(text.slice(-MAX_LITERAL_CHARS))?.[1]
  if (literal === undefined) return null
  try {
    JSON.parse(literal)
    return literal
  } catch {
    return null
  }
}

function fillFromConversation(schema: unknown, conversation: Conversation): unknown {
  const { values } = hintsFromText(schema, {
    text: conversation.asked?.text ?? '',
    sources: conversation.utterances.filter(({ speaker }) => speaker === 'user' || speaker === 'system'),
    outputs: conversation.calls.flatMap(({ output }) => (output === null ? [] : [output])),
  })
  // What a schema calls the answer is what would have been said in plain text, as short as it goes.
  const answer = findAnswer(conversation)?.brief
  const named = propertiesOf(schema).filter(({ name }) => ANSWER_NAMES.test(name))
  if (answer !== undefined) for (const { name } of named) values.set(name, answer)
  return fillSchema(schema, values)
}

const ANSWER_NAMES = /^(?:final[_-]?)?(?:answer|result|response|reply|solution|value|output)$/i

/** `keys "name" (a string) and "age" (a number)` as a schema; null when no keys are named. */
function schemaInWords(text: string): object | null {
  const from = /\b(?:keys?|fields?|propert(?:y|ies)|attributes?)\b/i.exec(text)
  if (!from) return null
  const list = text.slice(from.index + from[0].length, from.index + 2000)
  const quoted = [...list.matchAll(/["'`“]([A-Za-z_][\w-]{0,63})["'`”]([^"'`“,;\n]{0,40})/g)]
  const bare = [
    ...(/^\s*:?\s*([\w-]+(?:\s*(?:,|and)\s*(?:and\s+)?[\w-]+)*)/i.exec(list)?.[1] ?? '').matchAll(/[\w-]+/g),
  ].filter(([word]) => word !== 'and')
  const keys =
    quoted.length > 0
      ? quoted.map((match) => [match[1] ?? '', match[2] ?? ''] as const)
      : bare.map(([word]) => [word, ''] as const)
  if (keys.length === 0) return null
  const properties = Object.fromEntries(
    keys.slice(0, MAX_KEYS).map(([key, told]) => [key, { type: typeInWords(key, told) }]),
  )
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false }
}

function typeInWords(key: string, told: string): string {
  if (/\bint(?:eger)?\b|\bwhole number\b/i.test(told)) return 'integer'
  if (
    /\bnumber\b|\bfloat\b/i.test(told) ||
    (told.trim() === '' && /^(?:age|count|year|quantity|total|price|score)$/i.test(key))
  )
    return 'number'
  if (/\bbool(?:ean)?\b|\btrue\b/i.test(told)) return 'boolean'
  if (/\b(?:array|list)\b/i.test(told)) return 'array'
  return /\bobject\b/i.test(told) ? 'object' : 'string'
}
