import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { createManualClock, record, running, usageRow } from '../../store-fixtures.contract.ts'
import { StorageBusy, StorageFull } from '../errors.ts'
import { query } from '../query.ts'
import { createGroupCommit, MAX_BATCH, MAX_QUEUED } from './group-commit.ts'
import { openWriter } from './open.ts'
import { createSqliteStore } from './sqlite-store.ts'

function temporaryFile(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'antiphon-commit-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, 'antiphon.db')
}

const BUSY_TIMEOUT_MS = 5_000

function openCommits(t: TestContext, path: string) {
  const writer = openWriter(path, 0)
  t.after(() => writer.close())
  writer.exec('CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)')
  const batches: number[] = []
  const late: (() => void)[] = []
  const clock = createManualClock()
  const commits = createGroupCommit(writer, {
    clock,
    busyTimeoutMs: BUSY_TIMEOUT_MS,
    schedule: setImmediate,
    scheduleLate: (flush) => late.push(flush),
    onCommit: (units) => batches.push(units),
  })
  const insert = { sql: 'INSERT INTO notes (id, text) VALUES (?, ?)', names: ['id', 'text'] as const }
  const add = (id: number, text = 'x') => commits.write(() => writer.run(insert, { id, text }))
  const addLate = (id: number) => commits.writeLate(() => writer.run(insert, { id, text: 'x' }))
  return { writer, commits, clock, batches, late, add, addLate }
}

const ids = (path: string): unknown[] => {
  using database = new DatabaseSync(path, { readOnly: true })
  return database
    .prepare('SELECT id FROM notes ORDER BY id')
    .all()
    .map((row) => row.id)
}

const statuses = (results: PromiseSettledResult<unknown>[]) => results.map((result) => result.status)

test('64 responses that end in one turn of the event loop share one commit', async (t) => {
  const batches: number[] = []
  const options = {
    path: temporaryFile(t),
    clock: createManualClock(),
    onCommit: (units: number) => batches.push(units),
  }
  const store = await createSqliteStore(options)
  t.after(() => store.close())
  const project = store.forProject('proj_a')
  const names = Array.from({ length: 64 }, (_, index) => `resp_${index}`)
  await Promise.all(names.map((id) => project.finishResponse(record(id), [usageRow(`use_${id}`, id)])))
  assert.deepEqual(batches, [64])
  await project.startResponse(running('resp_next'))
  assert.deepEqual(batches, [64, 1])
})

test('a write is not acknowledged while its transaction is open', async (t) => {
  const path = temporaryFile(t)
  const { commits, writer } = openCommits(t, path)
  const seen: unknown[] = []
  const first = commits.write(() => writer.exec("INSERT INTO notes VALUES (1, 'x')"))
  first.then(() => seen.push(...ids(path)))
  await commits.write(() => assert.deepEqual(ids(path), [], 'not yet committed'))
  await first
  assert.deepEqual(seen, [1])
})

test('a unit that throws takes back its own changes and no others', async (t) => {
  const path = temporaryFile(t)
  const { add, commits, writer, batches } = openCommits(t, path)
  const broken = commits.write(() => {
    writer.exec("INSERT INTO notes VALUES (2, 'half')")
    throw new Error('the second half failed')
  })
  const results = await Promise.allSettled([add(1), broken, add(1), add(3)])
  assert.deepEqual(statuses(results), ['fulfilled', 'rejected', 'rejected', 'fulfilled'])
  assert.deepEqual(ids(path), [1, 3])
  assert.equal(batches.length, 1)
})

test('more writes than one batch holds are committed in turns, in their order', async (t) => {
  const path = temporaryFile(t)
  const { add, batches } = openCommits(t, path)
  await Promise.all(Array.from({ length: MAX_BATCH * 2 + 1 }, (_, id) => add(id)))
  assert.deepEqual(batches, [MAX_BATCH, MAX_BATCH, 1])
})

test('beyond the limit of the queue a write is refused as busy, and the waiting ones still commit', async (t) => {
  const path = temporaryFile(t)
  const { add, commits } = openCommits(t, path)
  const waiting = Array.from({ length: MAX_QUEUED }, (_, id) => add(id))
  await assert.rejects(add(MAX_QUEUED), StorageBusy)
  commits.close()
  await Promise.all(waiting)
  assert.equal(ids(path).length, MAX_QUEUED)
})

test('when COMMIT fails every write of the batch is rejected, none is kept, and the next batch works', async (t) => {
  const path = temporaryFile(t)
  const { add, commits, writer } = openCommits(t, path)
  writer.exec('CREATE TABLE parents (id INTEGER PRIMARY KEY)')
  writer.exec('CREATE TABLE children (parent INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED)')
  const orphan = { sql: 'INSERT INTO children VALUES (7)', names: [] }
  const results = await Promise.allSettled([
    commits.write(() => writer.exec("INSERT INTO notes VALUES (1, 'x')")),
    commits.write(() => writer.run(orphan, {})),
    commits.write(() => writer.exec("INSERT INTO notes VALUES (2, 'x')")),
  ])
  assert.deepEqual(statuses(results), ['rejected', 'rejected', 'rejected'])
  assert.deepEqual(ids(path), [])
  await add(3)
  assert.deepEqual(ids(path), [3])
})

