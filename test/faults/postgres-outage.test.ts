/**
 * A PostgreSQL that goes away in the middle of the load, and comes back. It is a server of the test's own. The long
 * form, `ANTIPHON_FAULTS=full`, lets it be away for 20 s; the short one for 2 s.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { openStore } from '../../src/app/open-store.ts'
import { createKeyRing } from '../../src/auth/key-ring.ts'
import { loadPepper } from '../../src/auth/secret-files.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { type Reply, send } from '../support/http.ts'
import { openSchema } from '../support/postgres.ts'
import { findPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { startFaultProxy } from './fault-proxy.ts'
import { isFull, withinMs } from './seed.ts'

const BIN = findPostgres()
const AWAY_MS = isFull ? 20_000 : 2_000
const LOAD_MS = 1_500
const WORKERS = 8
const MAX_CONNECTIONS = 6
/** The clocks of a connection and of a query, and some time for all the rest. */
const ANSWER_MS = 10_000
const BACK_MS = 5_000
const TIMEOUTS = 'connect_timeout: 1s, query_timeout: 2s'
const CONFIG = `storage: { postgres: { max_connections: ${MAX_CONNECTIONS}, ${TIMEOUTS} } }`

type Outcome = { readonly reply: Reply; readonly tookMs: number }
const codeOf = ({ json }: Reply) => (json.error as { code?: string } | undefined)?.code ?? null

