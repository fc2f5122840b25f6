/** The arguments of a call: what the model wants done. Models leave out what seems plain to them; what is meant counts. */

import { type ReadArguments, readArguments } from '../read-arguments.ts'
import type { FinishedCall } from '../tool.ts'

export type SearchAction =
  | { readonly type: 'search'; readonly queries: readonly string[] }
  | { readonly type: 'open_page'; readonly url: string; readonly start: number }
  | { readonly type: 'find_in_page'; readonly url: string; readonly pattern: string }

export type ReadAction = { readonly ok: true; readonly action: SearchAction } | Extract<ReadArguments, { ok: false }>

export const MAX_QUERIES = 4
const MAX_QUERY_CHARS = 400
const MAX_URL_CHARS = 2048
const MAX_PATTERN_CHARS = 200

export const ACTIONS = ['search', 'open_page', 'find_in_page'] as const

/** What the model is shown. */
export const PARAMETERS = {
  type: 'object',
  properties: {
    action: { type: 'string', enum: [...ACTIONS], description: 'What to do. open_page and find_in_page need a url.' },
    queries: {
      type: 'array',
      items: { type: 'string' },
      maxItems: MAX_QUERIES,
      description: 'For search: one or more queries, as for a search engine.',
    },
    url: { type: 'string', description: 'For open_page and find_in_page: the page.' },
    pattern: { type: 'string', description: 'For find_in_page: the words to find.' },
    start: { type: 'integer', minimum: 0, description: 'For open_page: the character to go on from.' },
  },
  required: ['action'],
  additionalProperties: false,
} as const

export function readAction(call: FinishedCall): ReadAction {
  const read = readArguments(call)
  if (!read.ok) return read
  const { action, queries, query, url, pattern, start } = read.value
  const address = textOf(url).slice(0, MAX_URL_CHARS)
  const wanted = ACTIONS.find((known) => known === action) ?? (address === '' ? 'search' : 'open_page')
  if (wanted === 'search') {
    const texts = [...(Array.isArray(queries) ? queries : [queries]), query].map(textOf).filter((text) => text !== '')
    if (texts.length === 0) return broken('a search needs "queries"')
    const distinct = [...new Set(texts.map((text) => text.slice(0, MAX_QUERY_CHARS).toWellFormed()))]
    return { ok: true, action: { type: 'search', queries: distinct.slice(0, MAX_QUERIES) } }
  }
  if (address === '') return broken(`${wanted} needs a "url"`)
  if (wanted === 'open_page') {
    const from = typeof start === 'number' && start > 0 ? Math.floor(start) : 0
    return { ok: true, action: { type: wanted, url: address, start: from } }
  }
  const words = textOf(pattern).slice(0, MAX_PATTERN_CHARS).toWellFormed()
  return words === ''
    ? broken('find_in_page needs a "pattern"')
    : { ok: true, action: { type: wanted, url: address, pattern: words } }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value.trim().toWellFormed() : '')

const broken = (problem: string): ReadAction => ({ ok: false, outcome: { type: 'bad-arguments', problem } })
