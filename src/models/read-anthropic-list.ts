/** `GET /v1/models` of Anthropic: pages of models, with what each of them can do. */
import { countIn, isObject, type JsonObject, listIn, objectIn, textIn } from './json-fields.ts'
import type { ModelInfo } from './model-info.ts'
import { type ListedModel, MAX_ID_CHARS, readDate } from './read-model-list.ts'

export type AnthropicPage = {
  readonly models: readonly ListedModel[]
  /** What the next page begins after; null on the last one. */
  readonly after: string | null
}

/** Rows that make no sense are left out. */
export function readAnthropicPage(document: unknown): AnthropicPage {
  const more = isObject(document) && document.has_more === true
  return { models: listIn(document, 'data').flatMap(readRow), after: more ? textIn(document, 'last_id') : null }
}

function readRow(row: unknown): readonly ListedModel[] {
  const id = textIn(row, 'id')
  if (!isObject(row) || id === null || id.length > MAX_ID_CHARS) return []
  const displayName = textIn(row, 'display_name')
  const model = { id, created: readDate(textIn(row, 'created_at')), ownedBy: 'anthropic', info: readInfo(row) }
  return [displayName === null ? model : { ...model, displayName }]
}

const FLAGS: readonly (readonly [field: string, flag: keyof ModelInfo])[] = [
  ['image_input', 'imageInput'],
  ['pdf_input', 'fileInput'],
  ['structured_outputs', 'structuredOutput'],
  ['thinking', 'reasoning'],
]

function readInfo(row: JsonObject): ModelInfo {
  const window = countIn(row, 'max_input_tokens')
  const output = countIn(row, 'max_tokens')
  const features = objectIn(row, 'capabilities')
  const flags = FLAGS.flatMap(([field, flag]) => {
    const { supported } = objectIn(features, field)
    return typeof supported === 'boolean' ? [[flag, supported]] : []
  })
  return {
    ...(window === null ? {} : { contextWindow: window }),
    ...(output === null ? {} : { maxOutputTokens: output }),
    ...Object.fromEntries(flags),
  }
}
