/** Real sockets: a canary on loopback must never be reached, by whatever way a URL names it. */
import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { systemClock } from './clock.ts'
import { FetchError, fetchPublic } from './fetch-public.ts'
import { createOutboundGuard, type Resolve } from './outbound-guard.ts'

const LIMITS = { maxBytes: 10_000, timeoutMs: 5_000, maxRedirects: 3 }
const PUBLIC = { address: '93.184.215.14', family: 4 }
const LOOPBACK = { address: '127.0.0.1', family: 4 }

/** Literals and names that all lead to this machine or the networks beside it. */
const HOSTS = [
  ...['127.0.0.1', '127.1', '127.0.1', '2130706433', '0x7f000001', '0x7f.0x0.0x0.0x1', '0177.0.0.1', '017700000001'],
  ...['127.0.0.1.', '127.%30.0.1', '１２７.0.0.1', '127。0。0。1', '0', '0.0.0.0', '0x0', '127.127.127.127'],
  ...['[::1]', '[::]', '[0:0:0:0:0:0:0:1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]', '[::7f00:1]'],
  ...['[64:ff9b::127.0.0.1]', '[64:ff9b:1::7f00:1]', '[2002:7f00:1::]', '[::ffff:0:127.0.0.1]', '[2001::1]'],
  ...['[fe80::1]', '[fc00::1]', '[fd00::1]', '[ff02::1]', '[fec0::1]', '[100::1]', '[2001:db8::1]'],
  ...['10.0.0.1', '172.16.0.1', '192.168.0.1', '169.254.169.254', '100.64.0.1', '198.18.0.1', '192.0.0.1'],
  ...['224.0.0.1', '240.0.0.1', '255.255.255.255', '0xa9fea9fe', '2852039166', '192.0.2.1', '203.0.113.1'],
  ...['localhost', 'LOCALHOST', 'localhost.', 'a.localhost', 'printer.local', 'metadata.google.internal', 'router'],
  ...['intranet', 'x.home.arpa', 'x.onion', 'ⓛocalhost', 'loc%61lhost'],
]
const ODD = [
  ...['file:///etc/passwd', 'data:text/plain,x', 'gopher://example.com/', 'ftp://example.com/', 'unix:/tmp/x'],
  ...['ws://a.example/', 'http://user@example.com/', 'http://user:pw@example.com/', 'http://example.com:22/'],
  ...[
    'https://example.com:8443/',
    'javascript:alert(1)',
    '//example.com/',
    '/etc/passwd',
    '',
    'http://',
    'http://[::1',
  ],
  ...['http:\\\\127.0.0.1\\', 'http://a@127.0.0.1/', 'http:127.0.0.1', 'http:///127.0.0.1', 'http://\t127.0.0.1/'],
  ...['http://127.0.0.1:80:80/', 'http://127.0.0.1#@example.com/', 'http://127.0.0.1?@example.com/'],
]

type Canary = {
  /** `host:port` */
  readonly at: string
  readonly port: number
  readonly hits: { readonly url: string; readonly authorization: string | undefined }[]
  [Symbol.asyncDispose](): Promise<void>
}

