/** Exa. */
import type { SearchEngine } from '../search-engine.ts'
import { askForJson, type EngineOptions } from './ask-engine.ts'
import { isFields, readHits } from './read-hits.ts'

const name = 'exa'
const FIELDS = { url: 'url', title: 'title', snippet: ['highlights', 'text'], published: ['publishedDate'] }

export const createExa = (options: EngineOptions): SearchEngine => ({
  name,
  async search({ text, count, location, allowedDomains, blockedDomains }, signal) {
    const url = new URL(`${options.baseUrl}/search`)
    const headers = { 'x-api-key': options.apiKey }
    const body = {
      query: text,
      numResults: count,
      contents: { highlights: true },
      ...(location?.country && { userLocation: location.country }),
      ...(allowedDomains.length > 0 && { includeDomains: allowedDomains }),
      ...(blockedDomains.length > 0 && { excludeDomains: blockedDomains }),
    }
    const reply = await askForJson({ name, url, headers, body, signal }, options)
    return readHits(isFields(reply) ? reply.results : null, FIELDS, name)
  },
})
