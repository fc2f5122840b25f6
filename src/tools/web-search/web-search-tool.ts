/** `web_search`, `web_search_preview` and their dated names, run here: one function for the model, for searching and reading. */
import type { WebSearchCall } from '../../protocol/hosted-items.ts'
import { HOSTED_TOOL_OF_TYPE } from '../../protocol/hosted-tools.ts'
import type { ToolParam, ToolSpec } from '../../protocol/tools.ts'
import type { DeclaredTool, FinishedCall, Tool, ToolContext, ToolOutcome, ToolStep } from '../tool.ts'
import { createDomainFilter, type DomainFilter } from './domain-filter.ts'
import { findPassages } from './find-passages.ts'
import { type Page, PageError, type PageReader } from './page-reader.ts'
import { PARAMETERS, readAction, type SearchAction } from './read-action.ts'
import { type SearchEngine, SearchError, type SearchHit, type SearchLocation } from './search-engine.ts'
import { type CitedHit, tellHits, tellPage, tellPassages } from './tell-model.ts'

type SearchParam = Extract<ToolParam, { search_context_size?: unknown }>
type ContextSize = 'low' | 'medium' | 'high'
type Action = WebSearchCall['action']

export type WebSearchOptions = {
  readonly engine: SearchEngine
  readonly reader: PageReader
  /** Pages that one response may fetch. */
  readonly maxPages: number
  readonly yieldsToProvider: boolean
}

/** The name the model knows it by. */
export const WEB_SEARCH_NAME = 'web_search'

/** How much of what is found the model gets to see. */
const SIZES: Readonly<
  Record<ContextSize, { readonly hits: number; readonly snippetChars: number; readonly pageChars: number }>
> = {
  low: { hits: 4, snippetChars: 300, pageChars: 4_000 },
  medium: { hits: 8, snippetChars: 700, pageChars: 12_000 },
  high: { hits: 15, snippetChars: 2_000, pageChars: 30_000 },
}

export function createWebSearchTool(options: WebSearchOptions): Tool {
  /** Pages fetched by each response; its context lives as long as it does. */
  const fetched = new WeakMap<ToolContext, number>()
  const mayFetch = (context: ToolContext) => () => {
    const count = fetched.get(context) ?? 0
    fetched.set(context, count + 1)
    return count < options.maxPages
  }
  return {
    yieldsToProvider: () => options.yieldsToProvider,
    // A search that may fetch nothing live is not run here: there is no index to search but the live web's.
    claims: (spec) => isWebSearch(spec) && !isOffline(spec),
    echo: (spec) => echo(searchParam(spec)),
    declare: (spec, path) => [declare(searchParam(spec), path)],
    open: ({ itemId }) => ({
      id: itemId,
      type: 'web_search_call',
      status: 'in_progress',
      action: { type: 'search', queries: [] },
    }),
    isRepeatable: true,
    execute: (call, context) => execute(call, context, { ...options, mayFetch: mayFetch(context) }),
  }
}

const isWebSearch = (spec: ToolParam): spec is SearchParam => HOSTED_TOOL_OF_TYPE.get(spec.type) === 'web_search'
const isPreview = (spec: SearchParam): spec is Extract<SearchParam, { search_content_types?: unknown }> =>
  spec.type.startsWith('web_search_preview')
const isOffline = (spec: SearchParam) => 'external_web_access' in spec && spec.external_web_access === false

function searchParam(spec: ToolParam): SearchParam {
  if (!isWebSearch(spec)) throw new TypeError(`a tool of type '${spec.type}' is no web search`)
  return spec
}

const sizeOf = (spec: SearchParam): ContextSize => spec.search_context_size ?? 'medium'

function echo(spec: SearchParam): ToolSpec {
  const place = spec.user_location ? { ...spec.user_location, type: 'approximate' as const } : null
  const shared = { search_context_size: sizeOf(spec), user_location: place }
  return isPreview(spec) ? { ...spec, ...shared } : { ...spec, ...shared, filters: spec.filters ?? null }
}

function declare(spec: SearchParam, path: string): DeclaredTool {
  const { allowed, blocked } = filterOf(spec, path)
  const place = [spec.user_location?.city, spec.user_location?.region, spec.user_location?.country].filter(Boolean)
  const description = [
    'Searches the web, opens a page of it, or finds words in a page. Search when the answer needs current or uncertain facts, then cite what you used by its mark.',
    ...(place.length > 0 ? [`The user is in or near ${place.join(', ')}.`] : []),
    ...(spec.user_location?.timezone ? [`The user's time zone is ${spec.user_location.timezone}.`] : []),
    ...(allowed.length > 0 ? [`Only these domains are searched: ${allowed.join(', ')}.`] : []),
    ...(blocked.length > 0 ? ['Some domains are left out.'] : []),
  ].join(' ')
  return {
    declaration: { type: 'function', name: WEB_SEARCH_NAME, description, parameters: PARAMETERS, strict: false },
    name: WEB_SEARCH_NAME,
    namespace: null,
    spec,
  }
}

const filterOf = (spec: SearchParam, path: string): DomainFilter =>
  createDomainFilter('filters' in spec ? spec.filters : null, `${path}.filters`)

