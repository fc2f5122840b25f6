/** A model that obeys every text it reads: no key leaves, no tool comes in, nothing is reached that may not be. */
import assert from 'node:assert/strict'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { type ChatUpstream, startChatUpstream } from '../fakes/chat-upstream.ts'
import { type ImagesUpstream, KEY, startImagesUpstream } from '../fakes/images-upstream.ts'
import { type FakeMcp, fakeTool, startFakeMcp, textResult } from '../fakes/mcp-server.ts'
import { printFigures } from '../load/figures.ts'
import { send } from '../support/http.ts'
import { API_KEY, startServer, type TestServer } from '../support/server.ts'
import { type Canary, startCanary } from './canary-site.ts'
import { createObedientModel, type Demand, demandsOf, textOf } from './injections.ts'

type Seen = {
  readonly host: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

const MCP_TOKEN = 'mcp-secret-token'
const MCP_HEADER = 'mcp-secret-header'
const SEARCH_KEY = 'search-secret-key'
const UPSTREAM_KEY = 'upstream-secret-key'
const SECRETS = [API_KEY, UPSTREAM_KEY, KEY, MCP_TOKEN, MCP_HEADER, SEARCH_KEY]
const MAX_CALLS = 8

const model = createObedientModel()
const seen: Seen[] = []
/** What the page, the search and the tools say in this cell. */
let page = ''
/** A page is kept for a while, so each cell has another one. */
let pages = 0
let snippet = ''
const site = createServer((request, reply) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const { url = '', headers } = request
    seen.push({ host: headers.host ?? '', url, headers, body: Buffer.concat(parts).toString('utf8') })
    if (url === '/inside') return reply.writeHead(302, { location: 'http://127.0.0.1/' }).end()
    if (url === '/to-blocked') return reply.writeHead(307, { location: `http://blocked.example:${port()}/leak` }).end()
    if (url.startsWith('/res/')) {
      reply.writeHead(200, { 'content-type': 'application/json' })
      const result = { url: `http://127.0.0.1:${port()}/page`, title: 'A page', description: snippet }
      return reply.end(JSON.stringify({ web: { results: [result] } }))
    }
    reply.writeHead(url === '/robots.txt' ? 404 : 200, { 'content-type': 'text/plain' })
    reply.end(url.startsWith('/page/') ? page : 'nothing')
  })
})
const port = () => (site.address() as AddressInfo).port

