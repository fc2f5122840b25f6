import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { request as undiciRequest } from 'undici'
import { call, errorOf, KEY, rawExchange, startServer, until } from '../../test/support/http-edge.ts'

async function post(url: string, body: string | Buffer | undefined, headers: Record<string, string>) {
  const reply = await undiciRequest(`${url}/v1/responses`, {
    method: 'POST',
    headers: { authorization: KEY, ...headers },
    ...(body !== undefined && { body }),
  })
  const json: unknown = await reply.body.json()
  return { status: reply.statusCode, error: errorOf(json) }
}
const JSON_HEADERS = { 'content-type': 'application/json' }

test('json comes with or without a charset, whatever the case', async (t) => {
  const { url, engine } = await startServer(t)
  for (const type of ['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset=UTF-8']) {
    assert.equal((await post(url, '{"input":"hé"}', { 'content-type': type })).status, 200, type)
  }
  assert.deepEqual(engine.requests[0], { input: 'hé' })
})

test('any other content type, or none, is 415 with the envelope', async (t) => {
  const { url } = await startServer(t)
  for (const type of [
    'text/plain',
    'application/jsonp',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'nonsense',
  ]) {
    const reply = await post(url, '{}', { 'content-type': type })
    assert.equal(reply.status, 415, type)
    assert.match(reply.error?.message ?? '', /application\/json/, type)
  }
  assert.equal((await post(url, '{}', {})).status, 415)
})

test('bodies in four encodings, and two stacked, are decoded', async (t) => {
  const { url, engine } = await startServer(t)
  const body = Buffer.from(JSON.stringify({ input: 'täxt '.repeat(5000) }))
  const encoded = {
    zstd: zstdCompressSync(body),
    gzip: gzipSync(body),
    br: brotliCompressSync(body),
    deflate: deflateSync(body),
    'gzip, zstd': zstdCompressSync(gzipSync(body)),
  }
  for (const [name, bytes] of Object.entries(encoded)) {
    const reply = await post(url, bytes, { ...JSON_HEADERS, 'content-encoding': name })
    assert.equal(reply.status, 200, name)
    assert.equal(JSON.stringify(engine.requests.at(-1)), body.toString(), name)
  }
})

test('unknown encodings are 415, corrupt ones 400, bombs 413', async (t) => {
  const { url } = await startServer(t, { limits: { bodyBytes: 1024 * 1024 } })
  const status = async (encoding: string, bytes: Buffer) =>
    (await post(url, bytes, { ...JSON_HEADERS, 'content-encoding': encoding })).status
  const bomb = Buffer.alloc(32 * 1024 * 1024, ' ')
  assert.equal(await status('compress', Buffer.from('{}')), 415)
  assert.equal(await status('gzip, gzip, gzip', Buffer.from('{}')), 415)
  for (const encoding of ['zstd', 'gzip', 'br', 'deflate']) {
    assert.equal(await status(encoding, Buffer.from('{"not":"compressed at all"}')), 400, encoding)
  }
  assert.equal(await status('gzip', gzipSync(bomb, { level: 1 })), 413)
  assert.equal(await status('zstd', zstdCompressSync(bomb)), 413)
})

