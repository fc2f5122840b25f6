/**
 * DuckDuckGo's page of results for browsers without scripts. It needs no key, and it is no API: it may change on any day,
 * and it answers those who ask much with a puzzle for people instead of results.
 */
import { type SearchEngine, SearchError, type SearchHit } from '../search-engine.ts'
import { askEngine, type EngineOptions } from './ask-engine.ts'
import { toHit } from './read-hits.ts'
import { withSiteOperators } from './site-operators.ts'

const name = 'duckduckgo'

export const createDuckDuckGo = (options: EngineOptions): SearchEngine => ({
  name,
  async search(query, signal) {
    const url = new URL(`${options.baseUrl}/html/`)
    url.search = new URLSearchParams({ q: withSiteOperators(query) }).toString()
    const headers = { accept: 'text/html' }
    const html = await askEngine({ name, url, headers, signal }, options)
    const hits = await readResults(html)
    if (hits.length === 0 && !/no-results|No results/.test(html)) {
      throw new SearchError('blocked', `${name} sent a page that holds no results`)
    }
    return hits.slice(0, query.count)
  },
})

async function readResults(html: string): Promise<readonly SearchHit[]> {
  const { parseHTML } = await import('linkedom')
  const { document } = parseHTML(html)
  const hits: SearchHit[] = []
  for (const result of document.querySelectorAll('.result:not(.result--ad)')) {
    const link = result.querySelector('a.result__a')
    const hit = toHit({
      url: targetOf(link?.getAttribute('href') ?? ''),
      title: link?.textContent ?? '',
      snippet: result.querySelector('.result__snippet')?.textContent ?? '',
      published: null,
    })
    if (hit !== null) hits.push(hit)
  }
  return hits
}

/** Links lead through a page that counts them: `//duckduckgo.com/l/?uddg=https%3A%2F%2Fexample.com`. */
function targetOf(href: string): string {
  const url = URL.parse(href, 'https://duckduckgo.com')
  return url?.searchParams.get('uddg') ?? url?.href ?? ''
}
