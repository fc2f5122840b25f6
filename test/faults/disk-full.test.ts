/** A full disk refuses writes with one clear error; reads go on, and so do writes once there is space, by themselves. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { StorageFull } from '../../src/store/sql/errors.ts'
import { framesOf, send } from '../support/http.ts'
import { startServer, type TestServer, UPSTREAM_MODEL } from '../support/server.ts'
import { withinMs } from './seed.ts'

const LARGE = 'x'.repeat(200_000)
/** Pages; SQLite takes what the file has already when less is asked for. */
const NO_GROWTH = 1
/** From the moment there is space. */
const RECOVERED_MS = withinMs(5_000)
const ALL_SPACE = 1_000_000

let server: TestServer
const connections = new Set<DatabaseSync>()
const faults: unknown[] = []
const exec = DatabaseSync.prototype.exec

/** SQLite's own limit on the file makes it report a full disk. It belongs to a connection, so the server's is caught. */
const limitPages = (pages: number) => {
  for (const connection of connections) {
    if (connection.isOpen) connection.prepare(`PRAGMA max_page_count=${pages}`).get()
  }
}

before(async () => {
  DatabaseSync.prototype.exec = function catchConnection(sql) {
    connections.add(this)
    return exec.call(this, sql)
  }
  server = await startServer({ onFault: (error) => faults.push(error) })
  DatabaseSync.prototype.exec = exec
  assert.ok(connections.size > 0)
})
after(() => server.close())

const ask = (input: string, more: object = {}) =>
  send(server, 'POST', '/v1/responses', { model: UPSTREAM_MODEL, input, ...more })

test('a full disk is told as storage_full, reads and unstored responses go on, and space is enough to recover', async () => {
  const kept = await ask('Say hello.')
  assert.equal(kept.status, 200)
  limitPages(NO_GROWTH)

  const refused = await ask(LARGE)
  assert.equal(refused.status, 503)
  const error = refused.json.error as Record<string, unknown>
  assert.equal(error.code, 'storage_full')
  assert.equal(refused.headers['x-should-retry'], 'false')

  const stored = await send(server, 'GET', `/v1/responses/${kept.json.id}`)
  assert.deepEqual([stored.status, stored.json], [200, kept.json])
  assert.equal((await send(server, 'GET', `/v1/responses/${kept.json.id}/input_items`)).status, 200)
  assert.equal((await ask('Say hello.', { store: false })).status, 200)
  assert.equal((await send(server, 'GET', '/health')).status, 200)

  limitPages(ALL_SPACE)
  assert.equal((await ask(LARGE)).status, 200)
  assert.equal((await send(server, 'DELETE', `/v1/responses/${kept.json.id}`)).status, 200)
})

test('a stream whose row cannot be written is refused before it begins', async () => {
  limitPages(NO_GROWTH)
  const refused = await ask(LARGE, { stream: true })
  assert.equal(refused.status, 503)
  assert.equal((refused.json.error as Record<string, unknown>).code, 'storage_full')
  limitPages(ALL_SPACE)
})

test('a stream that fills the disk ends as failed, never as completed', async () => {
  server.upstream.push({ answer: { text: LARGE }, split: 8_000, delayMs: 2 })
  const pending = ask('Say much.', { stream: true })
  while (server.upstream.requests.at(-1)?.replied !== false) await delay(1)
  limitPages(NO_GROWTH)
  const reply = await pending
  limitPages(ALL_SPACE)
  const frames = framesOf(reply.text)
  assert.deepEqual(
    frames.slice(-2).map(({ event, data }) => event ?? data),
    ['response.failed', '[DONE]'],
  )
  assert.doesNotMatch(reply.text, /event: response\.completed/)
  const { response } = JSON.parse(frames.at(-2)?.data ?? '')
  assert.match(response.error.message, /storage .* is full/)
  let stored = await send(server, 'GET', `/v1/responses/${response.id}`)
  const end = performance.now() + RECOVERED_MS
  while (stored.json.status === 'in_progress' && performance.now() < end) {
    await delay(50)
    stored = await send(server, 'GET', `/v1/responses/${response.id}`)
  }
  assert.equal(stored.json.status, 'failed', 'it does not look as if it still ran')
  assert.match((stored.json.error as { message: string }).message, /storage .* is full/)
  using database = new DatabaseSync(join(server.dataDir, 'antiphon.db'), { readOnly: true })
  const usage = database.prepare('SELECT outcome FROM usage WHERE response_id = ?').all(response.id)
  assert.deepEqual(
    usage.map(({ outcome }) => outcome),
    ['completed'],
    'its upstream call is counted',
  )
})

test('every fault of these was the full disk', () => {
  assert.ok(faults.length > 0)
  for (const fault of faults) assert.ok(fault instanceof StorageFull, String(fault))
})