test('a body over the limit is 413, with a length or in chunks (req 192)', async (t) => {
  const { url, port } = await startServer(t, { limits: { bodyBytes: 100_000 } })
  const exact = `{"input":"${'x'.repeat(100_000 - 12)}"}`
  assert.equal((await post(url, exact, JSON_HEADERS)).status, 200)
  assert.equal((await post(url, `${exact} `, JSON_HEADERS)).status, 413)
  const head =
    'POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer full\r\nContent-Type: application/json\r\n'
  const announced = await rawExchange(port, `${head}Content-Length: 999999999\r\n\r\n{`)
  assert.match(announced, /^HTTP\/1\.1 413 /)
  assert.match(announced, /connection: close/i)
  const chunk = `${(60_000).toString(16)}\r\n${'x'.repeat(60_000)}\r\n`
  assert.match(await rawExchange(port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}${chunk}`), /^HTTP\/1\.1 413 /)
})

test('text that is not JSON gets the documented message', async (t) => {
  const { url } = await startServer(t)
  for (const body of ['{', '', '{"secret":tru}', Buffer.from([0x7b, 0xff, 0x7d])]) {
    const { status, error } = await post(url, body, JSON_HEADERS)
    assert.equal(status, 400)
    assert.match(error?.message ?? '', /^We could not parse the JSON body of your request\. /)
    assert.doesNotMatch(error?.message ?? '', /secret/)
    assert.deepEqual([error?.param, error?.code], [null, null])
  }
  assert.equal((await post(url, undefined, {})).status, 400)
})

test('JSON that is no object is refused', async (t) => {
  const { url } = await startServer(t)
  for (const body of ['[]', '1', 'null', '"text"', 'true']) {
    const { status, error } = await post(url, body, JSON_HEADERS)
    assert.deepEqual([status, error?.code], [400, 'invalid_type'], body)
  }
})

test('depth 64 passes; deeper, wider, polluting and unstorable documents are 400', async (t) => {
  const { url } = await startServer(t)
  const nested = (depth: number) => `{"input":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
  assert.equal((await post(url, nested(64), JSON_HEADERS)).status, 200)
  assert.equal((await post(url, nested(65), JSON_HEADERS)).status, 400)
  assert.equal((await post(url, nested(1_000_000), JSON_HEADERS)).status, 400)
  assert.equal((await post(url, `{"input":[${'1,'.repeat(100_000)}1]}`, JSON_HEADERS)).status, 400)
  assert.equal((await post(url, '{"__proto__":{"a":1}}', JSON_HEADERS)).status, 400)
  const nul = await post(url, '{"input":[{"content":"a\\u0000b"}]}', JSON_HEADERS)
  assert.deepEqual([nul.status, nul.error?.param], [400, 'input[0].content'])
  assert.equal((await post(url, '{"input":"\\ud83d"}', JSON_HEADERS)).status, 400)
})

test('who may not call is told so before a byte of the body is read', async (t) => {
  const { port, engine } = await startServer(t)
  const head =
    'POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n'
  // The body never comes, and still there is an answer at once.
  assert.match(await rawExchange(port, `${head}\r\n`), /^HTTP\/1\.1 401 [\s\S]*connection: close[\s\S]*"code":null/i)
  assert.match(
    await rawExchange(port, `${head}Authorization: Bearer wrong\r\n\r\n`),
    /^HTTP\/1\.1 401 [\s\S]*invalid_api_key/,
  )
  assert.match(
    await rawExchange(port, `${head}Authorization: Bearer read\r\n\r\n`),
    /^HTTP\/1\.1 403 [\s\S]*Missing scopes: responses/,
  )
  assert.equal(engine.requests.length, 0)
})

test('a wrong key with a small body keeps the connection usable', async (t) => {
  const { port } = await startServer(t)
  const wrong =
    'POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'
  const next = 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
  const replies = await rawExchange(port, wrong + next)
  assert.match(replies, /^HTTP\/1\.1 401 [\s\S]*HTTP\/1\.1 200 /)
})

test('a key with the read scope may read and not write', async (t) => {
  const { url } = await startServer(t)
  const as = { authorization: 'Bearer read' }
  assert.equal((await call(`${url}/v1/responses/resp_1`, 'GET', undefined, as)).status, 200)
  assert.equal((await call(`${url}/v1/models`, 'GET', undefined, as)).status, 200)
  assert.equal((await call(`${url}/v1/responses`, 'POST', {}, as)).status, 403)
  assert.equal((await call(`${url}/v1/responses/resp_1`, 'DELETE', undefined, as)).status, 403)
  assert.equal((await call(`${url}/v1/models`, 'GET', undefined, { authorization: 'Bearer admin' })).status, 403)
})

test('a client that leaves in the middle of its body leaves nothing behind', async (t) => {
  const { port, engine, log } = await startServer(t)
  const socket = connect(port, '127.0.0.1')
  socket.write(
    `POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${KEY}\r\nContent-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n`,
  )
  // The server has read the head and waits for the body.
  await once(socket, 'data')
  socket.write('{"in')
  socket.destroy()
  await until(() => log.finished.length > 0, 'the request is over')
  assert.equal(engine.requests.length, 0)
  assert.deepEqual(
    log.finished.map(({ route, status }) => [route, status]),
    [['/v1/responses', 499]],
  )
  assert.deepEqual(log.failures, [])
})
