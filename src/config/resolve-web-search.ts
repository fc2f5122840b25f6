/** Who searches the web: one engine, or several in order, each with what it needs. */
import { SEARCH_ENGINES, type Searcher } from './entities.ts'
import type { ReadContext } from './kinds.ts'
import type { ReadSettings } from './read-settings.ts'
import type { SearchEngineConfig, WebSearchConfig } from './resolved-config.ts'
import type { Place } from './source-node.ts'

type Written = {
  readonly engine: Searcher
  readonly url: string | null
  readonly api_key: string | null
  readonly place: Place
}

const KEYLESS: ReadonlySet<Searcher> = new Set(['searxng', 'duckduckgo', 'provider'])

export function resolveWebSearch(read: ReadSettings, context: ReadContext): WebSearchConfig {
  const written = writtenEngines(read, context)
  return {
    engines: written.flatMap((it) => toEngine(it, context) ?? []),
    providerFirst: written.some(({ engine }) => engine === 'provider'),
    robots: read.values['tools.web_search.robots'],
  }
}

function writtenEngines({ values, placeOf }: ReadSettings, context: ReadContext): readonly Written[] {
  const engines = values['tools.web_search.engines']
  const engine = values['tools.web_search.engine']
  const url = values['tools.web_search.url']
  const apiKey = values['tools.web_search.api_key']
  if (engines.length > 0) {
    for (const path of ['tools.web_search.engine', 'tools.web_search.url', 'tools.web_search.api_key'] as const) {
      if (values[path] !== null) context.error(placeOf(path), `"engines" is given; write this engine as one of them`)
    }
    return engines
  }
  if (engine !== null) return [{ engine, url, api_key: apiKey, place: placeOf('tools.web_search.engine') }]
  for (const path of ['tools.web_search.url', 'tools.web_search.api_key'] as const) {
    if (values[path] !== null)
      context.error(placeOf(path), `web_search lacks "engine": one of ${SEARCH_ENGINES.join(', ')}`)
  }
  return []
}

function toEngine({ engine, url, api_key: apiKey, place }: Written, context: ReadContext): SearchEngineConfig | null {
  if (engine === 'searxng' && url === null) context.error(place, 'the search engine "searxng" lacks "url"')
  if (apiKey === null && !KEYLESS.has(engine)) context.error(place, `the search engine "${engine}" lacks "api_key"`)
  return engine === 'provider' ? null : { engine, url, apiKey }
}
