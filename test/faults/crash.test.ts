/** kill -9 at any moment loses nothing that was acknowledged, and leaves nothing that looks as if it still ran. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startChatUpstream, waitUntil } from '../fakes/chat-upstream.ts'
import { send } from '../support/http.ts'
import { runLoad } from './crash-load.ts'
import { type Acknowledged, createCrashRunner, type RunningServer } from './crash-runner.ts'
import { announceSeed, isFull, seededRandom, withinMs } from './seed.ts'

const CYCLES = isFull ? 30 : 3
const CLIENTS = 20
const MAX_LIFE_MS = 900
/** On a quiet machine a start takes well below a second. */
const MAX_START_MS = withinMs(10_000)
const AT_ONCE = 20

test('kill -9 under load loses nothing that was acknowledged', async (t) => {
  const random = seededRandom(announceSeed(t))
  await using upstream = disposable(await startChatUpstream({ record: false }))
  const provider = `upstream: { type: openai_compatible, api_base: "${upstream.it.url}", api_key: k }`
  const runner = createCrashRunner(`providers:\n  ${provider}\nlimits: { requests_per_minute: 0 }\n`)
  try {
    let checked = 0
    const starts: number[] = []
    for (let cycle = 0; cycle < CYCLES; cycle += 1) {
      const server = await runner.start()
      starts.push(Math.round(server.startMs))
      assert.ok(server.startMs < MAX_START_MS, `a start took ${server.startMs} ms`)
      checkDatabase(runner.dataDir)
      const known = runner.ledger()
      await checkLedger(server, known.slice(checked))
      checked = known.length
      const load = runLoad({ server, model: 'upstream/m', clients: CLIENTS, random, acknowledge: runner.acknowledge })
      // Sometimes before the first reply, sometimes in the middle of hundreds; once surely after one.
      if (cycle === 0) await waitUntil(() => runner.ledger().some(({ what }) => what === 'ended'))
      await delay(random() * MAX_LIFE_MS)
      await server.kill()
      await load
    }
    const server = await runner.start()
    await checkLedger(server, runner.ledger())
    assert.equal(await server.stop(), 0)
    checkDatabase(runner.dataDir)
    t.diagnostic(`starts in ms: ${starts.join(', ')}`)
    const count = (what: string) => runner.ledger().filter((entry) => entry.what === what).length
    t.diagnostic(
      `${CYCLES} kills, acknowledged: ${count('created')} created, ${count('ended')} ended, ${count('deleted')} deleted`,
    )
    assert.ok(count('ended') > 0)
  } finally {
    runner.dispose()
  }
})

/** Whole, and at rest: the only server is the one that has just started. */
function checkDatabase(dataDir: string): void {
  using database = new DatabaseSync(join(dataDir, 'antiphon.db'), { readOnly: true })
  const rows = (sql: string) => database.prepare(sql).all()
  assert.deepEqual(
    rows('PRAGMA integrity_check').map((row) => row.integrity_check),
    ['ok'],
  )
  assert.deepEqual(rows('PRAGMA foreign_key_check'), [])
  assert.deepEqual(rows("SELECT id, status FROM responses WHERE status IN ('queued', 'in_progress')"), [])
}

async function checkLedger(server: RunningServer, entries: readonly Acknowledged[]): Promise<void> {
  const created = entries.filter(({ what }) => what === 'created').map(({ id }) => id)
  assert.equal(new Set(created).size, created.length, 'ids are unique')
  const idsOf = (wanted: Acknowledged['what']) =>
    new Set(entries.filter(({ what }) => what === wanted).map(({ id }) => id))
  const deleted = idsOf('deleted')
  const doubtful = idsOf('deleting')
  const rest = entries.filter(({ id }) => !doubtful.has(id))
  const work = async () => {
    for (let entry = rest.pop(); entry; entry = rest.pop()) await checkKept(server, entry)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  for (const id of deleted) assert.equal((await send(server, 'GET', `/v1/responses/${id}`)).status, 404)
}

async function checkKept(server: RunningServer, entry: Acknowledged): Promise<void> {
  const { status, json } = await send(server, 'GET', `/v1/responses/${entry.id}`)
  assert.equal(status, 200, `${entry.what} ${entry.id} is lost`)
  if (entry.what === 'ended') assert.deepEqual(json, entry.response)
  assert.ok(['completed', 'failed'].includes(String(json.status)), `${entry.id} is ${json.status}`)
  if (json.status !== 'failed') return
  assert.equal((json.error as { code: string }).code, 'server_error')
}

const disposable = <T extends { close(): Promise<void> }>(it: T) => ({ it, [Symbol.asyncDispose]: () => it.close() })
