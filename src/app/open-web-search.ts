/** Composition: the configured search engines -> the tool that searches and reads the web. */
import type { ResolvedConfig } from '../config/resolved-config.ts'
import type { DocumentReader } from '../documents/document-reader.ts'
import type { Clock } from '../lib/clock.ts'
import type { OutboundGuard } from '../lib/outbound-guard.ts'
import { createUpstreamAgent } from '../lib/upstream-http.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Tool } from '../tools/tool.ts'
import { openEngine } from '../tools/web-search/engines/open-engine.ts'
import { createPageParser } from '../tools/web-search/page-parser.ts'
import { createPageReader } from '../tools/web-search/page-reader.ts'
import { searchWithFallback } from '../tools/web-search/search-with-fallback.ts'
import { createWebSearchTool } from '../tools/web-search/web-search-tool.ts'
import { createDocumentPages } from './document-pages.ts'

export type WebSearchDeps = {
  readonly clock: Clock
  readonly guard: OutboundGuard
  readonly telemetry: Telemetry
  readonly documents: DocumentReader
}
export type OpenWebSearch = { readonly tools: readonly Tool[]; close(): Promise<void> }

export function openWebSearch({ webSearch, limits }: ResolvedConfig, deps: WebSearchDeps): OpenWebSearch {
  const { clock, guard, telemetry } = deps
  const timeoutMs = limits.webSearchTimeMs
  const dispatcher = createUpstreamAgent({ connectMs: timeoutMs })
  const parser = createPageParser({ clock })
  const tool = createWebSearchTool({
    engine: searchWithFallback(
      webSearch.engines.map((connection) => openEngine(connection, { dispatcher, clock, timeoutMs })),
      (error) => telemetry.failed({ requestId: null, where: 'web-search', error }),
    ),
    reader: createPageReader({
      guard,
      clock,
      parser,
      documents: createDocumentPages(deps.documents),
      limits: { maxBytes: limits.webPageBytes, timeoutMs: limits.webPageTimeMs, maxRedirects: 3 },
      respectRobots: webSearch.robots,
    }),
    maxPages: limits.webPages,
    yieldsToProvider: webSearch.providerFirst,
  })
  return {
    tools: [tool],
    async close() {
      await Promise.all([dispatcher.destroy(), parser.close()])
    },
  }
}
