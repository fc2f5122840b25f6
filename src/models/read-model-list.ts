/** Vendors' model lists -> our own rows. What vendors say beyond the id differs; every known spelling is read. */
import { countIn, isObject, type JsonObject, listIn, objectIn, textIn } from './json-fields.ts'
import { isChatModel, isEmbeddingModel, type ModelInfo } from './model-info.ts'

/** Rows of one provider. */
export const MAX_LISTED_MODELS = 5000
export const MAX_ID_CHARS = 256

export type ListedModel = {
  /** The name the provider knows. */
  readonly id: string
  /** Seconds since the epoch. */
  readonly created: number | null
  readonly ownedBy: string | null
  /** For people, where the provider has one. */
  readonly displayName?: string
  readonly info: ModelInfo
  /** Absent: it answers prompts. */
  readonly kind?: 'embedding'
}

/** Types of rows (Together, LM Studio) that answer no prompts. */
const OTHER_TYPES: ReadonlySet<string> = new Set(['image', 'audio', 'video', 'rerank', 'moderation', 'transcribe'])

/** `{data: [...]}`, as nearly everybody sends it, or a bare array. Rows that make no sense are left out. */
export function readModelList(document: unknown): readonly ListedModel[] {
  const rows = Array.isArray(document) ? document : listIn(document, 'data')
  return rows.slice(0, MAX_LISTED_MODELS).flatMap(readRow)
}

