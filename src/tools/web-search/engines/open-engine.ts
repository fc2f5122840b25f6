/** The engines by the names of the configuration. */
import type { SearchEngine } from '../search-engine.ts'
import type { EngineOptions } from './ask-engine.ts'
import { createBrave } from './brave.ts'
import { createDuckDuckGo } from './duckduckgo.ts'
import { createExa } from './exa.ts'
import { createSearxng } from './searxng.ts'
import { createSerper } from './serper.ts'
import { createTavily } from './tavily.ts'

type Known = { readonly baseUrl: string; readonly create: (options: EngineOptions) => SearchEngine }

const ENGINES = {
  searxng: { baseUrl: '', create: createSearxng },
  brave: { baseUrl: 'https://api.search.brave.com', create: createBrave },
  tavily: { baseUrl: 'https://api.tavily.com', create: createTavily },
  exa: { baseUrl: 'https://api.exa.ai', create: createExa },
  serper: { baseUrl: 'https://google.serper.dev', create: createSerper },
  duckduckgo: { baseUrl: 'https://html.duckduckgo.com', create: createDuckDuckGo },
} as const satisfies Record<string, Known>

export type SearchEngineName = keyof typeof ENGINES

/** Null for the address: the engine's own. */
export type EngineConnection = {
  readonly engine: SearchEngineName
  readonly url: string | null
  readonly apiKey: string | null
}

export function openEngine(
  { engine, url, apiKey }: EngineConnection,
  shared: Omit<EngineOptions, 'baseUrl' | 'apiKey'>,
): SearchEngine {
  const { baseUrl, create } = ENGINES[engine]
  return create({ ...shared, baseUrl: url ?? baseUrl, apiKey: apiKey ?? '' })
}
