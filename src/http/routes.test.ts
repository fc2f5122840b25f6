import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, KEY, rawExchange, startServer } from '../../test/support/http-edge.ts'
import { sampleResponse } from '../../test/support/sample-response.ts'
import { batches, cancelled, completed, created, failed } from '../../test/support/scripted-engine.ts'
import { ApiError } from '../protocol/errors.ts'

test('a JSON request reads the run to its end and answers the last snapshot', async (t) => {
  const { url, engine } = await startServer(t)
  const reply = await call(`${url}/v1/responses`, 'POST', { model: 'demo', input: 'hi' })
  assert.equal(reply.status, 200)
  assert.deepEqual(reply.json, sampleResponse())
  assert.equal(engine.traces[0]?.readToEnd, true)
  assert.equal(reply.headers.get('x-antiphon-provider'), 'scripted')
  assert.equal(reply.headers.get('x-antiphon-model'), 'mod%C3%A8le')
  assert.equal(reply.headers.get('x-antiphon-attempts'), '1')
  assert.equal(reply.headers.get('x-antiphon-overhead-ms'), '1')
  assert.equal(reply.headers.get('x-antiphon-upstream-request-id'), 'up_1')
  assert.equal(reply.headers.get('x-antiphon-cost'), '0.00012')
})

test('every reply carries the standard headers, errors and health too', async (t) => {
  const { url, log } = await startServer(t)
  const places = ['/v1/responses/resp_1', '/v1/responses/resp_x', '/nowhere', '/health', '/v1/models/%zz']
  for (const path of places) {
    const { headers } = await call(url + path)
    assert.match(headers.get('x-request-id') ?? '', /^req_[0-9a-f]{48}$/, path)
    assert.match(headers.get('openai-processing-ms') ?? '', /^\d+$/, path)
    assert.equal(headers.get('openai-version'), '2020-10-01')
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('access-control-allow-origin'), null)
  }
  assert.equal(log.finished.length, places.length)
  assert.deepEqual(log.failures, [])
})

test('a failed run answers its own error, a cancelled run its Response', async (t) => {
  const { url, engine } = await startServer(t)
  const headers = { 'retry-after': '3' }
  const error = new ApiError({ status: 429, code: 'rate_limit_exceeded', message: 'slow', headers })
  engine.script = batches([created(), failed(1, error)])
  const refused = await call(`${url}/v1/responses`, 'POST', {})
  assert.equal(refused.status, 429)
  assert.equal(refused.error?.code, 'rate_limit_exceeded')
  assert.equal(refused.headers.get('retry-after'), '3')
  assert.equal(refused.headers.get('x-antiphon-attempts'), '1')
  engine.script = batches([created()], [cancelled(1)])
  const gone = await call(`${url}/v1/responses`, 'POST', {})
  assert.equal(gone.status, 200)
  assert.equal(gone.json && Reflect.get(gone.json, 'status'), 'cancelled')
})

test('what nobody foresaw is a 500 that tells nothing and is logged with its cause', async (t) => {
  const { url, engine, log } = await startServer(t)
  engine.getResponse = async () => {
    throw new Error('password=hunter2')
  }
  const reply = await call(`${url}/v1/responses/resp_1`)
  assert.equal(reply.status, 500)
  assert.equal(reply.error?.code, 'server_error')
  assert.doesNotMatch(reply.text, /hunter2/)
  assert.match(String(log.failures[0]), /hunter2/)
  engine.script = batches([created()])
  assert.equal((await call(`${url}/v1/responses`, 'POST', {})).status, 500)
})

test('stored responses are read, deleted and cancelled by id', async (t) => {
  const { url } = await startServer(t)
  assert.equal((await call(`${url}/v1/responses/resp_1?include[]=reasoning.encrypted_content`)).status, 200)
  const deleted = await call(`${url}/v1/responses/resp_1`, 'DELETE')
  assert.deepEqual(deleted.json, { id: 'resp_1', object: 'response', deleted: true })
  assert.equal((await call(`${url}/v1/responses/resp_1/cancel`, 'POST')).status, 200)
  assert.equal((await call(`${url}/v1/responses/resp_1/cancel`, 'POST', {})).status, 200)
})

test('an id that is unknown and an id that cannot exist answer alike', async (t) => {
  const { url } = await startServer(t)
  const operations = [
    ['GET', ''],
    ['DELETE', ''],
    ['POST', '/cancel'],
    ['GET', '/input_items'],
  ] as const
  for (const id of ['resp_2', 'resp%00x', 'a%2Fb', 'x'.repeat(300), '%F0%9F%98%80']) {
    for (const [method, path] of operations) {
      const reply = await call(`${url}/v1/responses/${id}${path}`, method)
      assert.equal(reply.status, 404, `${method} ${id}`)
      assert.equal(reply.error?.message, `Response with id '${decodeURIComponent(id)}' not found.`)
    }
  }
})

