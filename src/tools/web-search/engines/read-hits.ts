/** From what an engine sent to hits: fields that are not what they should be are left out, rows without a link too. */
import { SearchError, type SearchHit } from '../search-engine.ts'

type Fields = Readonly<Record<string, unknown>>

export type HitFields = {
  readonly url: string
  readonly title: string
  /** The first of them that holds text. */
  readonly snippet: readonly string[]
  readonly published: readonly string[]
}

const MAX_TITLE_CHARS = 300
const MAX_SNIPPET_CHARS = 2000
const MAX_URL_CHARS = 2048
const MAX_HITS = 50

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `rows`: the list of an engine's answer. Throws `SearchError` when it is none. */
export function readHits(rows: unknown, names: HitFields, engine: string): readonly SearchHit[] {
  if (!Array.isArray(rows)) throw new SearchError('malformed', `${engine} sent no list of results`)
  return rows.slice(0, MAX_HITS).flatMap((row: unknown) => (isFields(row) ? (readHit(row, names) ?? []) : []))
}

function readHit(row: Fields, names: HitFields): SearchHit | null {
  return toHit({
    url: textOf(row[names.url]),
    title: textOf(row[names.title]),
    snippet: firstText(row, names.snippet),
    published: firstText(row, names.published) || null,
  })
}

/** Null for what has no address that can be opened. */
export function toHit({ url, title, snippet, published }: SearchHit): SearchHit | null {
  const parsed = URL.parse(url)
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || url.length > MAX_URL_CHARS) return null
  if (parsed.username !== '' || parsed.password !== '') return null
  return {
    url: parsed.href,
    title: tidy(title).slice(0, MAX_TITLE_CHARS).toWellFormed() || parsed.hostname,
    snippet: tidy(snippet).slice(0, MAX_SNIPPET_CHARS).toWellFormed(),
    published: published === null ? null : tidy(published).slice(0, 40).toWellFormed(),
  }
}

const firstText = (row: Fields, names: readonly string[]): string =>
  names.map((name) => textOf(row[name])).find((text) => text !== '') ?? ''

/** A list of texts counts as one. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  return Array.isArray(value) ? value.filter((part) => typeof part === 'string').join(' … ') : ''
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#x27': "'", '#39': "'" }

/** Engines mark what was searched for as HTML does. */
const tidy = (text: string): string =>
  text
    .replace(/<\/?(?:strong|b|em|mark)>/g, '')
    .replace(/&(amp|lt|gt|quot|#x27|#39);/g, (_, name: string) => ENTITIES[name] ?? '')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
