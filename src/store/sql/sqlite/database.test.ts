/** The file itself: its settings, its schema, what it keeps and for how many bytes. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { createRandomIds } from '../../../lib/ids.ts'
import {
  assistantMessage,
  createManualClock,
  record,
  response,
  usageRow,
  userMessage,
} from '../../store-fixtures.contract.ts'
import { SchemaTooNew, StorageUnusable } from '../errors.ts'
import { type Migration, migrations } from '../migrations/index.ts'
import { queries } from '../queries.ts'
import { query } from '../query.ts'
import type { Connection } from './connection.ts'
import { migrate } from './migrate.ts'
import { checkSqliteVersion, openReader, openWriter } from './open.ts'
import { createSqliteStore } from './sqlite-store.ts'

function temporaryFile(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'antiphon-database-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, 'antiphon.db')
}

const pragma = (connection: Connection, name: string): unknown =>
  Object.values(connection.get(query<Record<never, never>, object>(`PRAGMA ${name}`), {}) ?? {})[0]

test('both connections are opened with safe settings, and the reader cannot write', (t) => {
  const path = temporaryFile(t)
  const writer = openWriter(path, 5000)
  const reader = openReader(path, 5000)
  t.after(() => writer.close())
  t.after(() => reader.close())
  const settings = ['journal_mode', 'synchronous', 'foreign_keys', 'trusted_schema', 'busy_timeout', 'secure_delete']
  assert.deepEqual(
    settings.map((name) => pragma(writer, name)),
    ['wal', 2, 1, 0, 5000, 1],
  )
  assert.equal(pragma(writer, 'journal_size_limit'), 64 * 1024 * 1024)
  assert.equal(pragma(writer, 'wal_autocheckpoint'), 1000)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(statSync(`${path}-wal`).mode & 0o777, 0o600)
  assert.throws(() => reader.exec('CREATE TABLE t (a)'), /readonly/)
})

test('a SQLite that can corrupt the database is refused', () => {
  for (const version of ['3.51.2', '3.50.9', '2.99.99', '0']) {
    assert.throws(() => checkSqliteVersion(version), StorageUnusable)
  }
  for (const version of ['3.51.3', '3.53.4', '3.100.0', '4.0.0']) checkSqliteVersion(version)
})

test('every query finds its rows through an index', async (t) => {
  const path = temporaryFile(t)
  const writer = openWriter(path, 0)
  t.after(() => writer.close())
  migrate(writer, path)
  // The whole of a small table (endpoints: those of webhooks) or of a queue, the jobs that wait and run, the rows of a CTE and a JSON
  // list are meant to be scanned.
  const meant =
    /^SCAN (api_keys|endpoints|probe|jobs|chain|wanted|of_keys|of_projects|json_each|vector_index_changes)\b/
  for (const [name, { sql }] of Object.entries(queries)) {
    const plan = query<Record<never, never>, { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
    for (const { detail } of writer.all(plan, {})) {
      assert.ok(!detail.startsWith('SCAN ') || meant.test(detail), `${name}: ${detail}`)
      assert.ok(!/responses_id \(project=\?\)/.test(detail), `${name} reads all responses of a project`)
    }
  }
})

function newestMigration(): Migration {
  const newest = migrations.at(-1)
  assert.ok(newest)
  return newest
}

test('a database of a newer version is refused by name and number, and stays as it was', async (t) => {
  const path = temporaryFile(t)
  const writer = openWriter(path, 0)
  const newest = newestMigration()
  const next: Migration = { version: newest.version + 1, name: 'add-moods', sqlite: ['CREATE TABLE moods (a)'] }
  migrate(writer, path, [...migrations, next])
  writer.close()
  await assert.rejects(createSqliteStore({ path, clock: createManualClock() }), (error) => {
    assert.ok(error instanceof SchemaTooNew)
    assert.equal(error.found, next.version)
    const known = migrations.at(-1)
    assert.ok(error.message.includes(`schema ${next.version} 'add-moods'`))
    assert.ok(error.message.includes(`up to ${known?.version} '${known?.name}'`))
    return true
  })
  using database = new DatabaseSync(path, { readOnly: true })
  assert.equal(database.prepare('SELECT count(*) AS n FROM schema_migrations').get()?.n, migrations.length + 1)
})

test('an upgrade copies the database first, keeps its rows, and a step that fails changes nothing', async (t) => {
  const path = temporaryFile(t)
  const clock = createManualClock()
  const old = await createSqliteStore({ path, clock })
  await old.forProject('proj_a').finishResponse(record('resp_1'), [])
  await old.close()
  const writer = openWriter(path, 0)
  const version = (migrations.at(-1)?.version ?? 0) + 1
  const broken: Migration = { version, name: 'broken', sqlite: ['CREATE TABLE moods (a)', 'CREATE TABLE moods (a)'] }
  assert.throws(() => migrate(writer, path, [...migrations, broken]), /already exists/)
  assert.equal(writer.inTransaction(), false)
  migrate(writer, path, [...migrations, { ...broken, sqlite: ['CREATE TABLE moods (a)'] }])
  writer.close()
  const copy = await createSqliteStore({ path: `${path}.before-schema-${version}`, clock })
  t.after(() => copy.close())
  assert.deepEqual(await copy.forProject('proj_a').getResponse('resp_1'), record('resp_1').response)
})

test('a file of another program is refused and not touched', async (t) => {
  const path = temporaryFile(t)
  using database = new DatabaseSync(path)
  database.exec('CREATE TABLE theirs (a)')
  await assert.rejects(createSqliteStore({ path, clock: createManualClock() }), StorageUnusable)
  assert.deepEqual(
    database
      .prepare('SELECT name FROM sqlite_schema')
      .all()
      .map((row) => row.name),
    ['theirs'],
  )
})

test('after a delete and a purge nothing of the content is left in any file', async (t) => {
  const path = temporaryFile(t)
  const store = await createSqliteStore({ path, clock: createManualClock() })
  t.after(() => store.close())
  const project = store.forProject('proj_a')
  for (const size of [1, 3000, 50_000]) {
    const input = [userMessage(`msg_${size}`, `canary-content ${'x'.repeat(size)} canary-content`)]
    await project.finishResponse({ ...record(`resp_${size}`, { instructions: 'canary-content' }), input }, [])
  }
  await project.finishResponse(record('resp_kept'), [])
  for (const size of [1, 3000, 50_000]) assert.equal(await project.deleteResponse(`resp_${size}`), true)
  await store.purgeExpired(0, 100)
  for (const file of readdirSync(join(path, '..'))) {
    assert.equal(readFileSync(join(path, '..', file)).includes('canary-content'), false, file)
  }
})

test('a turn of a chain costs its own items and at most 1 KiB', async (t) => {
  const path = temporaryFile(t)
  const store = await createSqliteStore({ path, clock: createManualClock() })
  const ids = createRandomIds()
  const project = store.forProject(ids.next('proj'))
  const turns = 3000
  let itemBytes = 0
  let previous: string | null = null
  const writes: Promise<void>[] = []
  for (let turn = 0; turn < turns; turn++) {
    const id = ids.next('resp')
    const input = [userMessage(ids.next('msg'), 'What is the capital of France?')]
    const output = [assistantMessage(ids.next('msg'), 'The capital of France is Paris.')]
    const written = response(id, { previous_response_id: previous, output, metadata: { session: 'abc' } })
    itemBytes += Buffer.byteLength(JSON.stringify([...input, ...output]))
    writes.push(
      project.finishResponse({ response: written, input, expiresAt: 2_000_000_000 }, [usageRow(ids.next('use'), id)]),
    )
    previous = id
  }
  await Promise.all(writes)
  await store.close()
  const overhead = Math.round((statSync(path).size - itemBytes) / turns)
  t.diagnostic(`${overhead} bytes per turn beyond its items of ${Math.round(itemBytes / turns)}`)
  assert.ok(overhead <= 1024, `${overhead} bytes per turn`)
})
