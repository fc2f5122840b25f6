/** An upstream that fails for everybody is not hit harder for it: retries are a small share of the calls. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'
import { MIN_RETRIES, RETRY_RATIO } from '../../src/models/retry-budget.ts'
import { waitUntil } from '../fakes/chat-upstream.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { type HostileUpstream, startHostileUpstream } from './hostile-upstream.ts'
import { JSON_TYPE } from './hostile-wire.ts'
import { isFull, withinMs } from './seed.ts'
import { asChatUpstream } from './upstream-fixture.ts'

const REQUESTS_PER_SECOND = isFull ? 200 : 100
const SECONDS = isFull ? 15 : 3
const ALLOWED_SHARE = 1.2

let upstream: HostileUpstream
let server: TestServer
before(async () => {
  upstream = await startHostileUpstream({
    play: (model) => (model === 'soon' ? (reply) => reply.whole(503, JSON_TYPE, '{}', { 'retry-after': '1' }) : null),
  })
  server = await startServer({
    upstream: asChatUpstream(upstream.port),
    config: 'limits: { requests_per_minute: 0, streams_per_project: 2000 }',
  })
})
after(async () => {
  await upstream.close()
  await server.close()
})

function ask(model: string, signal?: AbortSignal) {
  return request(`${server.url}/v1/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: `upstream/${model}`, input: 'x', store: false }),
    ...(signal && { signal }),
  })
}

/** Statuses of a steady load on these models in turn. */
async function load(models: readonly string[], seconds: number): Promise<Map<number, number>> {
  const statuses = new Map<number, number>()
  const pending: Promise<void>[] = []
  const total = REQUESTS_PER_SECOND * seconds
  const began = performance.now()
  for (let sent = 0; sent < total; sent += 1) {
    const due = began + (sent * 1000) / REQUESTS_PER_SECOND
    if (due > performance.now()) await delay(due - performance.now())
    const one = async () => {
      const reply = await ask(models[sent % models.length] ?? '')
      await reply.body.dump()
      statuses.set(reply.statusCode, (statuses.get(reply.statusCode) ?? 0) + 1)
    }
    pending.push(one())
  }
  await Promise.all(pending)
  return statuses
}

/** Before the storm, which uses up the retries. `soon` asks to be called again in a second. */
test('nobody calls again for a client that has left, not even when a call was planned', async () => {
  for (const model of ['silent', 'soon']) {
    const left = new AbortController()
    const pending = ask(model, left.signal).catch(() => null)
    await waitUntil(() => upstream.callsOf(model) === 1)
    await delay(50)
    left.abort()
    await pending
    await waitUntil(() => upstream.busySockets() === 0, withinMs(1_000))
  }
  await delay(1_200)
  assert.deepEqual([upstream.callsOf('silent'), upstream.callsOf('soon')], [1, 1])
})

test('who waits is called for again as the upstream asked', async () => {
  const began = performance.now()
  assert.equal((await ask('soon')).statusCode, 503)
  // Timers may be a millisecond early.
  assert.ok(performance.now() - began >= 1_990)
  assert.equal(upstream.callsOf('soon'), 1 + 3)
})

test('an upstream that always fails sees few calls more than requests', async (t) => {
  const sent = REQUESTS_PER_SECOND * SECONDS
  const before = upstream.calls()
  const statuses = await load(['status-503', 'status-500', 'status-429'], SECONDS)
  const calls = upstream.calls() - before
  const budget = Math.ceil(sent * RETRY_RATIO) + MIN_RETRIES
  t.diagnostic(`${sent} requests, ${calls} upstream calls, statuses ${JSON.stringify([...statuses])}`)
  assert.ok(calls <= sent * ALLOWED_SHARE + MIN_RETRIES, `${calls} calls for ${sent} requests`)
  assert.ok(calls <= sent + budget, `${calls - sent} retries, the budget is ${budget}`)
  assert.deepEqual([...statuses.keys()].sort(), [429, 502, 503])
})

test('what the upstream refuses is never repeated', async () => {
  const before = upstream.calls()
  const statuses = await load(['status-400', 'status-401', 'status-422'], 1)
  assert.equal(upstream.calls() - before, REQUESTS_PER_SECOND)
  assert.deepEqual([...statuses.keys()].sort(), [400, 502])
})