type Running = WebSearchOptions & { readonly mayFetch: () => boolean }
type Done = { readonly ok: boolean; readonly action: Action; readonly output: string }

async function* execute(
  call: FinishedCall,
  context: ToolContext,
  running: Running,
): AsyncGenerator<ToolStep, ToolOutcome> {
  const { item } = call
  if (item?.type !== 'web_search_call') throw new TypeError('a web search runs in an item of its own')
  yield { type: 'progress', event: { type: 'response.web_search_call.in_progress' } }
  const read = readAction(call)
  if (!read.ok) {
    yield { type: 'finish', item: { ...item, status: 'failed' } }
    return read.outcome
  }
  yield { type: 'progress', event: { type: 'response.web_search_call.searching' } }
  const { ok, action, output } = await perform(read.action, searchParam(call.declared.spec), { context, running })
  if (ok) yield { type: 'progress', event: { type: 'response.web_search_call.completed' } }
  yield { type: 'finish', item: { ...item, status: ok ? 'completed' : 'failed', action } }
  return { type: 'result', output }
}

type Around = { readonly context: ToolContext; readonly running: Running }

const perform = (action: SearchAction, spec: SearchParam, around: Around): Promise<Done> =>
  action.type === 'search' ? search(action.queries, spec, around) : readPage(action, spec, around)

async function search(queries: readonly string[], spec: SearchParam, { context, running }: Around): Promise<Done> {
  const { hits: count, snippetChars } = SIZES[sizeOf(spec)]
  const filter = filterOf(spec, 'tools')
  const place = locationOf(spec)
  const ask = (text: string) =>
    running.engine.search(
      { text, count, location: place, allowedDomains: filter.allowed, blockedDomains: filter.blocked },
      context.signal,
    )
  const answers = await Promise.allSettled(queries.map(ask))
  const problems = answers.flatMap((it) => (it.status === 'rejected' ? [problemOf(it.reason)] : []))
  const found = merge(answers.map((it) => (it.status === 'fulfilled' ? it.value : [])))
  const hits = found.filter(({ url }) => filter.allows(new URL(url).hostname)).slice(0, count)
  const action: Action = {
    type: 'search',
    ...(queries[0] !== undefined && { query: queries[0] }),
    queries: [...queries],
  }
  if (problems.length === queries.length) {
    const output = `The search failed: ${problems.join('; ')}. Try again, or answer without it and say so.`
    return { ok: false, action, output }
  }
  const cited: CitedHit[] = hits.map((hit) => ({
    ...hit,
    snippet: hit.snippet.slice(0, snippetChars).toWellFormed(),
    mark: context.cite({ type: 'url', url: hit.url, title: hit.title }),
  }))
  const sources = hits.map(({ url }) => ({ type: 'url' as const, url }))
  const isIncluded = context.include.includes('web_search_call.action.sources')
  return { ok: true, action: isIncluded ? { ...action, sources } : action, output: tellHits(cited, problems) }
}

/** The first of each query, then the second of each; a page once. */
function merge(answers: readonly (readonly SearchHit[])[]): readonly SearchHit[] {
  const byUrl = new Map<string, SearchHit>()
  for (let rank = 0; answers.some((hits) => rank < hits.length); rank += 1) {
    for (const hits of answers) {
      const hit = hits[rank]
      if (hit !== undefined && !byUrl.has(hit.url)) byUrl.set(hit.url, hit)
    }
  }
  return [...byUrl.values()]
}

/** What is no failure of an engine is a fault of ours, and is told as one. */
function problemOf(error: unknown): string {
  if (error instanceof SearchError) return error.message
  throw error
}

async function readPage(
  action: Exclude<SearchAction, { type: 'search' }>,
  spec: SearchParam,
  { context, running }: Around,
): Promise<Done> {
  const shown: Action =
    action.type === 'open_page'
      ? { type: 'open_page', url: action.url }
      : { type: 'find_in_page', url: action.url, pattern: action.pattern }
  try {
    const filter = filterOf(spec, 'tools')
    const page = await running.reader.open(action.url, { filter, mayFetch: running.mayFetch, signal: context.signal })
    const mark = context.cite({ type: 'url', url: page.url, title: page.title || new URL(page.url).hostname })
    return { ok: true, action: shown, output: tell(action, page, mark, sizeOf(spec)) }
  } catch (error) {
    if (!(error instanceof PageError)) throw error
    return { ok: false, action: shown, output: `The page could not be opened: ${error.message}.` }
  }
}

function tell(action: Exclude<SearchAction, { type: 'search' }>, page: Page, mark: string, size: ContextSize): string {
  if (action.type === 'find_in_page') return tellPassages(page, findPassages(page.text, action.pattern), mark)
  return tellPage(page, { start: action.start, maxChars: SIZES[size].pageChars, mark })
}

function locationOf({ user_location: place }: SearchParam): SearchLocation | null {
  if (!place) return null
  const country = /^[a-z]{2}$/i.test(place.country ?? '') ? (place.country ?? '').toUpperCase() : null
  return { country, region: place.region || null, city: place.city || null }
}
