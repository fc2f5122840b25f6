/** `POST /v1/embeddings` of the fake provider: as strict as a real one, and the same vector for the same input. */
import type { ChatRefusal, Json } from './chat-validate.ts'

const FIELDS: ReadonlySet<string> = new Set(['model', 'input', 'encoding_format', 'dimensions', 'user'])
const DIMENSIONS = 8
const MAX_INPUTS = 2048

const bad = (message: string, param: string): ChatRefusal => ({ status: 400, message, param, code: null })

export function refuseEmbeddings(body: unknown): ChatRefusal | null {
  if (typeof body !== 'object' || body === null) return bad('No JSON.', 'body')
  const unknown = Object.keys(body).find((key) => !FIELDS.has(key))
  if (unknown !== undefined) return bad(`Unrecognized request argument supplied: ${unknown}`, unknown)
  const { input, encoding_format: encoding } = Object(body)
  if (!Array.isArray(input) || input.length === 0 || input.length > MAX_INPUTS)
    return bad("'$.input' is invalid.", 'input')
  if (input.some((item) => item === '' || item.length === 0)) return bad("'$.input' is invalid.", 'input')
  return encoding === undefined || encoding === 'float' ? null : bad('not float', 'encoding_format')
}

export function embeddingsReply(body: Json) {
  const { input, model, dimensions = DIMENSIONS } = Object(body)
  const texts: unknown[] = input
  const tokens = texts.reduce<number>((sum, text) => sum + Math.ceil(JSON.stringify(text).length / 4), 0)
  return {
    object: 'list',
    model,
    data: texts.map((text, index) => ({
      object: 'embedding',
      index,
      embedding: vectorOf(JSON.stringify(text), dimensions),
    })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  }
}

const vectorOf = (text: string, dimensions: number): number[] =>
  Array.from({ length: dimensions }, (_, at) => ((text.charCodeAt(at % text.length) * (at + 7)) % 97) / 97 - 0.5)