test('a stream is asked for again by its cursor, and a bad cursor is refused by its name (req 108)', async (t) => {
  const { url, engine } = await startServer(t)
  const param = async (query: string) => {
    const reply = await call(`${url}/v1/responses/resp_1?${query}`)
    return [reply.status, reply.error?.param]
  }
  assert.deepEqual(await param('stream=yes'), [400, 'stream'])
  assert.deepEqual(await param('starting_after=abc'), [400, 'starting_after'])
  assert.deepEqual(await param('stream=true&starting_after=-1'), [400, 'starting_after'])
  assert.deepEqual(await param('stream=false&starting_after=3'), [200, undefined])
  assert.deepEqual(engine.cursors, [])
  for (const query of ['stream=true', 'stream=true&starting_after=3']) {
    const reply = await fetch(`${url}/v1/responses/resp_1?${query}`, { headers: { authorization: KEY } })
    assert.equal(reply.headers.get('content-type'), 'text/event-stream; charset=utf-8')
    assert.ok((await reply.text()).endsWith('data: [DONE]\n\n'))
  }
  assert.deepEqual(engine.cursors, [-1, 3])
})

test('input items take limit, order, after and include', async (t) => {
  const { url, engine } = await startServer(t)
  const items = `${url}/v1/responses/resp_1/input_items`
  const include = ['reasoning.encrypted_content', 'message.output_text.logprobs']
  await call(items)
  await call(`${items}?limit=100&order=asc&after=msg_1&include=${include.join('&include=')}`)
  await call(`${items}?include[]=${include.join('&include[]=')}`)
  assert.deepEqual(engine.pages, [
    { limit: 20, order: 'desc', after: null, include: [] },
    { limit: 100, order: 'asc', after: 'msg_1', include },
    { limit: 20, order: 'desc', after: null, include },
  ])
  const wrong = {
    'limit=0': 'limit',
    'limit=101': 'limit',
    'limit=x': 'limit',
    'limit=1&limit=2': 'limit',
    'order=up': 'order',
    'after=a%00': 'after',
  }
  for (const [query, param] of Object.entries(wrong)) {
    const reply = await call(`${items}?${query}`)
    assert.deepEqual([reply.status, reply.error?.param], [400, param], query)
  }
})

test('an unknown include value is named with its place and the values that exist', async (t) => {
  const { url } = await startServer(t)
  const first = await call(`${url}/v1/responses/resp_1?include=nope`)
  assert.deepEqual([first.status, first.error?.param, first.error?.code], [400, 'include[0]', 'invalid_value'])
  const message = first.error?.message ?? ''
  assert.match(message, /'nope'.*'web_search_call.action.sources', .*and 'reasoning.encrypted_content'/)
  const second = await call(`${url}/v1/responses/resp_1?include[]=reasoning.encrypted_content&include[]=nope`)
  assert.equal(second.error?.param, 'include[1]')
})

test('input tokens are counted', async (t) => {
  const { url } = await startServer(t)
  const reply = await call(`${url}/v1/responses/input_tokens`, 'POST', { input: 'x' })
  assert.deepEqual(reply.json, { object: 'response.input_tokens', input_tokens: 7 })
})

test('models are listed for OpenAI clients and for Codex, and found by ids with slashes', async (t) => {
  const { url } = await startServer(t)
  const list = await call(`${url}/v1/models?client_version=0.169.0`)
  const { data, models } = JSON.parse(list.text)
  assert.deepEqual(data[0], {
    id: 'demo',
    object: 'model',
    created: 1,
    owned_by: 'test',
    kind: 'chat',
    context_window: 1000,
    max_output_tokens: 100,
    capabilities: {
      image_input: false,
      file_input: false,
      function_tools: true,
      custom_tools: false,
      structured_output: true,
      reasoning: true,
      logprobs: false,
    },
  })
  assert.equal(models[1].slug, 'vendor/family/model-1')
  assert.equal(models[1].context_window, 1000)
  for (const id of ['demo', 'vendor/family/model-1', 'vendor%2Ffamily%2Fmodel-1']) {
    const one = await call(`${url}/v1/models/${id}`)
    assert.equal(one.json && Reflect.get(one.json, 'id'), decodeURIComponent(id))
  }
  const missing = await call(`${url}/v1/models/vendor/other`)
  assert.deepEqual([missing.status, missing.error?.code, missing.error?.param], [404, 'model_not_found', 'model'])
})

test('health, readiness, version, openapi and the root need no key', async (t) => {
  const readiness: { ready: boolean; reasons: string[] } = { ready: true, reasons: [] }
  const { url } = await startServer(t, { readiness: async () => readiness })
  const open = (path: string) => call(url + path, 'GET', undefined, { authorization: '' })
  for (const path of ['/health', '/healthz', '/livez', '/health/liveliness', '/ready', '/readyz']) {
    assert.equal((await open(path)).status, 200, path)
  }
  assert.deepEqual((await open('/version')).json, { name: 'antiphon', version: '9.9.9' })
  assert.deepEqual((await open('/openapi.json')).json, { openapi: '3.1.0' })
  assert.match((await open('/')).text, /\/v1/)
  Object.assign(readiness, { ready: false, reasons: ['the store does not answer'] })
  const unready = await open('/ready')
  assert.equal(unready.status, 503)
  assert.equal(unready.error?.code, 'not_ready')
  assert.deepEqual(unready.json && Reflect.get(unready.json, 'reasons'), ['the store does not answer'])
})

