/** SearXNG, a metasearch engine that people host themselves. Its settings must allow the format `json`. */
import { type SearchEngine, SearchError } from '../search-engine.ts'
import { askForJson, type EngineOptions } from './ask-engine.ts'
import { isFields, readHits } from './read-hits.ts'
import { withSiteOperators } from './site-operators.ts'

const name = 'searxng'
const FIELDS = { url: 'url', title: 'title', snippet: ['content'], published: ['publishedDate'] }

export const createSearxng = (options: EngineOptions): SearchEngine => ({
  name,
  async search(query, signal) {
    const url = new URL(`${options.baseUrl}/search`)
    url.search = new URLSearchParams({ q: withSiteOperators(query), format: 'json', categories: 'general' }).toString()
    const headers: Record<string, string> = {}
    if (options.apiKey !== '') headers.authorization = `Bearer ${options.apiKey}`
    const reply = await askForJson({ name, url, headers, signal }, options)
    const rows = isFields(reply) ? reply.results : null
    const hits = readHits(rows, FIELDS, name)
    // Nothing was found, and nobody was asked: the engines behind it refuse it.
    const silent = isFields(reply) && Array.isArray(reply.unresponsive_engines) ? reply.unresponsive_engines : []
    if (hits.length === 0 && silent.length > 0) {
      throw new SearchError('unavailable', `${name} got no answer from the engines behind it`)
    }
    return hits
  },
})
