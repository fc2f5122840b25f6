/**
 * `Idempotency-Key`, end to end. The long form, `ANTIPHON_FAULTS=full`, uses 1,000 keys; the short one 50.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import { waitUntil } from '../fakes/chat-upstream.ts'
import { isFull } from '../faults/seed.ts'
import { checkRunLaws } from '../laws/run-laws.ts'
import { eventsOf, type Reply, send } from '../support/http.ts'
import { startServer, type TestServer, UPSTREAM_MODEL } from '../support/server.ts'

const KEYS = isFull ? 1_000 : 50
const AT_ONCE = 10
const DUPLICATES = 5

let server: TestServer
before(async () => {
  server = await startServer()
})
after(() => server.close())

let used = 0
const newKey = () => `key ${++used} of the tests`

const create = (key: string, body: object, from: TestServer = server) =>
  send(from, 'POST', '/v1/responses', { model: UPSTREAM_MODEL, ...body }, { headers: { 'idempotency-key': key } })
const codeOf = ({ json }: Reply) => (json.error as { code: string | null }).code
const isReplay = ({ headers }: Reply) => headers['idempotency-replayed'] === 'true'
const calls = () => server.upstream.requests.filter(({ method }) => method === 'POST').length

test('the same request again gets the same reply, and no provider is called for it (req 191)', async () => {
  for (const store of [true, false]) {
    const key = newKey()
    const first = await create(key, { input: 'Hi', store })
    assert.equal(first.status, 200)
    assert.ok(!isReplay(first))
    const before = calls()
    const again = await create(key, { store, input: 'Hi' })
    assert.equal(again.status, 200)
    assert.ok(isReplay(again))
    assert.deepEqual(again.json, first.json)
    assert.equal(calls(), before)
  }
})

test('a stream is replayed as a lawful stream that ends in the same response (req 191)', async () => {
  for (const [model, input, store] of [
    [UPSTREAM_MODEL, 'Tell me something.', true],
    ['demo', '[think] What is 2+2?', false],
    ['demo', 'call f with {"a":1}', true],
  ] as const) {
    const key = newKey()
    const tools = [{ type: 'function', name: 'f', parameters: { type: 'object' } }]
    const body = { model, input, store, stream: true, tools }
    const first = eventsOf((await create(key, body)).text)
    const again = await create(key, body)
    assert.ok(isReplay(again))
    const events = eventsOf(again.text)
    assert.deepEqual(events.at(-1)?.response, first.at(-1)?.response)
    checkRunLaws(JSON.parse(JSON.stringify(events)))
  }
})

test('another body under the same key is 422, whatever differs (req 191)', async () => {
  const key = newKey()
  await create(key, { input: 'Hi' })
  for (const body of [{ input: 'Ho' }, { input: 'Hi', stream: true }, { input: 'Hi', temperature: 1 }]) {
    const reply = await create(key, body)
    assert.equal(reply.status, 422)
    assert.equal(codeOf(reply), 'idempotency_key_reused')
  }
})

test('while the first request runs, the second is told to wait, and the SDK does (req 191)', async () => {
  const key = newKey()
  const body = { model: UPSTREAM_MODEL, input: 'Take your time.' }
  const before = calls()
  server.upstream.push({ answer: { text: 'word '.repeat(200) }, delayMs: 5 })
  const first = create(key, body)
  await waitUntil(() => calls() > before)
  const second = await create(key, body)
  assert.equal(second.status, 409)
  assert.equal(codeOf(second), 'idempotency_key_in_use')
  assert.equal(second.headers['retry-after'], '1')
  const client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 120 })
  const waited = await client.responses.create(body, { headers: { 'idempotency-key': key } })
  assert.equal(waited.id, (await first).json.id)
})

test('a request that failed, was refused or was left by its client runs again (req 191)', async () => {
  const failed = newKey()
  server.upstream.push({ status: 400 })
  assert.equal((await create(failed, { input: 'Hi' })).status, 400)
  const again = await create(failed, { input: 'Hi' })
  assert.equal(again.status, 200)
  assert.ok(!isReplay(again))
  const refused = newKey()
  assert.equal((await create(refused, { input: 'Hi', temperature: 9 })).status, 400)
  assert.equal((await create(refused, { input: 'Hi', model: 'nobody/knows' })).status, 400)
  assert.equal((await create(refused, { input: 'Hi' })).status, 200)
  const left = newKey()
  const client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 120 })
  const headers = { 'idempotency-key': left }
  const body = { model: 'demo', input: '[slow:20] [long:500]' }
  await assert.rejects(client.responses.create(body, { headers, timeout: 200, maxRetries: 0 }))
  const next = { model: 'demo', input: 'Hi', stream: true } as const
  const stream = await onceGivenUp(() => client.responses.create(next, { headers }))
  for await (const event of stream) assert.notEqual(event.type, 'response.failed')
})

/** The server may learn a moment later that a client has left; until then the key is that client's. */
async function onceGivenUp<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof OpenAI.APIError && error.status === 422)) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('a key is 1 to 255 printable characters (req 191)', async () => {
  assert.equal((await create('k'.repeat(255), { input: 'Hi' })).status, 200)
  for (const key of ['k'.repeat(256), '', 'ключ'.normalize(), 'a\tb']) {
    const bytes = Buffer.from(key).toString('latin1')
    const reply = await create(bytes, { input: 'Hi' })
    assert.equal(reply.status, 400, JSON.stringify(key))
    assert.equal((reply.json.error as { param: string }).param, 'Idempotency-Key')
  }
})

