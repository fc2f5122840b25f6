/** Brave Search API. */
import type { SearchEngine } from '../search-engine.ts'
import { askForJson, type EngineOptions } from './ask-engine.ts'
import { isFields, readHits } from './read-hits.ts'
import { withSiteOperators } from './site-operators.ts'

const name = 'brave'
const FIELDS = { url: 'url', title: 'title', snippet: ['description'], published: ['page_age', 'age'] }

export const createBrave = (options: EngineOptions): SearchEngine => ({
  name,
  async search(query, signal) {
    const { count, location } = query
    const url = new URL(`${options.baseUrl}/res/v1/web/search`)
    url.search = new URLSearchParams({
      // The API takes 400 characters.
      q: withSiteOperators(query).slice(0, 400),
      count: String(Math.min(count, 20)),
      text_decorations: 'false',
      ...(location?.country && { country: location.country }),
    }).toString()
    const headers = { 'x-subscription-token': options.apiKey }
    const reply = await askForJson({ name, url, headers, signal }, options)
    const web = isFields(reply) ? reply.web : null
    // Without a result the whole section is missing.
    return web === undefined ? [] : readHits(isFields(web) ? web.results : null, FIELDS, name)
  },
})