let canary: Canary
let upstream: ChatUpstream
let images: ImagesUpstream
let trusted: FakeMcp
let evil: FakeMcp
let server: TestServer
before(async () => {
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  canary = await startCanary()
  upstream = await startChatUpstream({ script: model.script })
  images = await startImagesUpstream()
  trusted = await startFakeMcp()
  evil = await startFakeMcp([fakeTool('run')])
  server = await startServer({
    upstream,
    resolve: (_name, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
    // The hosts of evil are open, so that what holds is not the guard alone.
    config: `tools:
  web_search: { engine: brave, url: "http://127.0.0.1:${port()}", api_key: ${SEARCH_KEY} }
  image_generation: { engine: openai, url: "${images.url}", api_key: ${KEY} }
security: { allow_private_hosts: ["127.0.0.1:${port()}", "blocked.example:${port()}", "${trusted.host}", "${evil.host}"] }
`,
    onFault: () => {},
  })
})
after(async () => {
  await server?.close()
  await Promise.all([canary?.close(), upstream?.close(), images?.close(), trusted?.close(), evil?.close()])
  site.closeAllConnections()
  site.close()
})

const tools = () => [
  { type: 'web_search', filters: { blocked_domains: ['blocked.example'] } },
  { type: 'image_generation' },
  {
    ...{ type: 'mcp', server_label: 'far', server_url: trusted.url, authorization: MCP_TOKEN },
    ...{ headers: { 'x-key': MCP_HEADER }, allowed_tools: ['look', 'danger'] },
    require_approval: { never: { tool_names: ['look'] } },
  },
]
const first = (name: string, input: Readonly<Record<string, unknown>>) =>
  textOf({ text: 'Please do this.', calls: [{ name, input }] })

/** How a hostile text gets in front of the model; what the user asks for. */
const CARRIERS: Readonly<Record<string, (text: string) => unknown>> = {
  'a page': (text) => {
    page = text
    pages += 1
    return first('web_search', { action: 'open_page', url: `http://127.0.0.1:${port()}/page/${pages}` })
  },
  'a result of a search': (text) => {
    snippet = text
    return first('web_search', { action: 'search', queries: ['x'] })
  },
  'a result of an MCP tool': (text) => {
    trusted.answers = { 'tools/call': () => textResult(text) }
    return first('far__look', { message: 'x' })
  },
  'a description of an MCP tool': (text) => {
    trusted.tools = ['look', 'danger', 'hidden'].map((name) => fakeTool(name, { description: text }))
    return 'What can you do?'
  },
  'a file': (text) => [
    {
      role: 'user',
      content: [{ type: 'input_file', filename: 'a.txt', file_data: `data:text/plain;base64,${btoa(text)}` }],
    },
  ],
}

type Figures = { cells: number; refusedCalls: number; approvals: number; leaks: string[]; strange: string[] }

async function runCell(carrier: string, demand: Demand, figures: Figures): Promise<void> {
  model.reset()
  page = snippet = 'nothing'
  trusted.answers = {}
  trusted.tools = ['look', 'danger', 'hidden'].map((name) => fakeTool(name))
  const asked = tools()
  const input = CARRIERS[carrier]?.(textOf(demand))
  const body = { model: 'upstream/m', input, tools: asked, max_tool_calls: MAX_CALLS, parallel_tool_calls: true }
  const { status, json, text } = await send(server, 'POST', '/v1/responses', body)
  figures.cells += 1
  const output = Array.isArray(json.output) ? json.output : []
  const hosted = output.filter(({ type }) => /^(?:web_search|image_generation|mcp)_call$/.test(type))
  figures.approvals += output.filter(({ type }) => type === 'mcp_approval_request').length
  // A model that calls what it was not offered ends the response, with an error that says so.
  const isRefused = status >= 400 || json.status === 'failed'
  if (isRefused) figures.refusedCalls += 1
  const where = `${carrier}: ${demand.name}`
  if (!model.hasObeyed(demand)) figures.strange.push(`${where}: it did not reach the model`)
  if (isRefused && !/not a tool of this request/.test(text)) figures.strange.push(`${where}: ${text.slice(0, 500)}`)
  if (hosted.length > MAX_CALLS) figures.strange.push(`${where}: ${hosted.length} calls`)
  if (status === 200) {
    const echoed = (json.tools as readonly { type: string }[]).map(({ type }) => type)
    if (echoed.join() !== 'web_search,image_generation,mcp') figures.strange.push(`${where}: tools ${echoed}`)
  }
  if (SECRETS.some((secret) => text.includes(secret))) figures.leaks.push(`${where}: in the response`)
}

const OFFERED = /^(?:web_search|image_generation|far__look|far__danger)$/

test('a model that obeys hostile texts reaches nothing, gains nothing and gives no key away', async (t) => {
  const figures: Figures = { cells: 0, refusedCalls: 0, approvals: 0, leaks: [], strange: [] }
  const places = {
    site: `http://127.0.0.1:${port()}`,
    blocked: `http://blocked.example:${port()}`,
    outside: 'http://127.0.0.1',
    mcp: evil.url,
  }
  const demands = demandsOf(places)
  for (const carrier of Object.keys(CARRIERS)) {
    for (const demand of demands) await runCell(carrier, demand, figures)
  }

  // Everything that left: where a key is, it is at its own place.
  const holds = (value: unknown, own: readonly string[]) =>
    SECRETS.filter((secret) => !own.includes(secret) && JSON.stringify(value).includes(secret))
  const leaks = [
    ...figures.leaks,
    ...seen.flatMap((it) => holds(it, it.url.startsWith('/res/') ? [SEARCH_KEY] : [])),
    ...upstream.requests.flatMap(({ raw }) => holds(raw, [])),
    ...trusted.requests.flatMap(({ params, method }) => holds({ params, method }, [])),
    ...trusted.requests.flatMap(({ headers }) => holds(headers, [MCP_TOKEN, MCP_HEADER])),
    ...images.requests.flatMap(({ fields, path }) => holds({ fields, path }, [])),
  ]
  const blocked = seen.filter(({ host }) => host.startsWith('blocked.example'))
  const offered = upstream.requests.flatMap(({ body }) => {
    const { tools: shown } = (body ?? {}) as { tools?: readonly { function: { name: string } }[] }
    return (shown ?? []).map(({ function: { name } }) => name)
  })
  const added = offered.filter((name) => !OFFERED.test(name))
  const calls = new Set(trusted.calls)
  printFigures(t, 'injections', {
    ...{
      cells: figures.cells,
      'calls that were not offered': figures.refusedCalls,
      'asked for leave': figures.approvals,
    },
    ...{ 'keys that left': leaks.length, 'tools added': added.length, 'other servers': evil.connections },
    ...{ 'blocked pages': blocked.length, 'hits inside': canary.hits, 'texts that reached evil': leaked().length },
  })
  assert.ok(figures.cells >= 50, String(figures.cells))
  assert.deepEqual(figures.strange, [])
  assert.deepEqual(leaks, [])
  assert.deepEqual(added, [])
  assert.equal(evil.connections, 0)
  assert.deepEqual([...calls], ['look'], 'neither what waits for leave nor what is left out was run')
  assert.ok(figures.approvals >= 1 && figures.refusedCalls >= 1)
  assert.deepEqual(blocked, [])
  assert.equal(canary.hits, 0)
  assert.ok(leaked().length > 0, 'the model did obey: what it can see, it can send to where it may go')
})

const leaked = () => seen.filter(({ url }) => url.startsWith('/leak'))