/** Every other POST. Another mark is another body. */
type Post = {
  readonly path: string
  readonly body: (mark: string) => object
  /** Of what it makes, where that can be counted. */
  readonly count?: () => Promise<number>
}

async function otherPosts(): Promise<readonly Post[]> {
  const post = async (path: string, body: object) => String((await send(server, 'POST', path, body)).json.id)
  const conversation = await post('/v1/conversations', {})
  const prompt = await post('/v1/prompts', { instructions: 'x' })
  const lengthOf = async (path: string) => ((await send(server, 'GET', path)).json.data as unknown[]).length
  const items = `/v1/conversations/${conversation}/items`
  const version = async () => Number((await send(server, 'GET', `/v1/prompts/${prompt}`)).json.latest_version)
  const said = (text: string) => [{ role: 'user', content: text }]
  return [
    { path: '/v1/conversations', body: (mark) => ({ metadata: { mark } }) },
    { path: `/v1/conversations/${conversation}`, body: (mark) => ({ metadata: { mark } }) },
    { path: items, body: (mark) => ({ items: said(mark) }), count: () => lengthOf(items) },
    { path: '/v1/prompts', body: (mark) => ({ instructions: mark }), count: () => lengthOf('/v1/prompts?limit=100') },
    { path: `/v1/prompts/${prompt}`, body: (mark) => ({ instructions: mark }), count: version },
    { path: '/v1/responses/compact', body: (mark) => ({ model: UPSTREAM_MODEL, input: said(mark) }) },
    { path: '/v1/responses/input_tokens', body: (mark) => ({ model: 'demo', input: mark }) },
  ]
}

test('every other POST happens once for its key as well, and answers the same (req 191)', async () => {
  for (const { path, body, count } of await otherPosts()) {
    const headers = { 'idempotency-key': newKey() }
    const ask = (mark: string) => send(server, 'POST', path, body(mark), { headers })
    const before = await count?.()
    const callsBefore = calls()
    const replies = await Promise.all(Array.from({ length: DUPLICATES }, () => ask('one')))
    const answered = replies.filter(({ status }) => status === 200)
    assert.ok(answered.length >= 1, path)
    for (const reply of replies) if (reply.status !== 200) assert.equal(codeOf(reply), 'idempotency_key_in_use', path)
    assert.equal(answered.filter((reply) => !isReplay(reply)).length, 1, path)
    const again = await ask('one')
    assert.ok(isReplay(again), path)
    for (const reply of answered) assert.deepEqual(reply.json, again.json, path)
    if (before !== undefined) assert.equal(await count?.(), before + 1, path)
    assert.ok(calls() - callsBefore <= 1, path)
    const other = await ask('two')
    assert.deepEqual([other.status, codeOf(other)], [422, 'idempotency_key_reused'], path)
  }
})

test('a POST that was refused runs again, and a key is another one at another endpoint', async () => {
  const headers = { 'idempotency-key': newKey() }
  const ask = (path: string, body: object) => send(server, 'POST', path, body, { headers })
  assert.equal(
    (await ask('/v1/conversations/conv_never/items', { items: [{ role: 'user', content: 'x' }] })).status,
    404,
  )
  const made = await ask('/v1/conversations', { metadata: { a: 'b' } })
  assert.equal(made.status, 200)
  const path = `/v1/conversations/${made.json.id}/items`
  const added = await ask(path, { items: [{ role: 'user', content: 'x' }] })
  assert.deepEqual([added.status, isReplay(added)], [200, false])
  const elsewhere = await ask('/v1/conversations/conv_other/items', { items: [{ role: 'user', content: 'x' }] })
  assert.equal(elsewhere.status, 422, 'the id in the path is part of the request')
  for (const key of ['', 'k'.repeat(256)]) {
    const wrong = await send(
      server,
      'POST',
      '/v1/prompts',
      { instructions: 'x' },
      { headers: { 'idempotency-key': key } },
    )
    assert.deepEqual([wrong.status, (wrong.json.error as { param: string }).param], [400, 'Idempotency-Key'])
  }
})

test('a response that was deleted is not brought back by its key', async () => {
  const key = newKey()
  const { json } = await create(key, { input: 'Hi' })
  await send(server, 'DELETE', `/v1/responses/${json.id}`)
  assert.equal((await create(key, { input: 'Hi' })).status, 404)
})

test('of many duplicates at once each key makes one call and one response (req 191)', async () => {
  const settle = async (key: string, input: string) => {
    for (;;) {
      const reply = await create(key, { input, store: false })
      if (reply.status !== 409) return reply
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  const before = calls()
  const ids = new Set<unknown>()
  for (let start = 0; start < KEYS; start += AT_ONCE) {
    const keys = Array.from({ length: Math.min(AT_ONCE, KEYS - start) }, newKey)
    await Promise.all(
      keys.map(async (key) => {
        const replies = await Promise.all(Array.from({ length: DUPLICATES }, () => settle(key, `Hi ${key}`)))
        assert.ok(replies.every(({ status }) => status === 200))
        assert.equal(replies.filter((reply) => !isReplay(reply)).length, 1)
        assert.equal(new Set(replies.map(({ json }) => json.id)).size, 1)
        ids.add(replies[0]?.json.id)
      }),
    )
  }
  assert.equal(ids.size, KEYS)
  assert.equal(calls() - before, KEYS)
})
