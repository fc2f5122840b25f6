/** A web site on loopback, and the search engine that knows it: pages by path, `/search` as SearXNG has it. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PAGES, type WebReply } from './web-pages.ts'

export type WebSite = {
  /** Without a slash at its end. */
  readonly url: string
  /** As the operator's list has it. */
  readonly host: string
  readonly requests: readonly WebRequest[]
  /** Paths that were asked for, in order. */
  paths(): readonly string[]
  /** Answers `path` so from now on; null: as before. */
  set(path: string, reply: WebReply | null): void
  close(): Promise<void>
}

export type WebRequest = {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

const ROBOTS = 'User-agent: *\nDisallow: /private/\n'

export async function startWebSite(): Promise<WebSite> {
  const requests: WebRequest[] = []
  const changed = new Map<string, WebReply>()
  const server = createServer((request, reply) => {
    const path = request.url ?? ''
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const { method = '', headers } = request
      requests.push({ method, path, headers, body: Buffer.concat(parts).toString('utf8') })
      const name = path.split('?', 1)[0] ?? ''
      send(reply, changed.get(name) ?? usual(name, url()))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const url = () => `http://${host}`
  return {
    url: url(),
    host,
    requests,
    paths: () => requests.map(({ path }) => path),
    set(path, reply) {
      if (reply === null) changed.delete(path)
      else changed.set(path, reply)
    },
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function usual(path: string, url: string): WebReply {
  if (path === '/robots.txt') return { headers: { 'content-type': 'text/plain' }, body: ROBOTS }
  if (path === '/search') return searxngReply(url)
  return PAGES[path] ?? { status: 404, body: 'no such page' }
}

/** As SearXNG writes it. */
export const searxngReply = (url: string): WebReply => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    query: 'lighthouse',
    number_of_results: 0,
    results: [
      row(`${url}/news/lighthouse`, 'Lighthouse is lit again', 'The lamp can be seen from 31 kilometres away.'),
      { ...row(`${url}/docs/fetch`, 'fetch() - Reference', 'How to fetch.'), publishedDate: '2026-01-02T00:00:00' },
      row('https://elsewhere.example/lamp', 'Lamps', 'A shop of lamps.'),
      row('javascript:alert(1)', 'No page', ''),
    ],
    answers: [],
    corrections: [],
    infoboxes: [],
    suggestions: [],
    unresponsive_engines: [],
  }),
})

const row = (url: string, title: string, content: string) => ({
  url,
  title,
  content,
  engine: 'duckduckgo',
  parsed_url: [],
  template: 'default.html',
  engines: ['duckduckgo'],
  positions: [1],
  score: 1,
  category: 'general',
})

function send(reply: ServerResponse, { status = 200, headers = {}, body = '', hang, flood }: WebReply): void {
  if (hang) return
  reply.writeHead(status, headers)
  if (flood === undefined) {
    reply.end(body)
    return
  }
  const piece = Buffer.alloc(65_536, 'x')
  let left = flood
  const more = () => {
    while (left > 0 && !reply.destroyed) {
      left -= piece.length
      if (!reply.write(piece)) {
        reply.once('drain', more)
        return
      }
    }
    reply.end()
  }
  more()
}
