/** Tavily. */
import type { SearchEngine } from '../search-engine.ts'
import { askForJson, type EngineOptions } from './ask-engine.ts'
import { isFields, readHits } from './read-hits.ts'

const name = 'tavily'
const FIELDS = { url: 'url', title: 'title', snippet: ['content'], published: ['published_date'] }

export const createTavily = (options: EngineOptions): SearchEngine => ({
  name,
  async search({ text, count, allowedDomains, blockedDomains }, signal) {
    const url = new URL(`${options.baseUrl}/search`)
    const headers = { authorization: `Bearer ${options.apiKey}` }
    const body = {
      query: text,
      max_results: Math.min(count, 20),
      ...(allowedDomains.length > 0 && { include_domains: allowedDomains }),
      ...(blockedDomains.length > 0 && { exclude_domains: blockedDomains }),
    }
    const reply = await askForJson({ name, url, headers, body, signal }, options)
    return readHits(isFields(reply) ? reply.results : null, FIELDS, name)
  },
})
