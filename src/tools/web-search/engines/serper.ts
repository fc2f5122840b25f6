/** Serper: Google's results as JSON. */
import type { SearchEngine } from '../search-engine.ts'
import { askForJson, type EngineOptions } from './ask-engine.ts'
import { isFields, readHits } from './read-hits.ts'
import { withSiteOperators } from './site-operators.ts'

const name = 'serper'
const FIELDS = { url: 'link', title: 'title', snippet: ['snippet'], published: ['date'] }

export const createSerper = (options: EngineOptions): SearchEngine => ({
  name,
  async search(query, signal) {
    const { location, count } = query
    const place = [location?.city, location?.region].filter(Boolean).join(', ')
    const url = new URL(`${options.baseUrl}/search`)
    const headers = { 'x-api-key': options.apiKey }
    const body = {
      q: withSiteOperators(query),
      num: count,
      ...(location?.country && { gl: location.country.toLowerCase() }),
      ...(place !== '' && { location: place }),
    }
    const reply = await askForJson({ name, url, headers, body, signal }, options)
    return readHits(isFields(reply) ? reply.organic : null, FIELDS, name)
  },
})
