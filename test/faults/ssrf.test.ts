/** No URL of a stranger leads inside, by whatever door it comes in, and no key leaves its origin. */
import assert from 'node:assert/strict'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { printFigures } from '../load/figures.ts'
import { type Canary, startCanary } from './canary-site.ts'
import { createNameServer, hostileUrls } from './hostile-urls.ts'
import { type Door, type Doors, type Outcome, openDoors, SECRETS } from './url-doors.ts'

type Site = {
  readonly host: string
  readonly requests: { readonly url: string; readonly headers: IncomingHttpHeaders }[]
  close(): Promise<void>
}

/** `/to?status=&at=` sends on; everything else is a text. */
async function startSite(): Promise<Site> {
  const requests: Site['requests'] = []
  const server = createServer((request, reply) => {
    requests.push({ url: request.url ?? '', headers: request.headers })
    const url = new URL(request.url ?? '', 'http://site.example')
    if (url.pathname === '/robots.txt') return reply.writeHead(404).end()
    if (url.pathname !== '/to') return reply.writeHead(200, { 'content-type': 'text/plain' }).end('hello')
    reply.writeHead(Number(url.searchParams.get('status')), { location: url.searchParams.get('at') ?? '' }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

const names = createNameServer()
let canary: Canary
let site: Site
let witness: Site
let doors: Doors
before(async () => {
  canary = await startCanary()
  site = await startSite()
  witness = await startSite()
  doors = await openDoors([site.host, witness.host], names)
})
after(async () => {
  await doors?.close()
  await Promise.all([canary?.close(), site?.close(), witness?.close()])
})

/** What a client or a model is told of a URL that is not fetched. */
const REFUSALS = [
  /does not lead to the public internet/,
  /only http and https URLs are fetched/,
  /holds a user name or a password/,
  /only the ports 80 and 443 are called/,
  /is not an absolute URL/,
  /it is not an http or https URL/,
  /Expected a valid URL/,
  /has to be a URL or a data URL/,
  /it has to begin with https:/,
  /another origin/,
  /robots\.txt asks programs not to read it, or cannot be read/,
  /open_page needs a/,
]

const isRefused = ({ status, said }: Outcome, { refusal }: Door) =>
  (status === 200 || status === 400) && [...REFUSALS, ...(refusal ? [refusal] : [])].some((it) => it.test(said))

test('every door opens where it may', async () => {
  for (const door of doors.doors) {
    const before = { site: site.requests.length, announced: doors.announced() }
    await door.enter(door.allowed)
    // The announcing server hears a first question by the newer transport; the one behind it came to its endpoint.
    const isOpen = site.requests.length > before.site || doors.announced() - before.announced > 1
    assert.ok(isOpen, door.name)
  }
})

test('140 hostile URLs by every door: nothing inside is reached, and each ends in a refusal (req 150)', async (t) => {
  const urls = hostileUrls(site.host)
  const odd: string[] = []
  const start = performance.now()
  let cells = 0
  for (const door of doors.doors) {
    for (const url of urls) {
      names.beginCell()
      const outcome = await door.enter(url)
      cells += 1
      if (!isRefused(outcome, door)) odd.push(`${door.name}: ${url}\n${outcome.status} ${outcome.said.slice(0, 600)}`)
    }
  }
  const seconds = (performance.now() - start) / 1000
  const { hits, places } = canary
  printFigures(t, 'hostile URLs', {
    ...{ urls: urls.length, doors: doors.doors.length, cells, hits, 'not refused': odd.length },
    ...{ 'asked again': names.askedAgain, canaries: places.join(' '), seconds },
  })
  assert.ok(urls.length >= 140, String(urls.length))
  assert.equal(new Set(urls).size, urls.length)
  assert.deepEqual(odd.slice(0, 3), [])
  assert.equal(hits, 0)
  assert.equal(names.askedAgain, 0)
})

test('a redirect to another origin carries no key, by whatever door and status (req 150)', async (t) => {
  let cells = 0
  for (const door of doors.doors) {
    for (const status of [301, 302, 303, 307, 308]) {
      await door.enter(
        `http://${site.host}/to?status=${status}&at=${encodeURIComponent(`http://${witness.host}/seen`)}`,
      )
      cells += 1
    }
  }
  const leaked = witness.requests.filter((request) => {
    const all = JSON.stringify(request)
    return request.headers.authorization !== undefined || Object.values(SECRETS).some((secret) => all.includes(secret))
  })
  printFigures(t, 'redirects to another origin', {
    cells,
    arrived: witness.requests.length,
    'with a key': leaked.length,
  })
  assert.ok(witness.requests.length >= 5, 'some doors follow')
  assert.ok(
    site.requests.some(({ headers }) => headers.authorization === `Bearer ${SECRETS.mcp}`),
    'a key goes to its own origin',
  )
  assert.deepEqual(leaked, [])
})
