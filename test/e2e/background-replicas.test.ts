/** Background runs over two servers on one PostgreSQL: what is asked at one holds for a run that is at the other. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import { type ChatUpstream, startChatUpstream, waitUntil } from '../fakes/chat-upstream.ts'
import { type Reply, send } from '../support/http.ts'
import { NO_POSTGRES, openSchema, type TestSchema } from '../support/postgres.ts'
import { startServer, type TestServer, UPSTREAM_MODEL } from '../support/server.ts'

const MAX_RUNNING = 1
const MAX_QUEUED = 3
const CURSOR_BEYOND = 10_000
const MINUTE_MS = 60_000

describe('background runs over two replicas', { skip: NO_POSTGRES }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'antiphon-files-'))
  const limits = `limits: { background_running: ${MAX_RUNNING}, background_queued: ${MAX_QUEUED} }`
  const config = `storage: { files: "${folder}" }\n${limits}`
  let schema: TestSchema
  let upstream: ChatUpstream
  let one: TestServer
  let other: TestServer
  before(async () => {
    // Its model says nothing until it is cut off.
    upstream = await startChatUpstream({ script: () => ({ silent: true }) })
    schema = await openSchema()
    one = await startServer({ databaseUrl: schema.url, upstream, config })
    other = await startServer({ databaseUrl: schema.url, upstream, secretsOf: one.dataDir, config })
  })
  after(async () => {
    await other.close()
    await one.close()
    await upstream.close()
    await schema.drop()
    rmSync(folder, { recursive: true })
  })
  const calls = () => upstream.requests.filter(({ method }) => method === 'POST')
  const create = (at: TestServer, fields: object = {}) =>
    send(at, 'POST', '/v1/responses', { model: UPSTREAM_MODEL, input: 'Go on.', background: true, ...fields })
  const cancel = (at: TestServer, id: unknown) => send(at, 'POST', `/v1/responses/${id}/cancel`)
  const get = (at: TestServer, id: unknown, query = '') => send(at, 'GET', `/v1/responses/${id}${query}`)

  /** One that has come to its model, wherever it runs. */
  async function startRunning(fields: object = {}): Promise<unknown> {
    const before = calls().length
    const { json, text } = await create(one, fields)
    await waitUntil(() => calls().length > before)
    return json.id ?? /"id":"(resp_\w+)"/.exec(text)?.[1]
  }

  test('two that cancel at once at two replicas are both told the same end, and the call of the provider is closed', async () => {
    const id = await startRunning()
    const replies = await Promise.all([one, other, one, other].map((at) => cancel(at, id)))
    for (const { status, json } of replies) assert.deepEqual([status, json], [200, replies[0]?.json])
    assert.equal(replies[0]?.json.status, 'cancelled')
    assert.deepEqual((await get(other, id)).json, replies[0]?.json)
    await waitUntil(() => calls().every(({ closedEarly }) => closedEarly))
  })

  test('the queue of a project is one for both: of many at once no more than its limit are taken', async () => {
    const running = await startRunning()
    const replies = await Promise.all(Array.from({ length: 12 }, (_, n) => create(n % 2 ? one : other)))
    const statusOf = ({ status }: Reply) => status
    assert.deepEqual(replies.map(statusOf).sort(), [
      ...Array(MAX_QUEUED).fill(200),
      ...Array(12 - MAX_QUEUED).fill(429),
    ])
    const queued = replies.filter(({ status }) => status === 200)
    for (const [n, { json }] of queued.entries()) {
      assert.equal((await cancel(n % 2 ? one : other, json.id)).json.status, 'cancelled')
    }
    assert.equal((await cancel(other, running)).json.status, 'cancelled')
  })

  test('deleting at one a run that may be at the other ends it, and nobody finds it any more', async () => {
    const ids = [await startRunning()]
    const replies = await Promise.all([one, other].map((at) => send(at, 'DELETE', `/v1/responses/${ids[0]}`)))
    assert.ok(replies.some(({ status }) => status === 200))
    for (const { status } of replies) assert.ok(status === 200 || status === 404, String(status))
    for (const at of [one, other]) assert.equal((await get(at, ids[0])).status, 404)
    await waitUntil(() => calls().every(({ closedEarly }) => closedEarly))
    assert.deepEqual(await schema.query('select seq from jobs'), [])
  })

  test('behind the last event there is only the end mark, at either replica', async () => {
    const { text } = await create(one, { model: 'demo', stream: true })
    const id = /"id":"(resp_\w+)"/.exec(text)?.[1]
    for (const at of [one, other]) {
      const { status, text: rest } = await get(at, id, `?stream=true&starting_after=${CURSOR_BEYOND}`)
      assert.deepEqual([status, rest.trim()], [200, 'data: [DONE]'])
    }
  })

  for (const offset of [MINUTE_MS, -MINUTE_MS]) {
    test(`a replica whose clock is ${offset > 0 ? 'a minute ahead' : 'a minute behind'} does not start`, async () => {
      const clock: Clock = { ...systemClock, now: () => systemClock.now() + offset }
      await assert.rejects(
        startServer({ databaseUrl: schema.url, upstream, secretsOf: one.dataDir, config, clock }),
        /clock/,
      )
    })
  }
})