test('a full disk is a 503 that says not to retry; reads go on, and writes do once there is space', async (t) => {
  const path = temporaryFile(t)
  const { add, writer } = openCommits(t, path)
  await add(1)
  writer.get(query('PRAGMA max_page_count=10'), {})
  const results = await Promise.allSettled([add(2, 'x'.repeat(100_000)), add(3, 'x'.repeat(100_000))])
  for (const result of results) {
    assert.equal(result.status, 'rejected')
    assert.ok(result.reason instanceof StorageFull)
    assert.deepEqual([result.reason.status, result.reason.code], [503, 'storage_full'])
    assert.equal(result.reason.headers['x-should-retry'], 'false')
  }
  assert.deepEqual(ids(path), [1])
  writer.get(query('PRAGMA max_page_count=100000'), {})
  await add(4, 'x'.repeat(100_000))
  assert.deepEqual(ids(path), [1, 4])
})

/** Several turns of the event loop, each with an attempt at the database: the manual clock makes its waits that short. */
async function takeTurns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** Another thread with its own connection, which holds the database from now until it is told otherwise. */
async function holdElsewhere(t: TestContext, path: string): Promise<() => Promise<void>> {
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads')
     const database = new (require('node:sqlite').DatabaseSync)(workerData)
     database.exec('BEGIN IMMEDIATE')
     parentPort.postMessage('held')
     parentPort.once('message', () => {
       database.exec('COMMIT')
       database.close()
       parentPort.postMessage('free')
     })`,
    { eval: true, workerData: path },
  )
  t.after(() => worker.terminate())
  await once(worker, 'message')
  return async () => {
    worker.postMessage('let go')
    await once(worker, 'message')
  }
}

test('while another connection holds the database writes wait and the event loop goes on', async (t) => {
  const path = temporaryFile(t)
  const { add, addLate, batches, clock } = openCommits(t, path)
  const letGo = await holdElsewhere(t, path)
  let settled = 0
  const written = [add(1), addLate(2), add(3)].map((write) => write.finally(() => settled++))
  await takeTurns()
  clock.advance(BUSY_TIMEOUT_MS / 1000 - 1)
  const later = add(4)
  await takeTurns()
  assert.equal(settled, 0, 'each attempt gave the thread back')
  await letGo()
  await Promise.all([...written, later])
  assert.deepEqual([ids(path), batches], [[1, 2, 3, 4], [4]])
})

test('a write that has waited for its whole time is a 503 that may be retried; a younger one waits on', async (t) => {
  const path = temporaryFile(t)
  const { add, clock } = openCommits(t, path)
  const letGo = await holdElsewhere(t, path)
  const old = assert.rejects(add(1), (error) => {
    assert.ok(error instanceof StorageBusy)
    assert.deepEqual([error.status, error.headers['x-should-retry']], [503, 'true'])
    return true
  })
  clock.advance(BUSY_TIMEOUT_MS / 1000 - 1)
  const young = add(2)
  await takeTurns()
  clock.advance(1)
  await old
  await letGo()
  await young
  assert.deepEqual(ids(path), [2])
})

test('closing waits for a database that is held, and refuses what it cannot write', async (t) => {
  const path = temporaryFile(t)
  const writer = openWriter(path, 0)
  t.after(() => writer.close())
  const options = { schedule: setImmediate, scheduleLate: setImmediate, clock: createManualClock(), busyTimeoutMs: 50 }
  const commits = createGroupCommit(writer, options)
  await holdElsewhere(t, path)
  const refused = assert.rejects(
    commits.write(() => writer.exec('CREATE TABLE never (id INTEGER)')),
    StorageBusy,
  )
  commits.close()
  await refused
})

test('a write that nobody waits for goes with the next commit, or with its own when its time is over', async (t) => {
  const path = temporaryFile(t)
  const { add, addLate, batches, late } = openCommits(t, path)
  const shared = [addLate(1), addLate(2)]
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual([batches, late.length], [[], 1])
  await add(3)
  await Promise.all(shared)
  assert.deepEqual(batches, [3])
  const alone = addLate(4)
  for (const flush of late.splice(0)) flush()
  await alone
  assert.deepEqual(
    [batches, ids(path)],
    [
      [3, 1],
      [1, 2, 3, 4],
    ],
  )
})

test('late writes that fill a batch wait no longer, and closing commits what waits', async (t) => {
  const path = temporaryFile(t)
  const { addLate, batches, commits } = openCommits(t, path)
  await Promise.all(Array.from({ length: MAX_BATCH }, (_, id) => addLate(id)))
  assert.deepEqual(batches, [MAX_BATCH])
  const last = addLate(MAX_BATCH)
  commits.close()
  await last
  assert.equal(ids(path).length, MAX_BATCH + 1)
})

test('closing commits what was asked for before and refuses what comes after', async (t) => {
  const path = temporaryFile(t)
  const { add, commits } = openCommits(t, path)
  const before = add(1)
  commits.close()
  await before
  await assert.rejects(add(2), /closed/)
  assert.deepEqual(ids(path), [1])
})