/** A page of Gemini's `GET /models`: those that generate content. */
export function readGeminiModels(document: unknown): {
  readonly models: readonly ListedModel[]
  readonly nextPageToken: string | null
} {
  const models = listIn(document, 'models').flatMap((row): ListedModel[] => {
    const id = textIn(row, 'name')?.replace(/^models\//, '') ?? ''
    if (id === '' || id.length > MAX_ID_CHARS || !isChatModel(id)) return []
    if (!listIn(row, 'supportedGenerationMethods').includes('generateContent')) return []
    const window = countIn(row, 'inputTokenLimit')
    const output = countIn(row, 'outputTokenLimit')
    const info: ModelInfo = {
      ...(window === null ? {} : { contextWindow: window }),
      ...(output === null ? {} : { maxOutputTokens: output }),
      ...(isObject(row) && typeof row.thinking === 'boolean' ? { reasoning: row.thinking } : {}),
    }
    return [{ id, created: null, ownedBy: 'google', info }]
  })
  return { models: models.slice(0, MAX_LISTED_MODELS), nextPageToken: textIn(document, 'nextPageToken') }
}

/** `GET /api/tags` of Ollama. */
export function readOllamaTags(document: unknown): readonly ListedModel[] {
  return listIn(document, 'models')
    .slice(0, MAX_LISTED_MODELS)
    .flatMap((row) => {
      const id = textIn(row, 'model') ?? textIn(row, 'name')
      const kind = id === null || id.length > MAX_ID_CHARS ? null : kindOf(id, '')
      if (id === null || kind === null) return []
      return [{ id, created: readDate(textIn(row, 'modified_at')), ownedBy: null, info: {}, ...kind }]
    })
}

/**
 * `POST /api/show` of Ollama. The length in `model_info` is what the model was trained for, not what Ollama serves it
 * with, so only an explicit `num_ctx` counts.
 */
export function readOllamaShow(document: unknown): ModelInfo {
  const window = /^num_ctx\s+(\d+)\s*$/m.exec(textIn(document, 'parameters') ?? '')?.[1]
  const features = listIn(document, 'capabilities')
  const flags = {
    functionTools: features.includes('tools'),
    imageInput: features.includes('vision'),
    reasoning: features.includes('thinking'),
  }
  return { ...(window ? { contextWindow: Number(window) } : {}), ...(features.length > 0 ? flags : {}) }
}

/** `GET /api/ps` of Ollama: the windows of the models that are loaded, by name. */
export function readOllamaLoaded(document: unknown): ReadonlyMap<string, number> {
  const rows = listIn(document, 'models').flatMap((row): [string, number][] => {
    const id = textIn(row, 'model') ?? textIn(row, 'name')
    const window = countIn(row, 'context_length')
    return id !== null && window !== null ? [[id, window]] : []
  })
  return new Map(rows)
}

/** The window of llama.cpp's only model, from `GET /props`. */
export const readLlamaCppWindow = (document: unknown): number | null =>
  countIn(objectIn(document, 'default_generation_settings'), 'n_ctx') ?? countIn(document, 'n_ctx')

function readRow(row: unknown): readonly ListedModel[] {
  if (!isObject(row)) return []
  // Gemini's compatible endpoint lists `models/...` and takes the name without it.
  const id = textIn(row, 'id')?.replace(/^models\//, '') ?? ''
  const kind = id === '' || id.length > MAX_ID_CHARS ? null : kindOf(id, textIn(row, 'type') ?? '')
  if (kind === null) return []
  if (!('kind' in kind) && objectIn(row, 'capabilities').completion_chat === false) return []
  const created = countIn(row, 'created') ?? readDate(textIn(row, 'created_at'))
  return [{ id, created, ownedBy: textIn(row, 'owned_by') ?? textIn(row, 'publisher'), info: readInfo(row), ...kind }]
}

/** What a model is good for, by the type its row says or else by its name; null: neither prompts nor embeddings. */
function kindOf(id: string, type: string): { readonly kind: 'embedding' } | Record<never, never> | null {
  if (type === 'embedding' || type === 'embeddings') return { kind: 'embedding' }
  if (OTHER_TYPES.has(type)) return null
  if (isChatModel(id)) return {}
  return isEmbeddingModel(id) ? { kind: 'embedding' } : null
}

function readInfo(row: JsonObject): ModelInfo {
  // The window a model is loaded with counts for more than the one it could have.
  const window =
    countIn(row, 'loaded_context_length', 'max_model_len', 'context_window', 'context_length') ??
    countIn(objectIn(row, 'top_provider'), 'context_length') ??
    (textIn(row, 'state') === null ? countIn(row, 'max_context_length') : null)
  const output =
    countIn(row, 'max_completion_tokens', 'max_output_tokens') ??
    countIn(objectIn(row, 'top_provider'), 'max_completion_tokens')
  return {
    ...(window === null ? {} : { contextWindow: window }),
    ...(output === null ? {} : { maxOutputTokens: output }),
    ...readFlags(row),
  }
}

function readFlags(row: JsonObject): ModelInfo {
  const flags: { -readonly [Field in keyof ModelInfo]: ModelInfo[Field] } = {}
  const inputs = listIn(objectIn(row, 'architecture'), 'input_modalities')
  if (inputs.length > 0) flags.imageInput = inputs.includes('image')
  const parameters = listIn(row, 'supported_parameters')
  if (parameters.length > 0) {
    flags.functionTools = parameters.includes('tools')
    flags.structuredOutput = parameters.includes('structured_outputs')
    flags.reasoning = parameters.includes('reasoning')
    flags.logprobs = parameters.includes('logprobs')
  }
  const features = objectIn(row, 'capabilities')
  if (typeof features.vision === 'boolean') flags.imageInput = features.vision
  if (typeof features.function_calling === 'boolean') flags.functionTools = features.function_calling
  if (textIn(row, 'type') === 'vlm') flags.imageInput = true
  if (textIn(row, 'type') === 'llm' && textIn(row, 'state') !== null) flags.imageInput = false
  return flags
}

/** Seconds since the epoch; null for what is no date, or the epoch itself. */
export function readDate(text: string | null): number | null {
  const time = text === null ? Number.NaN : Date.parse(text)
  return Number.isFinite(time) && time > 0 ? Math.floor(time / 1000) : null
}
