/** Nobody pays for nothing: who leaves stops the upstream, and every upstream call is in the ledger. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'
import { waitUntil } from '../fakes/chat-upstream.ts'
import { send } from '../support/http.ts'
import { startServer, type TestServer, UPSTREAM_MODEL } from '../support/server.ts'

const DISCONNECTS = 24

let server: TestServer
before(async () => {
  server = await startServer()
})
after(() => server.close())

type UsageRow = { outcome: string; estimated: number; input_tokens: number; output_tokens: number }

function usageOf(responseId: string): UsageRow[] {
  const database = new DatabaseSync(join(server.dataDir, 'antiphon.db'), { readOnly: true })
  try {
    const rows = database.prepare('select * from usage where response_id = ?').all(responseId)
    return rows.map((row) => ({
      outcome: String(row.outcome),
      estimated: Number(row.estimated),
      input_tokens: Number(row.input_tokens),
      output_tokens: Number(row.output_tokens),
    }))
  } finally {
    database.close()
  }
}

test('a finished response leaves one usage row with what the upstream reported (req 158)', async () => {
  for (const store of [true, false]) {
    const { json } = await send(server, 'POST', '/v1/responses', { model: UPSTREAM_MODEL, input: 'Say hello.', store })
    const usage = json.usage as { input_tokens: number; output_tokens: number }
    // Without a response to store nobody waits for the row.
    await waitUntil(() => usageOf(String(json.id)).length === 1)
    const [row] = usageOf(String(json.id))
    assert.deepEqual(row, {
      outcome: 'completed',
      estimated: 0,
      input_tokens: usage.input_tokens,
      output_tokens: usage.output_tokens,
    })
  }
})

test('what an upstream does not report is counted, and the ledger says what the client is told', async () => {
  server.upstream.push({ answer: { text: 'Some words.' }, usage: false })
  const { json } = await send(server, 'POST', '/v1/responses', { model: UPSTREAM_MODEL, input: 'Say some words.' })
  const { input_tokens, output_tokens } = json.usage as { input_tokens: number; output_tokens: number }
  assert.ok(input_tokens > 0 && output_tokens > 0)
  assert.deepEqual(usageOf(String(json.id)), [{ outcome: 'completed', estimated: 1, input_tokens, output_tokens }])
})

/** Starts a slow stream, leaves it after some milliseconds, and answers the id of its response. */
async function leaveStream(afterMs: number): Promise<string> {
  const called = server.upstream.requests.length
  server.upstream.push({ answer: { text: 'word '.repeat(4_000) }, delayMs: 5 })
  const reply = await request(`${server.url}/v1/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: UPSTREAM_MODEL, input: 'Go on for long.', stream: true }),
  })
  let id = ''
  for await (const chunk of reply.body) {
    id ||= /"id":"(resp_[0-9a-f]+)"/.exec(String(chunk))?.[1] ?? ''
    if (id) break
  }
  await waitUntil(() => server.upstream.requests.length > called)
  await delay(afterMs)
  reply.body.destroy()
  return id
}

test('who leaves a stream stops its upstream within a second, and the response is cancelled (req 102)', async () => {
  for (let index = 0; index < DISCONNECTS; index++) {
    const id = await leaveStream((index * 37) % 120)
    const seen = server.upstream.requests.at(-1)
    await waitUntil(() => seen?.closedEarly === true)
    const path = `/v1/responses/${id}`
    let stored = await send(server, 'GET', path)
    for (let wait = 0; stored.json.status === 'in_progress' && wait < 3_000; wait++) {
      await delay(10)
      stored = await send(server, 'GET', path)
    }
    assert.equal(stored.json.status, 'cancelled')
    assert.equal(stored.json.completed_at, null)
    const rows = usageOf(id)
    assert.equal(rows.length, 1)
    assert.equal(rows[0]?.outcome, 'aborted')
    assert.equal(rows[0]?.estimated, 1)
    assert.ok((rows[0]?.input_tokens ?? 0) > 0)
  }
})

test('who leaves a JSON request stops its upstream too', async () => {
  server.upstream.push({ answer: { text: 'word '.repeat(4_000) }, delayMs: 5 })
  const left = new AbortController()
  const pending = request(`${server.url}/v1/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: UPSTREAM_MODEL, input: 'Go on for long.' }),
    signal: left.signal,
  })
  const before = server.upstream.requests.length
  await waitUntil(() => server.upstream.requests.length > before)
  await delay(30)
  left.abort()
  await assert.rejects(pending)
  await waitUntil(() => server.upstream.requests.at(-1)?.closedEarly === true)
})

test('an upstream that refuses is called as often as its fault allows, and no more (req 46, 190)', async () => {
  const cases = [
    { status: 400, calls: 1, answer: 400 },
    { status: 401, calls: 1, answer: 502 },
    { status: 404, calls: 1, answer: 404 },
    { status: 503, calls: 3, answer: 503 },
  ]
  for (const { status, calls, answer } of cases) {
    const before = server.upstream.requests.length
    const fault = { status, wire: JSON.stringify({ error: { message: `fault ${status}`, type: 'x' } }) }
    server.upstream.push(...Array.from({ length: calls }, () => fault))
    const reply = await send(server, 'POST', '/v1/responses', { model: UPSTREAM_MODEL, input: 'x' })
    assert.equal(reply.status, answer, `upstream ${status}`)
    assert.equal(server.upstream.requests.length - before, calls, `calls after ${status}`)
    if (status >= 500) assert.doesNotMatch(reply.text, /fault/)
  }
})

test('an upstream rate limit is passed on with its wait (req 188)', async () => {
  server.upstream.push({ status: 429, headers: { 'retry-after': '7' }, wire: '{"error":{"message":"slow down"}}' })
  const reply = await send(server, 'POST', '/v1/responses', { model: UPSTREAM_MODEL, input: 'x' })
  assert.equal(reply.status, 429)
  assert.equal(reply.headers['retry-after'], '7')
  assert.equal((reply.json.error as { code: string }).code, 'rate_limit_exceeded')
})

test('an upstream that is cut off in mid-answer never ends as completed (req 95)', async () => {
  const cut =
    'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"Half a sen"}}]}\n\ndata: {"choices":[{"ind'
  for (const stream of [true, false]) {
    server.upstream.push({ wire: cut, headers: { 'content-type': 'text/event-stream' } })
    const reply = await send(server, 'POST', '/v1/responses', { model: UPSTREAM_MODEL, input: 'x', stream })
    if (stream) assert.match(reply.text, /event: response\.failed/)
    else assert.equal(reply.status, 502)
    assert.doesNotMatch(reply.text, /response\.completed/)
  }
})
