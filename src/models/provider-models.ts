/** The models a provider offers, asked from the provider itself and remembered for a while. */
import type { Dispatcher } from 'undici'
import type { Clock } from '../lib/clock.ts'
import { fetchJson } from './fetch-json.ts'
import { readAnthropicPage } from './read-anthropic-list.ts'
import {
  type ListedModel,
  MAX_LISTED_MODELS,
  readGeminiModels,
  readLlamaCppWindow,
  readModelList,
  readOllamaLoaded,
  readOllamaShow,
  readOllamaTags,
} from './read-model-list.ts'

export type { ListedModel } from './read-model-list.ts'

export const LIST_TIMEOUT_MS = 5000
export const MAX_LIST_BYTES = 4 * 1024 * 1024
export const LIST_FRESH_MS = 300_000
/** A provider that failed is not asked again for so long. */
export const LIST_RETRY_MS = 15_000
/** Models of one Ollama that are asked for their details, and how many at a time. */
const MAX_SHOWN_MODELS = 200
const SHOW_CONCURRENCY = 8
/** The most that Gemini gives at once. */
const GEMINI_PAGE_SIZE = 1000
const MAX_GEMINI_PAGES = 5

/**
 * Who answers: some tell more on their own endpoints than on the OpenAI-style one. `none`: there is no list to ask for
 * (Vertex AI), and models go by the names the operator knows.
 */
export type ListKind = 'openai' | 'ollama' | 'lmstudio' | 'llamacpp' | 'anthropic' | 'gemini' | 'none'

export type ListSource = {
  /** Up to and including the version segment, as `http://127.0.0.1:11434/v1`. */
  readonly baseUrl: string
  readonly kind?: ListKind
  readonly headers?: Readonly<Record<string, string>>
  readonly clock: Clock
  readonly timeoutMs?: number
  readonly dispatcher: Dispatcher
}

/** Asks for at most `maxAgeMs` old rows; rejects with a `ModelError` when there are none to give. */
export type ModelLister = (maxAgeMs?: number) => Promise<readonly ListedModel[]>

/**
 * Remembers the rows of `load`. Callers at the same moment share one call; when a refresh fails the old rows stand, and
 * the provider is left alone for `LIST_RETRY_MS`.
 */
export function createModelLister(load: () => Promise<readonly ListedModel[]>, clock: Clock): ModelLister {
  let rows: readonly ListedModel[] | null = null
  let loadedAt = Number.NEGATIVE_INFINITY
  let failedAt = Number.NEGATIVE_INFINITY
  let failure: unknown
  let running: Promise<void> | null = null

  const refresh = async (): Promise<void> => {
    try {
      rows = await load()
      loadedAt = clock.monotonic()
      failedAt = Number.NEGATIVE_INFINITY
    } catch (error) {
      failure = error
      failedAt = clock.monotonic()
    }
  }
  return async (maxAgeMs = LIST_FRESH_MS) => {
    const now = clock.monotonic()
    if (rows !== null && now - loadedAt < maxAgeMs) return rows
    if (now - failedAt >= LIST_RETRY_MS) {
      running ??= refresh().finally(() => {
        running = null
      })
      await running
    }
    if (rows === null) throw failure
    return rows
  }
}

/** Asks the provider now. Throws `ModelError`. */
export async function fetchModels(source: ListSource): Promise<readonly ListedModel[]> {
  switch (source.kind ?? 'openai') {
    case 'openai':
      return readModelList(await get(source, source.baseUrl, '/models'))
    case 'lmstudio':
      return readModelList(await get(source, rootOf(source.baseUrl), '/api/v0/models'))
    case 'ollama':
      return fetchOllamaModels(source)
    case 'llamacpp':
      return fetchLlamaCppModels(source)
    case 'anthropic':
      return fetchAnthropicModels(source)
    case 'gemini':
      return fetchGeminiModels(source)
    case 'none':
      return []
  }
}

/** A server that always knows of one more page is left at the bound. */
async function fetchGeminiModels(source: ListSource): Promise<readonly ListedModel[]> {
  const rows: ListedModel[] = []
  let token: string | null = null
  for (let page = 0; page < MAX_GEMINI_PAGES; page++) {
    const after = token === null ? '' : `&pageToken=${encodeURIComponent(token)}`
    const { models, nextPageToken } = readGeminiModels(
      await get(source, source.baseUrl, `/models?pageSize=${GEMINI_PAGE_SIZE}${after}`),
    )
    rows.push(...models)
    token = nextPageToken
    if (token === null) break
  }
  return rows.slice(0, MAX_LISTED_MODELS)
}

async function fetchOllamaModels(source: ListSource): Promise<readonly ListedModel[]> {
  const root = rootOf(source.baseUrl)
  const [tags, loaded] = await Promise.all([
    get(source, root, '/api/tags'),
    get(source, root, '/api/ps').then(readOllamaLoaded, () => new Map<string, number>()),
  ])
  const rows = [...readOllamaTags(tags)]
  const pending = rows.slice(0, MAX_SHOWN_MODELS).entries()
  const work = async () => {
    for (const [index, row] of pending) {
      const shown = await get(source, root, '/api/show', { model: row.id }).then(readOllamaShow, () => ({}))
      const window = loaded.get(row.id)
      rows[index] = { ...row, info: window === undefined ? shown : { ...shown, contextWindow: window } }
    }
  }
  await Promise.all(Array.from({ length: SHOW_CONCURRENCY }, work))
  return rows
}

async function fetchLlamaCppModels(source: ListSource): Promise<readonly ListedModel[]> {
  const [list, window] = await Promise.all([
    get(source, source.baseUrl, '/models'),
    get(source, rootOf(source.baseUrl), '/props').then(readLlamaCppWindow, () => null),
  ])
  const rows = readModelList(list)
  return window === null ? rows : rows.map((row) => ({ ...row, info: { ...row.info, contextWindow: window } }))
}

/** The largest page it gives. */
const ANTHROPIC_PAGE = 1000

async function fetchAnthropicModels(source: ListSource): Promise<readonly ListedModel[]> {
  const models: ListedModel[] = []
  let after: string | null = null
  do {
    const base = new URL(source.baseUrl)
    base.searchParams.set('limit', String(ANTHROPIC_PAGE))
    if (after !== null) base.searchParams.set('after_id', after)
    const page = readAnthropicPage(await get(source, base.href, '/models'))
    models.push(...page.models)
    // A page without models would be followed by itself for ever.
    after = page.models.length === 0 ? null : page.after
  } while (after !== null && models.length < MAX_LISTED_MODELS)
  return models
}

/** Engines have their own endpoints beside the versioned ones. */
const rootOf = (baseUrl: string) => withoutSlash(baseUrl).replace(/\/v\d+$/, '')
const withoutSlash = (url: string) => url.replace(/\/+$/, '')

const get = (
  { headers = {}, clock, timeoutMs = LIST_TIMEOUT_MS, dispatcher }: ListSource,
  base: string,
  path: string,
  body?: unknown,
) =>
  fetchJson({
    url: urlOf(base, path),
    clock,
    timeoutMs,
    maxBytes: MAX_LIST_BYTES,
    headers,
    ...(body === undefined ? {} : { body }),
    dispatcher,
  })

/** The query of the base, an API version for example, stays behind the path. */
function urlOf(base: string, path: string): string {
  const url = new URL(base)
  const [name = '', query = ''] = path.split('?', 2)
  url.pathname = `${withoutSlash(url.pathname)}${name}`
  url.search = [url.search.slice(1), query].filter(Boolean).join('&')
  return url.href
}
