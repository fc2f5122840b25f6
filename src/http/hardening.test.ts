import assert from 'node:assert/strict'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { call, errorOf, rawExchange, startServer } from '../../test/support/http-edge.ts'

/** Status and envelope of the first reply in raw bytes. */
function parse(reply: string) {
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(reply)?.[1])
  const body = reply.slice(reply.indexOf('\r\n\r\n') + 4)
  return {
    status,
    error: body.startsWith('{') ? errorOf(JSON.parse(body)) : null,
    head: reply.slice(0, reply.indexOf('\r\n\r\n')),
  }
}

test('an upgrade is answered 426 at once, everywhere but at one path, and the connection is closed', async (t) => {
  const { port, log } = await startServer(t)
  for (const [path, protocol] of [
    ['/v1/responses/resp_1', 'websocket'],
    ['/v1/models', 'websocket'],
    ['/v1/responses', 'h2c'],
    ['/health', 'h2c'],
  ]) {
    const bytes = `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\nSec-WebSocket-Version: 13\r\n\r\n`
    const { status, error, head } = parse(await rawExchange(port, bytes))
    assert.equal(status, 426)
    assert.notEqual(error, null)
    assert.match(head, /connection: close/)
    assert.match(head, /x-request-id: req_/)
  }
  assert.equal(log.finished.filter(({ status }) => status === 426).length, 4)
})

test('a server on localhost answers one 426 on each of its addresses', async (t) => {
  const { port, log } = await startServer(t, { host: 'localhost' })
  const bytes = 'GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
  const addresses = (await lookup('localhost', { all: true })).map(({ address }) => address)
  for (const address of addresses) {
    const { status, error } = parse(await rawExchange(port, bytes, { address }))
    assert.equal(status, 426, address)
    assert.notEqual(error, null, address)
  }
  assert.equal(log.finished.length, addresses.length)
})

const get = (lines: string, target = '/health', version = '1.1') =>
  `GET ${target} HTTP/${version}\r\n${lines}Connection: close\r\n\r\n`
const HOST = 'Host: localhost\r\n'

test('requests that are malformed or ambiguous are refused with the envelope', async (t) => {
  const { port } = await startServer(t)
  const cases: Readonly<Record<string, [string, number]>> = {
    'no Host': [get(''), 400],
    'two Hosts': [get(`${HOST}Host: other\r\n`), 400],
    'two Authorizations': [
      get(`${HOST}Authorization: Bearer full\r\nauthorization: Bearer read\r\n`, '/v1/models'),
      400,
    ],
    'absolute form': [get(HOST, 'http://localhost/v1/models'), 400],
    'bad percent-encoding': [get(HOST, '/v1/models/%zz'), 400],
    'bad percent-encoding of nowhere': [get(HOST, '/%zz'), 400],
    'long URL': [get(HOST, `/health?${'x'.repeat(9_000)}`), 414],
    'large headers': [get(`${HOST}x-large: ${'x'.repeat(20_000)}\r\n`), 431],
    'many headers': [get(HOST + Array.from({ length: 150 }, (_, i) => `x-${i}: 1\r\n`).join('')), 431],
    'length and chunks': [
      `POST /v1/responses HTTP/1.1\r\n${HOST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    'two lengths': [`POST /v1/responses HTTP/1.1\r\n${HOST}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc`, 400],
    'odd length': [`POST /v1/responses HTTP/1.1\r\n${HOST}Content-Length: +3\r\n\r\nabc`, 400],
    'NUL in a header': [get(`${HOST}x: a\0b\r\n`), 400],
    'folded header': [get(`${HOST}x: a\r\n b\r\n`), 400],
    'not HTTP': ['hello\r\n\r\n', 400],
    CONNECT: [`CONNECT localhost:80 HTTP/1.1\r\n${HOST}\r\n`, 405],
    TRACE: [`TRACE /v1/models HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 405],
    Expect: [`POST /v1/responses HTTP/1.1\r\n${HOST}Expect: nonsense\r\nContent-Length: 2\r\n\r\n{}`, 417],
  }
  for (const [name, [bytes, expected]] of Object.entries(cases)) {
    const reply = parse(await rawExchange(port, bytes))
    assert.equal(reply.status, expected, name)
    assert.notEqual(reply.error, null, name)
    assert.match(reply.head, /x-request-id: req_[0-9a-f]+/, name)
    assert.match(reply.head, /openai-version: 2020-10-01/, name)
  }
})

test('on a loopback address only loopback and configured names are answered to', async (t) => {
  const { port } = await startServer(t, { settings: { allowedHosts: ['Gate.Example'] } })
  const status = async (host: string) => parse(await rawExchange(port, get(`Host: ${host}\r\n`))).status
  for (const host of ['localhost', '127.0.0.1:8484', '[::1]:1', 'LOCALHOST', 'gate.example:443']) {
    assert.equal(await status(host), 200, host)
  }
  for (const host of ['evil.example', 'localhost.evil.example', 'localhost:1@evil', '[::2]', 'a b']) {
    assert.equal(await status(host), 421, host)
  }
})

test('on another address every name is answered to, unless names are configured', async (t) => {
  const open = await startServer(t, { host: '0.0.0.0' })
  assert.equal(parse(await rawExchange(open.port, get('Host: any.example\r\n'))).status, 200)
  const named = await startServer(t, { host: '0.0.0.0', settings: { allowedHosts: ['gate.example'] } })
  assert.equal(parse(await rawExchange(named.port, get('Host: any.example\r\n'))).status, 421)
  assert.equal(parse(await rawExchange(named.port, get('Host: gate.example\r\n'))).status, 200)
})