async function startCanary(answer: RequestListener): Promise<Canary> {
  const hits: Canary['hits'] = []
  const server = createServer((request, reply) => {
    hits.push({ url: request.url ?? '', authorization: request.headers.authorization })
    answer(request, reply)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    at: `127.0.0.1:${port}`,
    port,
    hits,
    [Symbol.asyncDispose]: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

type Attempt = {
  readonly allow?: readonly string[]
  readonly resolve?: Resolve
  readonly headers?: Readonly<Record<string, string>>
  readonly limits?: Partial<typeof LIMITS>
  readonly signal?: AbortSignal
}

async function read(url: string, { allow = [], resolve, headers = {}, limits, signal }: Attempt = {}) {
  const guard = createOutboundGuard({ allowPrivateHosts: allow, ...(resolve && { resolve }) })
  try {
    return await fetchPublic(guard, url, {
      limits: { ...LIMITS, ...limits },
      headers,
      signal: signal ?? new AbortController().signal,
      clock: systemClock,
    })
  } finally {
    await guard.close()
  }
}

const failsAs = (kind: FetchError['kind'], url: string, attempt: Attempt = {}) =>
  assert.rejects(read(url, attempt), (error) => error instanceof FetchError && error.kind === kind, url)

/** A name server of our own. */
const answersWith =
  (...addresses: { address: string; family: number }[]): Resolve =>
  (_name, _options, done) =>
    done(null, addresses)

const redirectTo =
  (location: string, status = 302): RequestListener =>
  (_request, reply) => {
    reply.writeHead(status, { location })
    reply.end()
  }

describe('the outbound guard', () => {
  it('refuses every way to write an address that is not public', async () => {
    for (const host of HOSTS) {
      await failsAs('refused', `http://${host}/`)
      await failsAs('refused', `https://${host}:443/x`)
    }
  })

  it('refuses what is no http or https URL to the usual ports, and user names in it', async () => {
    for (const url of ODD) await failsAs('refused', url)
  })

  it('refuses a name that leads to a private address, also one among public ones', async () => {
    for (const addresses of [[LOOPBACK], [PUBLIC, LOOPBACK], [{ address: '::1', family: 6 }], []]) {
      await failsAs('refused', 'http://rebound.example/', { resolve: answersWith(...addresses) })
    }
  })

  it('connects to the very answer that was checked: a name is looked up once per connection', async () => {
    let lookups = 0
    const resolve: Resolve = (_name, _options, done) => {
      lookups += 1
      done(null, [LOOPBACK])
    }
    for (let attempt = 1; attempt <= 50; attempt += 1) {
      await failsAs('refused', 'http://flips.example/', { resolve })
      assert.equal(lookups, attempt)
    }
  })

  it('refuses a redirect to what it would refuse itself, by every status and from an allowed host', async () => {
    await using inside = await startCanary((_request, reply) => reply.end('secret'))
    for (const status of [301, 302, 303, 307, 308]) {
      for (const target of [
        `http://${inside.at}/`,
        `http://[::1]:${inside.port}/`,
        'file:///etc/passwd',
        '//localhost/',
      ]) {
        await using door = await startCanary(redirectTo(target, status))
        await failsAs('refused', `http://${door.at}/`, { allow: [door.at] })
      }
    }
    assert.deepEqual(inside.hits, [])
  })

  it("reaches the operator's exceptions by literal and by name, and nothing else on the same host", async () => {
    await using allowed = await startCanary((_request, reply) => reply.end('welcome'))
    await using other = await startCanary((_request, reply) => reply.end('secret'))
    const byName = { allow: [`wiki.corp:${allowed.port}`], resolve: answersWith(LOOPBACK) }
    assert.equal(String((await read(`http://${allowed.at}/`, { allow: [allowed.at] })).bytes), 'welcome')
    assert.equal(String((await read(`http://wiki.corp:${allowed.port}/`, byName)).bytes), 'welcome')
    await failsAs('refused', `http://${other.at}/`, { allow: [allowed.at] })
    await failsAs('refused', `http://wiki.corp:${other.port}/`, byName)
    assert.deepEqual(other.hits, [])
  })

  it('keeps headers from another origin', async () => {
    await using second = await startCanary((_request, reply) => reply.end('done'))
    await using first = await startCanary(redirectTo(`http://${second.at}/`))
    const allow = [first.at, second.at]
    await read(`http://${first.at}/`, { allow, headers: { authorization: 'Bearer key' } })
    assert.equal(first.hits[0]?.authorization, 'Bearer key')
    assert.equal(second.hits[0]?.authorization, undefined)
  })

  it('follows redirects up to the limit, relative ones too', async () => {
    await using server = await startCanary((request, reply) => {
      const step = Number(request.url?.slice(1))
      if (step >= 3) reply.end('found')
      else redirectTo(`./${step + 1}`)(request, reply)
    })
    const allow = [server.at]
    const found = await read(`http://${server.at}/0`, { allow })
    assert.equal(found.url.pathname, '/3')
    await failsAs('too_many_redirects', `http://${server.at}/0`, { allow, limits: { maxRedirects: 2 } })
  })

  it('reads no more than its limit, declared, undeclared or compressed', async () => {
    const bodies: readonly RequestListener[] = [
      (_request, reply) => reply.writeHead(200, { 'content-length': '20000' }).end('x'.repeat(20_000)),
      (_request, reply) => {
        reply.writeHead(200)
        for (let part = 0; part < 20; part += 1) reply.write('x'.repeat(1_000))
        reply.end()
      },
      (_request, reply) => reply.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(1_000_000))),
    ]
    for (const body of bodies) {
      await using server = await startCanary(body)
      await failsAs('too_large', `http://${server.at}/`, { allow: [server.at] })
    }
  })

  it('reads what came compressed, and says what it is', async () => {
    await using server = await startCanary((_request, reply) => {
      reply.writeHead(404, { 'content-encoding': 'gzip', 'content-type': 'Text/HTML; Charset="ISO-8859-1"' })
      reply.end(gzipSync('page'))
    })
    const { status, contentType, charset, bytes } = await read(`http://${server.at}/`, { allow: [server.at] })
    assert.deepEqual([status, contentType, charset, String(bytes)], [404, 'text/html', 'iso-8859-1', 'page'])
  })

  it('ends a reply that never comes, and one whose reader left', async () => {
    await using silent = await startCanary(() => {})
    const allow = [silent.at]
    await failsAs('timeout', `http://${silent.at}/`, { allow, limits: { timeoutMs: 50 } })
    const leaving = new AbortController()
    const reading = failsAs('aborted', `http://${silent.at}/`, { allow, signal: leaving.signal })
    leaving.abort()
    await reading
  })
})
