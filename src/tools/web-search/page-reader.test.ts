import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { CANARY } from '../../../test/fakes/web-pages.ts'
import { startWebSite, type WebSite } from '../../../test/fakes/web-site.ts'
import { createDocumentPages } from '../../app/document-pages.ts'
import { createIsolatedReader } from '../../documents/isolated-reader.ts'
import { systemClock } from '../../lib/clock.ts'
import { createOutboundGuard, type OutboundGuard } from '../../lib/outbound-guard.ts'
import { createDomainFilter } from './domain-filter.ts'
import { createPageParser, type PageParser } from './page-parser.ts'
import { createPageReader, type OpenOptions, PageError, type PageReader } from './page-reader.ts'

const ALL = createDomainFilter(null, '')
const LIMITS = { maxBytes: 10 * 1024 * 1024, timeoutMs: 30_000, maxRedirects: 3 }

describe('opening pages', () => {
  let site: WebSite
  let guard: OutboundGuard
  let parser: PageParser
  let reader: PageReader
  const documents = createIsolatedReader(systemClock)
  before(async () => {
    site = await startWebSite()
    guard = createOutboundGuard({ allowPrivateHosts: [site.host] })
    parser = createPageParser({ clock: systemClock })
    reader = open({})
  })
  after(async () => {
    await parser.close()
    await documents.close()
    await guard.close()
    await site.close()
  })

  const open = (options: { limits?: Partial<typeof LIMITS>; respectRobots?: boolean }) =>
    createPageReader({
      guard,
      clock: systemClock,
      parser,
      documents: createDocumentPages(documents),
      respectRobots: options.respectRobots ?? true,
      limits: { ...LIMITS, ...options.limits },
    })
  const options = (given: Partial<OpenOptions> = {}): OpenOptions => ({
    filter: ALL,
    mayFetch: () => true,
    signal: new AbortController().signal,
    ...given,
  })
  const page = (path: string, given?: Partial<OpenOptions>) => reader.open(`${site.url}${path}`, options(given))
  const refused = async (path: string, message: RegExp, using = reader) => {
    const url = path.startsWith('http') ? path : `${site.url}${path}`
    await assert.rejects(
      using.open(url, options()),
      (error) => error instanceof PageError && message.test(error.message),
    )
  }

  test('of a page of news the text remains, without menus, scripts and styles', async () => {
    const { title, text, url } = await page('/news/lighthouse')
    assert.equal(url, `${site.url}/news/lighthouse`)
    assert.equal(title, 'Lighthouse is lit again & ships return - The Paper')
    assert.match(text, /31 kilometres away/)
    assert.match(text, /^## What it cost$/m)
    assert.match(text, /^- The lamp: 2 million$/m)
    assert.match(text, /^> We waited for this\.$/m)
    assert.doesNotMatch(text, /not text|track\(|color:red|Sport/)
  })

  test('code keeps its lines, tables their cells', async () => {
    const { text } = await page('/docs/fetch')
    assert.match(text, /const reply = await fetch\(url\)\n {2}\.then\(\(it\) => it\.json\(\)\)/)
    assert.match(text, /method \| GET/)
  })

  test('text in the encoding that the page itself names, and unpacked', async () => {
    assert.match((await page('/latin')).text, /Grüße aus Köln/)
    assert.match((await page('/gzipped')).text, /Unpacked/)
  })

  test('Markdown, JSON and text are passed on as they are', async () => {
    assert.equal((await page('/readme.md')).text, '# Title\n\nSome *text*.\n')
    assert.equal((await page('/data.json')).text, '{"lamp": 31}')
  })

  test('a page without a type is what it looks like', async () => {
    assert.match((await page('/untyped')).text, /It is HTML all the same/)
    await refused('/binary', /no text/)
  })

  test('a PDF is read page by page, by what the site says it is or by its name', async () => {
    const text = '[page 1]\nThe lamp reaches 31 kilometres.\n\n[page 2]\nIt was first lit in 1911.'
    for (const path of ['/paper.pdf', '/download/the%20paper.pdf']) {
      const read = await page(path)
      assert.deepEqual([read.title, read.text, read.url], ['', text, `${site.url}${path}`])
    }
  })

  test('a document that cannot be read says why, and what is no text says what it is', async () => {
    await refused('/broken.pdf', /it cannot be read as PDF/)
    await refused('/photo', /it is no text, but image\/png/)
    const leaving = AbortSignal.abort(new Error('left'))
    await assert.rejects(open({}).open(`${site.url}/paper.pdf`, options({ signal: leaving })))
  })

  test('a page that is not there says its status', () => refused('/gone', /status 404/))

  test('a redirect is followed, and the page is known by where it was found', async () => {
    assert.equal((await page('/moved')).url, `${site.url}/news/lighthouse`)
    await refused('/loop', /redirected more than 3 times/)
  })

  test('a redirect to a private address, and a private address itself, are not followed', async () => {
    await refused('/to-metadata', /public internet/)
    for (const url of [
      'http://127.0.0.1/',
      'http://169.254.169.254/',
      'http://[::1]/',
      'http://localhost/',
      'http://0x7f.1/',
    ])
      await refused(url, /public internet/)
    await refused('http://127.0.0.1:1/', /ports/)
    await refused('file:///etc/passwd', /http/)
    await refused('ftp://example.com/', /http/)
    await refused('http://user:pw@example.com/', /user name/)
    await refused('no url', /http/)
  })

  test('what robots.txt keeps from programs stays unread, unless the operator says otherwise', async () => {
    await refused('/private/page', /robots\.txt/)
    assert.ok(!site.paths().includes('/private/page'))
    const bold = await open({ respectRobots: false }).open(`${site.url}/private/page`, options())
    assert.match(bold.text, /Not for robots/)
  })

  test('a site that cannot say its rules is not read; one without rules is', async () => {
    for (const [reply, isRead] of [
      [{ status: 503 }, false],
      [{ status: 404 }, true],
      [{ status: 403 }, true],
      [{ status: 200, body: 'User-agent: antiphon\nDisallow: /readme\nUser-agent: *\nAllow: /\n' }, false],
    ] as const) {
      site.set('/robots.txt', reply)
      const read = open({}).open(`${site.url}/readme.md`, options())
      if (isRead) assert.match((await read).text, /Title/)
      else await assert.rejects(read, /robots\.txt/)
    }
    site.set('/robots.txt', null)
  })

  test('a page is kept: it is fetched once, and what was kept is not counted', async () => {
    const fresh = open({})
    const before = site.requests.length
    await fresh.open(`${site.url}/readme.md`, options())
    await fresh.open(`${site.url}/readme.md#part`, options({ mayFetch: () => false }))
    assert.deepEqual(site.paths().slice(before), ['/robots.txt', '/readme.md'])
    await assert.rejects(fresh.open(`${site.url}/data.json`, options({ mayFetch: () => false })), /no more pages/)
  })

  test('filters hold for the page, for where it leads, and for what was kept', async () => {
    const none = createDomainFilter({ blocked_domains: ['127.0.0.1'] }, '')
    const elsewhere = createDomainFilter({ allowed_domains: ['example.com'] }, '')
    for (const filter of [none, elsewhere]) {
      await assert.rejects(page('/readme.md', { filter }), /filters of this request/)
      await assert.rejects(open({}).open(`${site.url}/data.json`, options({ filter })), /filters of this request/)
    }
  })

  test('what is too large, also once it is unpacked, is given up', async () => {
    await refused('/flood', /larger than/)
    await refused('/bomb', /larger than/)
  })

  test('what takes too long is given up', () =>
    refused('/hang', /longer than 200 ms/, open({ limits: { timeoutMs: 200 } })))

  test('a page nested beyond reason does no harm, and the next one is read', async () => {
    await page('/deep').then(
      ({ text }) => assert.match(text, /deep/),
      (error) => assert.ok(error instanceof PageError),
    )
    assert.match((await open({}).open(`${site.url}/news/lighthouse`, options())).text, /lighthouse/)
  })

  test('a reader that left is not waited for', async () => {
    const leaving = new AbortController()
    const reading = open({}).open(`${site.url}/hang`, options({ signal: leaving.signal }))
    leaving.abort()
    await assert.rejects(reading, PageError)
  })

  test('the text of a page that gives orders is text', async () => {
    assert.match((await page('/injected')).text, new RegExp(CANARY))
  })
})

test('a parser that runs over its time is replaced', async () => {
  const parser = createPageParser({ clock: systemClock, timeoutMs: 1 })
  const bytes = Buffer.from(`<p>${'x '.repeat(1000)}</p>`)
  assert.equal(await parser.parse({ bytes, charset: null }), null)
  await parser.close()
})