test('a web page that is not listed is refused; clients that merely send fetch metadata are not', async (t) => {
  const { port } = await startServer(t, { settings: { allowedOrigins: ['https://app.example'] } })
  const status = async (lines: string) => parse(await rawExchange(port, get(HOST + lines))).status
  assert.equal(await status('Origin: https://evil.example\r\n'), 403)
  assert.equal(await status('Origin: null\r\n'), 403)
  assert.equal(await status('Origin: https://app.example\r\n'), 200)
  assert.equal(await status('Sec-Fetch-Mode: cors\r\nAccept-Language: *\r\n'), 200)
})

test('headers and bodies that drip in too slowly are answered 408 and closed', async (t) => {
  const { port } = await startServer(t, {
    limits: { headersTimeoutMs: 150, requestTimeoutMs: 300, connectionsCheckMs: 50 },
  })
  const slowHead = parse(await rawExchange(port, 'GET /health HTTP/1.1\r\nHost: loc'))
  assert.equal(slowHead.status, 408)
  const slowBody = parse(
    await rawExchange(
      port,
      `POST /v1/responses HTTP/1.1\r\n${HOST}Authorization: Bearer full\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{`,
    ),
  )
  assert.equal(slowBody.status, 408)
  assert.notEqual(slowBody.error, null)
})

test('requests sent one after another without waiting are answered in order', async (t) => {
  const { port } = await startServer(t)
  const many = `GET /version HTTP/1.1\r\n${HOST}\r\nGET /health HTTP/1.1\r\n${HOST}\r\n${get(HOST, '/nowhere')}`
  const replies = await rawExchange(port, many)
  assert.deepEqual(
    [...replies.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1]),
    ['200', '200', '404'],
  )
})

test("a client's request id is echoed when it is harmless and dropped when not", async (t) => {
  const { url, log } = await startServer(t)
  const good = await call(`${url}/health`, 'GET', undefined, {
    'x-client-request-id': 'abc.DEF_1-2',
    'session-id': 's1',
  })
  assert.equal(good.headers.get('x-client-request-id'), 'abc.DEF_1-2')
  for (const bad of ['x'.repeat(65), 'a b', '<script>']) {
    const reply = await call(`${url}/health`, 'GET', undefined, { 'x-client-request-id': bad })
    assert.equal(reply.headers.get('x-client-request-id'), null)
  }
  const [first, second] = log.finished
  assert.deepEqual([first?.clientRequestId, first?.sessionId, first?.route], ['abc.DEF_1-2', 's1', '/health'])
  assert.equal(second?.clientRequestId, null)
})

test('the log names the pattern of a route, the key and the error code, never the raw path', async (t) => {
  const { url, log } = await startServer(t)
  await call(`${url}/v1/responses/resp_secret`)
  await call(`${url}/secret`)
  const [found, nowhere] = log.finished
  assert.deepEqual(
    [found?.route, found?.status, found?.keyId, found?.projectId, found?.errorCode],
    ['/v1/responses/:id', 404, 'key_Bearer full', 'proj_1', 'invalid_request_error'],
  )
  assert.deepEqual([nowhere?.route, nowhere?.status, nowhere?.keyId], ['(unknown)', 404, null])
})

test('requests are counted per key; over the limit 429 says when to come back', async (t) => {
  const { url } = await startServer(t, { limits: { requestsPerMinute: 2 } })
  const first = await call(`${url}/v1/models`)
  assert.equal(first.headers.get('x-ratelimit-limit-requests'), '2')
  assert.equal(first.headers.get('x-ratelimit-remaining-requests'), '1')
  assert.match(first.headers.get('x-ratelimit-reset-requests') ?? '', /^(\d+s|1m0s)$/)
  await call(`${url}/v1/models`)
  const third = await call(`${url}/v1/models`)
  assert.deepEqual([third.status, third.error?.type, third.error?.code], [429, 'requests', 'rate_limit_exceeded'])
  assert.ok(Number(third.headers.get('retry-after')) >= 1)
  assert.equal(third.headers.get('x-ratelimit-remaining-requests'), '0')
  assert.equal((await call(`${url}/v1/models`, 'GET', undefined, { authorization: 'Bearer read' })).status, 200)
  assert.equal((await call(`${url}/health`)).status, 200)
})

test('with the limit off nothing is counted', async (t) => {
  const { url } = await startServer(t, { limits: { requestsPerMinute: 0 } })
  assert.equal((await call(`${url}/v1/models`)).headers.get('x-ratelimit-limit-requests'), null)
})

test('an address that is taken rejects the listen', async (t) => {
  const { port, server } = await startServer(t)
  assert.equal(server.address()?.port, port)
  const other = await startServer(t)
  await other.server.close()
  assert.equal(other.server.address(), null)
  await assert.rejects(startServer(t).then(({ server: third }) => third.listen('127.0.0.1', port)))
})

test('an idle connection does not keep a close waiting', async (t) => {
  const { port, server } = await startServer(t)
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('connect', resolve))
  await server.close()
  // It was closed by the server, which keeps an idle connection for more than a minute otherwise.
  if (!socket.destroyed) await once(socket.resume(), 'close')
})