describe('a PostgreSQL that goes away', { skip: BIN === null && 'no PostgreSQL server is installed here' }, () => {
  let postgres: PostgresServer
  before(async () => {
    postgres = await startPostgres(BIN ?? '')
  })
  after(() => postgres.remove())

  test('stops nothing that was acknowledged, is a 503 meanwhile, and is found again by itself', async (t) => {
    const schema = await openSchema(postgres.url)
    const server = await startServer({ databaseUrl: schema.url, config: CONFIG, onFault: () => {} })
    const [key, unused] = [await makeKey(server), await makeKey(server)]
    const acknowledged = new Map<string, unknown>()
    const outcomes: Outcome[] = []
    let isLoading = true
    const work = async (worker: number) => {
      for (let turn = 0; isLoading; turn++) {
        const outcome = await timed(() =>
          create(server, { input: `turn ${turn} of ${worker}`, stream: turn % 3 === 0 }, key),
        )
        outcomes.push(outcome)
        const ended = endOf(outcome.reply)
        if (ended) acknowledged.set(ended.id, ended)
        if (outcome.reply.status === 503) await delay(50)
      }
    }
    const workers = Array.from({ length: WORKERS }, (_, worker) => work(worker))
    try {
      while (acknowledged.size < WORKERS) await delay(50)
      const peak = await schema.query("select count(*) as n from pg_stat_activity where application_name = 'antiphon'")
      // One more than the pool has: the one that listens.
      assert.ok(Number(peak[0]?.n) <= MAX_CONNECTIONS + 1, `${peak[0]?.n} connections`)
      await postgres.stop()
      const stranger = await timed(() => create(server, { input: 'x' }, unused))
      assert.equal(stranger.reply.status, 503, 'a key that cannot be looked up is not refused')
      const ready = await timed(() => send(server, 'GET', '/ready'))
      assert.equal(ready.reply.status, 503)
      await delay(AWAY_MS)
      await postgres.start()
      const began = performance.now()
      while ((await send(server, 'GET', '/ready')).status !== 200) await delay(50)
      const backMs = performance.now() - began
      while (!(await create(server, { input: 'back' }, key)).status.toString().startsWith('2')) await delay(50)
      t.diagnostic(`ready ${Math.round(backMs)} ms after the database`)
      assert.ok(backMs < withinMs(BACK_MS), `ready after ${backMs} ms`)
      await delay(LOAD_MS)
    } finally {
      isLoading = false
      await Promise.all(workers)
    }
    const statuses = new Set(outcomes.map(({ reply }) => reply.status))
    assert.deepEqual([...statuses].sort(), [200, 503])
    for (const { reply } of outcomes.filter(({ reply: it }) => it.status === 503)) {
      assert.match(codeOf(reply) ?? '', /^storage_(unavailable|busy)$/)
    }
    const slowest = Math.max(...outcomes.map(({ tookMs }) => tookMs))
    t.diagnostic(
      `${outcomes.length} requests, ${acknowledged.size} acknowledged, the slowest ${Math.round(slowest)} ms`,
    )
    assert.ok(slowest < withinMs(ANSWER_MS), `a request took ${slowest} ms`)
    for (const [id, response] of acknowledged) {
      assert.deepEqual((await send(server, 'GET', `/v1/responses/${id}`)).json, response)
    }
    await server.close()
    await schema.drop()
  })

  test('without a word, as behind a cut cable, is a 503 within the clocks, and every connection is a new one after', async () => {
    const proxy = await startFaultProxy({ targetPort: Number(new URL(postgres.url).port), random: () => 0 })
    const schema = await openSchema(postgres.url)
    const url = new URL(schema.url)
    url.port = String(proxy.port)
    const server = await startServer({ databaseUrl: url.href, config: CONFIG, onFault: () => {} })
    assert.equal((await create(server, { input: 'x' })).status, 200)
    await proxy.set({ type: 'blackhole' })
    const held = await Promise.all(
      Array.from({ length: 4 * MAX_CONNECTIONS }, () => timed(() => create(server, { input: 'x' }))),
    )
    for (const { reply, tookMs } of held) {
      assert.equal(reply.status, 503)
      assert.match(codeOf(reply) ?? '', /^storage_(unavailable|busy)$/)
      assert.ok(tookMs < withinMs(ANSWER_MS), `${tookMs} ms`)
    }
    await proxy.set({ type: 'pass' })
    const began = performance.now()
    while ((await create(server, { input: 'x' })).status !== 200) await delay(50)
    assert.ok(performance.now() - began < withinMs(BACK_MS))
    await server.close()
    await proxy.close()
    await schema.drop()
  })

  test('a full disk is a 503 that is not to be repeated, and reading goes on', async () => {
    const schema = await openSchema(postgres.url)
    const server = await startServer({ databaseUrl: schema.url, onFault: () => {} })
    const kept = await create(server, { input: 'kept' })
    assert.equal(kept.status, 200)
    await schema.query(`create function full_disk() returns trigger language plpgsql as
      $$ begin raise exception using errcode = '53100', message = 'could not extend file: No space left on device'; end $$`)
    await schema.query('create trigger full_disk before insert on responses execute function full_disk()')
    for (const stream of [false, true]) {
      const refused = await create(server, { input: 'x', stream })
      assert.deepEqual([refused.status, codeOf(refused)], [503, 'storage_full'])
      assert.equal(refused.headers['x-should-retry'], 'false')
    }
    assert.equal((await send(server, 'GET', `/v1/responses/${kept.json.id}`)).status, 200)
    await schema.query('drop trigger full_disk on responses')
    assert.equal((await create(server, { input: 'x' })).status, 200)
    await server.close()
    await schema.drop()
  })
})

const create = (server: TestServer, body: object, key = server.apiKey) =>
  send(server, 'POST', '/v1/responses', { model: 'demo', ...body }, { key })

async function timed(ask: () => Promise<Reply>): Promise<Outcome> {
  const began = performance.now()
  return { reply: await ask(), tookMs: performance.now() - began }
}

/** The response that the reply says is there, or null. */
function endOf(reply: Reply): { readonly id: string } | null {
  if (reply.status !== 200) return null
  const json = reply.text.startsWith('{')
    ? reply.text
    : /^data: (\{"type":"response\.completed".*)$/m.exec(reply.text)?.[1]
  if (json === undefined) return null
  const parsed: { id?: string; response?: { id: string } } = JSON.parse(json)
  return parsed.response ?? (parsed.id === undefined ? null : { ...parsed, id: parsed.id })
}

async function makeKey(server: TestServer): Promise<string> {
  const { store } = await openStore(server.storage)
  const ring = createKeyRing(store.keys, loadPepper(server.dataDir), systemClock)
  const { key } = await ring.create({ name: 'load', scopes: ['responses', 'read'], expiresAt: null })
  await store.close()
  return key
}
