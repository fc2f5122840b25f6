/** `POST /v1/embeddings`: the request, what it is checked for, and the answer. */
import { compileCheck } from './compile-check.ts'
import { MAX_TEXT_CHARS } from './content.ts'
import { badRequest } from './errors.ts'
import { explainInvalid } from './explain-invalid.ts'
import { reportUnknownFields } from './foreign-fields.ts'
import { Maybe, OneOf, type Static, Type } from './schema.ts'
import type { Validated, ValidationOptions } from './validate.ts'

/** OpenAI's own bounds. */
export const MAX_EMBEDDING_INPUTS = 2048
const MAX_INPUT_TOKENS = 8192
const MAX_DIMENSIONS = 16_384

const TokenSchema = Type.Integer({ minimum: 0 })
const TokensSchema = Type.Array(TokenSchema, { minItems: 1, maxItems: MAX_INPUT_TOKENS })
const TextSchema = Type.String({ minLength: 1, maxLength: MAX_TEXT_CHARS })

export const CreateEmbeddingSchema = Type.Object({
  model: Maybe(Type.String({ minLength: 1, maxLength: 256 })),
  input: Type.Union([
    TextSchema,
    Type.Array(Type.Union([TextSchema, TokenSchema, TokensSchema]), { minItems: 1, maxItems: MAX_INPUT_TOKENS }),
  ]),
  dimensions: Maybe(Type.Integer({ minimum: 1, maximum: MAX_DIMENSIONS })),
  encoding_format: Maybe(OneOf(['float', 'base64'])),
  user: Maybe(Type.String()),
})

const EmbeddingSchema = Type.Object({
  object: Type.Literal('embedding'),
  index: Type.Integer(),
  /** Base64 of little-endian 32-bit floats, when that was asked for. */
  embedding: Type.Union([Type.Array(Type.Number()), Type.String()]),
})
export const EmbeddingListSchema = Type.Object({
  object: Type.Literal('list'),
  model: Type.String(),
  data: Type.Array(EmbeddingSchema),
  usage: Type.Object({ prompt_tokens: Type.Integer(), total_tokens: Type.Integer() }),
})

export type EmbeddingList = Static<typeof EmbeddingListSchema>
export type EmbeddingInput = string | readonly number[]

/** A validated request: its inputs one by one, whatever way they were written. */
export type EmbeddingsRequest = {
  readonly model: string | null
  readonly inputs: readonly EmbeddingInput[]
  readonly dimensions: number | null
  readonly encoding: 'float' | 'base64'
  readonly user: string | null
}

const fits = compileCheck(CreateEmbeddingSchema)
const FIELDS: ReadonlySet<string> = new Set(Object.keys(CreateEmbeddingSchema.properties))

/** @throws ApiError 400 with the path of the first field that is wrong */
export function validateEmbeddings(body: unknown, options: ValidationOptions): Validated<EmbeddingsRequest> {
  if (!fits(body)) throw explainInvalid(CreateEmbeddingSchema, body, {})
  const warnings: string[] = []
  reportUnknownFields(body, FIELDS, options.unknownParams, warnings, new Map())
  const request: EmbeddingsRequest = {
    model: body.model ?? null,
    inputs: toInputs(body.input),
    dimensions: body.dimensions ?? null,
    encoding: body.encoding_format ?? 'float',
    user: body.user ?? null,
  }
  return { request, warnings }
}

/** One text, one text in tokens, or a list of either. */
function toInputs(input: Static<typeof CreateEmbeddingSchema>['input']): readonly EmbeddingInput[] {
  if (typeof input === 'string') return [input]
  const tokens = input.filter((item) => typeof item === 'number')
  if (tokens.length === input.length) return [tokens]
  const [first] = input
  for (const [at, item] of input.entries()) {
    if (typeof item === typeof first) continue
    const path = `input[${at}]`
    throw badRequest(
      path,
      'invalid_type',
      `Invalid type for '${path}': all inputs are texts, or all are lists of tokens.`,
    )
  }
  if (input.length > MAX_EMBEDDING_INPUTS) {
    const message = `Invalid 'input': array too long. Expected an array with maximum length ${MAX_EMBEDDING_INPUTS}, but got an array with length ${input.length} instead.`
    throw badRequest('input', 'array_above_max_length', message)
  }
  return input.filter((item) => typeof item !== 'number')
}

export function toEmbeddingList(
  model: string,
  vectors: readonly (readonly number[])[],
  options: { readonly encoding: EmbeddingsRequest['encoding']; readonly inputTokens: number },
): EmbeddingList {
  return {
    object: 'list',
    model,
    data: vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: options.encoding === 'base64' ? toBase64(vector) : [...vector],
    })),
    usage: { prompt_tokens: options.inputTokens, total_tokens: options.inputTokens },
  }
}

const FLOAT_BYTES = 4

function toBase64(vector: readonly number[]): string {
  const bytes = Buffer.allocUnsafe(vector.length * FLOAT_BYTES)
  for (const [at, value] of vector.entries()) bytes.writeFloatLE(value, at * FLOAT_BYTES)
  return bytes.toString('base64')
}
