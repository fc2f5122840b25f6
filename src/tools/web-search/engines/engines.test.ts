/** What each engine is sent and how its answers are read, from wire bytes. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { startWebSite, type WebSite } from '../../../../test/fakes/web-site.ts'
import { systemClock } from '../../../lib/clock.ts'
import { createUpstreamAgent } from '../../../lib/upstream-http.ts'
import { type SearchEngine, SearchError, type SearchHit, type SearchQuery } from '../search-engine.ts'
import { searchWithFallback } from '../search-with-fallback.ts'
import { openEngine, type SearchEngineName } from './open-engine.ts'

const QUERY: SearchQuery = {
  text: 'red lamps',
  count: 5,
  location: { country: 'DE', region: 'NRW', city: 'Köln' },
  allowedDomains: ['a.example', 'b.example'],
  blockedDomains: ['c.example'],
}
const SITES = 'red lamps (site:a.example OR site:b.example) -site:c.example'
const HIT: SearchHit = {
  url: 'https://a.example/lamp?x=1&y=2',
  title: 'A "red" lamp & more',
  snippet: 'Lamps are red.',
  published: '2026-01-02',
}
const DUCK_PAGE = `<html><body><div id="links">
<div class="result results_links"><h2><a rel="nofollow" class="result__a" href="//duckduckgo.com/l/?uddg=https%3A%2F%2Fa.example%2Flamp%3Fx%3D1%26y%3D2&amp;rut=abc">A &quot;red&quot; lamp &amp; more</a></h2>
<a class="result__snippet" href="#">Lamps are <b>red</b>.</a></div>
<div class="result result--ad"><a class="result__a" href="https://ad.example/">Buy</a></div></div></body></html>`

type Wire = {
  readonly engine: SearchEngineName
  readonly path: string
  readonly sent: Readonly<Record<string, unknown>>
  readonly header?: readonly [string, string]
  readonly reply: string
  readonly empty: string
  readonly published?: null
}

const WIRES: readonly Wire[] = [
  {
    engine: 'searxng',
    path: '/search',
    sent: { q: SITES, format: 'json', categories: 'general' },
    header: ['authorization', 'Bearer the-key'],
    reply: JSON.stringify({
      results: [{ url: HIT.url, title: HIT.title, content: 'Lamps are red.', publishedDate: '2026-01-02' }],
    }),
    empty: '{"results":[],"unresponsive_engines":[]}',
  },
  {
    engine: 'brave',
    path: '/res/v1/web/search',
    sent: { q: SITES, count: '5', text_decorations: 'false', country: 'DE' },
    header: ['x-subscription-token', 'the-key'],
    reply: JSON.stringify({
      type: 'search',
      web: {
        results: [
          {
            url: HIT.url,
            title: 'A &quot;red&quot; lamp &amp; more',
            description: 'Lamps are <strong>red</strong>.',
            page_age: '2026-01-02',
          },
        ],
      },
    }),
    empty: '{"type":"search"}',
  },
  {
    engine: 'tavily',
    path: '/search',
    sent: {
      query: 'red lamps',
      max_results: 5,
      include_domains: ['a.example', 'b.example'],
      exclude_domains: ['c.example'],
    },
    header: ['authorization', 'Bearer the-key'],
    reply: JSON.stringify({
      results: [
        { url: HIT.url, title: HIT.title, content: 'Lamps are red.', score: 0.9, published_date: '2026-01-02' },
      ],
    }),
    empty: '{"results":[]}',
  },
  {
    engine: 'exa',
    path: '/search',
    sent: {
      query: 'red lamps',
      numResults: 5,
      contents: { highlights: true },
      userLocation: 'DE',
      includeDomains: ['a.example', 'b.example'],
      excludeDomains: ['c.example'],
    },
    header: ['x-api-key', 'the-key'],
    reply: JSON.stringify({
      results: [{ url: HIT.url, title: HIT.title, highlights: ['Lamps are red.'], publishedDate: '2026-01-02' }],
    }),
    empty: '{"results":[]}',
  },
  {
    engine: 'serper',
    path: '/search',
    sent: { q: SITES, num: 5, gl: 'de', location: 'Köln, NRW' },
    header: ['x-api-key', 'the-key'],
    reply: JSON.stringify({
      organic: [{ link: HIT.url, title: HIT.title, snippet: 'Lamps are red.', date: '2026-01-02', position: 1 }],
    }),
    empty: '{"organic":[]}',
  },
  {
    engine: 'duckduckgo',
    path: '/html/',
    sent: { q: SITES },
    reply: DUCK_PAGE,
    empty: '<html><body><div class="no-results">No results.</div></body></html>',
    published: null,
  },
]

let site: WebSite
const dispatcher = createUpstreamAgent({ connectMs: 5000 })
beforeEach(async () => {
  site = await startWebSite()
})
afterEach(() => site.close())

const open = (engine: SearchEngineName, timeoutMs = 10_000) =>
  openEngine({ engine, url: site.url, apiKey: 'the-key' }, { dispatcher, clock: systemClock, timeoutMs })
const signal = () => new AbortController().signal
const failsAs = (kind: string) => (error: unknown) => {
  assert.ok(error instanceof SearchError, String(error))
  assert.equal(error.kind, kind)
  assert.doesNotMatch(error.message, /the-key|127\.0\.0\.1/)
  return true
}

for (const { engine, path, sent, header, reply, empty, published } of WIRES) {
  test(`${engine}: a query goes out and hits come back`, async () => {
    site.set(path, { body: reply })
    const hits = await open(engine).search(QUERY, signal())
    assert.deepEqual(hits, [{ ...HIT, ...(published === null && { published }) }])
    const request = site.requests[0]
    const { searchParams } = new URL(request?.path ?? '', site.url)
    assert.deepEqual(request?.method === 'POST' ? JSON.parse(request.body) : Object.fromEntries(searchParams), sent)
    if (header) assert.equal(request?.headers[header[0]], header[1])
  })

  test(`${engine}: nothing found is no failure`, async () => {
    site.set(path, { body: empty })
    assert.deepEqual(
      await open(engine).search({ ...QUERY, location: null, allowedDomains: [], blockedDomains: [] }, signal()),
      [],
    )
  })

  test(`${engine}: every failure has its kind, and none tells the key`, async () => {
    for (const [answer, kind] of [
      [{ status: 401 }, 'key'],
      [{ status: 403 }, 'key'],
      [{ status: 429 }, 'limit'],
      [{ status: 500, body: '<html>the-key</html>' }, 'unavailable'],
      [{ status: 302, headers: { location: 'http://169.254.169.254/' } }, 'unavailable'],
      [{ body: '<html>' }, engine === 'duckduckgo' ? 'blocked' : 'malformed'],
      [{ body: '{"results":7,"organic":7,"web":{"results":7}}' }, engine === 'duckduckgo' ? 'blocked' : 'malformed'],
      [{ flood: 20_000_000 }, 'malformed'],
    ] as const) {
      site.set(path, answer)
      await assert.rejects(open(engine).search(QUERY, signal()), failsAs(kind))
    }
    site.set(path, { hang: true })
    await assert.rejects(open(engine, 100).search(QUERY, signal()), failsAs('timeout'))
    const leaving = new AbortController()
    const search = open(engine).search(QUERY, leaving.signal)
    leaving.abort()
    await assert.rejects(search, failsAs('aborted'))
  })
}

test('searxng: no answer from the engines behind it is a failure, not an empty web', async () => {
  site.set('/search', { body: '{"results":[],"unresponsive_engines":[["google","CAPTCHA"]]}' })
  await assert.rejects(open('searxng').search(QUERY, signal()), failsAs('unavailable'))
})

test('rows that are no pages are left out, whatever they hold', async () => {
  const rows = [
    null,
    7,
    {},
    { url: 'javascript:alert(1)' },
    { url: 'http://u:p@x.example/' },
    { url: 5 },
    { url: HIT.url, title: 3 },
  ]
  site.set('/search', { body: JSON.stringify({ results: rows }) })
  assert.deepEqual(await open('searxng').search(QUERY, signal()), [
    { url: HIT.url, title: 'a.example', snippet: '', published: null },
  ])
})

const scripted = (name: string, answer: readonly SearchHit[] | SearchError): SearchEngine => ({
  name,
  async search() {
    if (answer instanceof SearchError) throw answer
    return answer
  },
})
const down = (name: string) => scripted(name, new SearchError('unavailable', `${name} is down`))

test('the next engine is asked where one fails or finds nothing, and every failure is told', async () => {
  const told: string[] = []
  const all = searchWithFallback([down('a'), scripted('b', []), scripted('c', [HIT])], ({ message }) =>
    told.push(message),
  )
  assert.deepEqual(await all.search(QUERY, signal()), [HIT])
  assert.deepEqual(told, ['a is down'])
  const none = searchWithFallback([down('a'), down('b')], () => {})
  await assert.rejects(none.search(QUERY, signal()), /a is down; b is down/)
  assert.deepEqual(await searchWithFallback([scripted('a', []), down('b')], () => {}).search(QUERY, signal()), [])
})
