import assert from 'node:assert/strict'
import { test } from 'node:test'
import { request } from 'undici'
import { KEY, startServer } from '../../test/support/http-edge.ts'

const PAGE = 'https://app.example.com'

test('a page of a listed origin may call and read, by name and never by a wildcard', async (t) => {
  const { url } = await startServer(t, { settings: { allowedOrigins: [PAGE] } })
  const reply = await request(`${url}/v1/models`, { headers: { origin: PAGE, authorization: KEY } })
  await reply.body.dump()
  assert.equal(reply.statusCode, 200)
  assert.equal(reply.headers['access-control-allow-origin'], PAGE)
  assert.equal(reply.headers.vary, 'origin')
})

test('its preflight is answered without a key, with the headers that SDKs send', async (t) => {
  const { url } = await startServer(t, { settings: { allowedOrigins: [PAGE] } })
  const wanted = 'authorization,content-type,x-stainless-lang,x-stainless-retry-count'
  const reply = await request(`${url}/v1/responses`, {
    method: 'OPTIONS',
    headers: {
      origin: PAGE,
      'access-control-request-method': 'POST',
      'access-control-request-headers': wanted,
    },
  })
  await reply.body.dump()
  assert.equal(reply.statusCode, 204)
  assert.match(String(reply.headers['access-control-allow-methods']), /POST/)
  assert.equal(reply.headers['access-control-allow-headers'], wanted)
})

test('a page of any other origin is refused, without a word that a browser would let it read', async (t) => {
  const { url } = await startServer(t, { settings: { allowedOrigins: [PAGE] } })
  const reply = await request(`${url}/v1/models`, { headers: { origin: 'https://evil.example', authorization: KEY } })
  await reply.body.dump()
  assert.equal(reply.statusCode, 403)
  assert.equal(reply.headers['access-control-allow-origin'], undefined)
})