test('metrics need the admin scope, or the operator opens them', async (t) => {
  const closed = await startServer(t)
  assert.equal((await call(`${closed.url}/metrics`)).status, 403)
  assert.equal((await fetch(`${closed.url}/metrics`)).status, 401)
  const reply = await call(`${closed.url}/metrics`, 'GET', undefined, { authorization: 'Bearer admin' })
  assert.equal(reply.text, 'antiphon_up 1\n')
  assert.equal(reply.headers.get('content-type'), 'text/plain; version=0.0.4')
  const open = await startServer(t, { settings: { openMetrics: true } })
  assert.equal((await fetch(`${open.url}/metrics`)).status, 200)
})

test('HEAD answers the headers of GET and no body', async (t) => {
  const { port } = await startServer(t)
  const lines = 'Host: localhost\r\nAuthorization: Bearer full\r\nConnection: close\r\n\r\n'
  const parts = (text: string) => text.split('\r\n\r\n')
  for (const path of ['/health', '/v1/models', '/v1/responses/resp_1', '/v1/responses/resp_x', '/metrics']) {
    const head = await rawExchange(port, `HEAD ${path} HTTP/1.1\r\n${lines}`)
    const get = await rawExchange(port, `GET ${path} HTTP/1.1\r\n${lines}`)
    assert.equal(parts(head)[1], '', path)
    assert.equal(head.split('\r\n')[0], get.split('\r\n')[0], path)
    assert.equal(/content-length: (\d+)/i.exec(head)?.[1], String(Buffer.byteLength(parts(get)[1] ?? '')), path)
  }
})

test('OPTIONS answers Allow and no CORS headers (req 200)', async (t) => {
  const { url } = await startServer(t)
  const options = await call(`${url}/v1/responses/resp_1`, 'OPTIONS')
  assert.deepEqual(
    [options.status, options.headers.get('allow'), options.text],
    [204, 'GET, HEAD, DELETE, OPTIONS', ''],
  )
  assert.ok([...options.headers.keys()].every((name) => !name.startsWith('access-control')))
})

test('a wrong method is 405 with Allow, an unknown path 404 that explains the base URL', async (t) => {
  const { url } = await startServer(t)
  const wrong = {
    'PUT /v1/responses': 'POST, OPTIONS',
    'GET /v1/responses': 'POST, OPTIONS',
    'PATCH /v1/models/a/b': 'GET, HEAD, OPTIONS',
  }
  for (const [line, allow] of Object.entries(wrong)) {
    const [method = '', path = ''] = line.split(' ')
    const reply = await call(url + path, method, method === 'GET' ? undefined : {})
    assert.deepEqual([reply.status, reply.headers.get('allow')], [405, allow], line)
    assert.notEqual(reply.error, null)
  }
  for (const path of ['/v1/__no_such_endpoint__', '/api/chat', '/files/x', '/v1', '/v1/responses/a/b/c']) {
    const reply = await call(url + path, 'POST', {}, { authorization: '' })
    assert.equal(reply.status, 404, path)
    assert.match(reply.error?.message ?? '', /\/v1/, path)
  }
})

test('forgiving paths reach the same routes', async (t) => {
  const { url } = await startServer(t)
  for (const path of ['//v1//models', '/v1/models/', '/models', '/v1/v1/models', '/models/?x=1', '/v1/models/demo/']) {
    assert.equal((await call(url + path)).status, 200, path)
  }
  assert.equal((await call(`${url}/responses/`, 'POST', {})).status, 200)
})

test('warnings travel as one safe, bounded header', async (t) => {
  const { url, engine } = await startServer(t, { limits: { warningBytes: 200 } })
  engine.warnings = ['second', 'x'.repeat(300)]
  const reply = await call(`${url}/v1/responses`, 'POST', { warn: true })
  assert.equal(
    reply.headers.get('x-antiphon-warnings'),
    '%C3%9Cnknown field, 100%25 ignored%0D%0Ax: y; second; (+1 more)',
  )
})

test('a refusal of the engine is a plain HTTP error, also for a stream', async (t) => {
  const { url, engine } = await startServer(t)
  engine.refusal = new ApiError({ status: 400, param: 'model', code: 'model_not_found', message: 'no such model' })
  const reply = await call(`${url}/v1/responses`, 'POST', { stream: true })
  assert.deepEqual([reply.status, reply.error?.param], [400, 'model'])
  assert.match(reply.headers.get('content-type') ?? '', /^application\/json/)
  assert.equal((await call(`${url}/v1/responses`, 'POST', { input: 42 })).error?.param, 'input')
})

test('a whole run in one batch is enough', async (t) => {
  const { url, engine } = await startServer(t)
  engine.script = batches([created(), completed(1)])
  assert.equal((await call(`${url}/v1/responses`, 'POST', {})).status, 200)
})
