/** Two servers on one PostgreSQL: what one has said holds on the other, and they never do the same thing twice. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { isFull } from '../faults/seed.ts'
import { type Reply, send } from '../support/http.ts'
import { NO_POSTGRES, openSchema, type TestSchema } from '../support/postgres.ts'
import { startServer, type TestServer, UPSTREAM_MODEL } from '../support/server.ts'

const ROUNDS = isFull ? 200 : 20
const AT_ONCE = 6

const errorOf = ({ json }: Reply) => json.error as { code: string | null; param: string | null; message: string }

describe('two replicas on one database', { skip: NO_POSTGRES }, () => {
  let schema: TestSchema
  let one: TestServer
  let other: TestServer
  before(async () => {
    schema = await openSchema()
    one = await startServer({ databaseUrl: schema.url, config: files() })
    other = await startServer({
      ...{ databaseUrl: schema.url, secretsOf: one.dataDir },
      ...{ upstream: one.upstream, config: files() },
    })
  })
  after(async () => {
    await other.close()
    await one.close()
    await schema.drop()
  })
  const folder = mkdtempSync(join(tmpdir(), 'antiphon-files-'))
  after(() => rmSync(folder, { recursive: true }))
  const files = () => `storage: { files: "${folder}" }`
  const create = (at: TestServer, body: object, headers = {}) =>
    send(at, 'POST', '/v1/responses', { model: 'demo', ...body }, { headers })

  test('a chain goes on at the other replica, and ends there as soon as it is deleted here', async () => {
    const first = await create(one, { input: 'My name is Ada.' })
    const second = await create(other, { input: 'And what is it?', previous_response_id: first.json.id })
    assert.equal(second.status, 200)
    const third = await create(one, { input: 'Again?', previous_response_id: second.json.id })
    assert.equal(third.status, 200)
    assert.deepEqual((await send(other, 'GET', `/v1/responses/${third.json.id}`)).json, third.json)
    assert.equal((await send(one, 'DELETE', `/v1/responses/${first.json.id}`)).status, 200)
    for (const replica of [one, other]) {
      const late = await create(replica, { input: 'And now?', previous_response_id: third.json.id })
      assert.equal(errorOf(late).code, 'previous_response_not_found')
    }
  })

  test('of two turns at once on two replicas one wins, and no two ever interleave', async () => {
    const made = await send(one, 'POST', '/v1/conversations')
    const conversation = String(made.json.id)
    const winners: string[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const inputs = [`round ${round} of one`, `round ${round} of the other`]
      const replies = await Promise.all(
        [one, other].map((at, index) =>
          create(at, { conversation, input: `[slow:2] ${inputs[index]}`, stream: (round + index) % 2 === 0 }),
        ),
      )
      const won = replies.map(({ status }) => status === 200)
      if (won.every(Boolean)) {
        // The second began when the first was over: two turns, one after the other.
        winners.push('two')
        continue
      }
      assert.equal(won.filter(Boolean).length, 1, replies.map(({ text }) => text).join('\n'))
      const loser = replies[won.indexOf(false)]
      assert.ok(loser)
      assert.deepEqual([loser.status, errorOf(loser).code], [400, 'conversation_locked'])
      winners.push('one')
    }
    assert.ok(winners.includes('one'), 'some rounds really met')
    const page = await send(other, 'GET', `/v1/conversations/${conversation}/items?limit=100&order=asc`)
    const roles = (page.json.data as { role: string }[]).map(({ role }) => role)
    assert.deepEqual(
      roles,
      roles.map((_, index) => (index % 2 === 0 ? 'user' : 'assistant')),
    )
  })

  test('one idempotency key at both replicas makes one call', async () => {
    for (let round = 0; round < ROUNDS / 4; round++) {
      const before = one.upstream.requests.length
      const key = `key of round ${round}`
      const ask = (at: TestServer) => create(at, { model: UPSTREAM_MODEL, input: 'Hi' }, { 'idempotency-key': key })
      const replies = await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => ask(index % 2 ? one : other)))
      for (const { status } of replies) assert.ok(status === 200 || status === 409, String(status))
      const again = await ask(other)
      assert.equal(again.status, 200)
      const ids = new Set([...replies.filter(({ status }) => status === 200), again].map(({ json }) => json.id))
      assert.equal(ids.size, 1)
      const calls = one.upstream.requests.slice(before).filter(({ method }) => method === 'POST')
      assert.equal(calls.length, 1)
    }
  })

  test('a key that one replica did not make is refused at a replica with another pepper', async () => {
    await assert.rejects(
      startServer({ databaseUrl: schema.url, upstream: one.upstream }),
      /another pepper.*Copy the files pepper and sealing-keys/,
    )
  })

  test('a file sent to one is read from the other, and a server with files of its own is refused', async () => {
    const form = new FormData()
    form.set('purpose', 'user_data')
    form.set('file', new File(['heron'], 'heron.txt', { type: 'text/plain' }))
    const headers = { authorization: `Bearer ${one.apiKey}` }
    const made = await fetch(`${one.url}/v1/files`, { method: 'POST', body: form, headers })
    const { id } = (await made.json()) as { id: string }
    const content = await send(other, 'GET', `/v1/files/${id}/content`)
    assert.deepEqual([content.status, content.text], [200, 'heron'])
    await assert.rejects(
      startServer({ databaseUrl: schema.url, secretsOf: one.dataDir, upstream: one.upstream }),
      /files of this database are kept somewhere else/,
    )
  })

  test('what nobody finished stays as it is while its replica lives', async () => {
    const running = create(one, { input: '[delay:1500] Hello', stream: true })
    await new Promise((resolve) => setTimeout(resolve, 300))
    const [row] = await schema.query("select id from responses where status = 'in_progress'")
    assert.ok(row)
    assert.equal((await send(other, 'GET', `/v1/responses/${row.id}`)).json.status, 'in_progress')
    assert.equal((await running).status, 200)
    assert.equal((await send(other, 'GET', `/v1/responses/${row.id}`)).json.status, 'completed')
  })
})
