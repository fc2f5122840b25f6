/** Connections, transactions and the schema itself, over a real PostgreSQL. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { NO_POSTGRES, openSchema } from '../../../../test/support/postgres.ts'
import { type Clock, systemClock } from '../../../lib/clock.ts'
import { SchemaTooNew, StorageBusy, StorageUnavailable, StorageUnusable } from '../errors.ts'
import { migrations } from '../migrations/index.ts'
import { queries } from '../queries.ts'
import { query } from '../query.ts'
import { sumUsage, usageOfResponse } from '../usage-queries.ts'
import { readAddress } from './address.ts'
import { claims, conversations } from './conversation-queries.ts'
import { type Database, openDatabase, statementOf } from './database.ts'
import { files } from './file-queries.ts'
import { jobs } from './job-queries.ts'
import { migrate } from './migrate.ts'
import { createPostgresStore } from './postgres-store.ts'
import { createReplica } from './replica.ts'
import { replicas } from './replica-queries.ts'
import { responses } from './response-queries.ts'
import { putUsage } from './usage-queries.ts'
import { ingestion, vectorStores } from './vector-store-queries.ts'
import { webhooks } from './webhook-queries.ts'

const LIMITS = { clock: systemClock, maxConnections: 4, connectTimeoutMs: 5_000, queryTimeoutMs: 5_000 }
const setting = (name: string) =>
  query<Record<never, never>, { value: string }>(`select current_setting('${name}') as value`)
const queriesOf = (record: Readonly<Record<string, Parameters<typeof statementOf>[0]>>) => Object.entries(record)
/** Written for SQLite alone: they take lists as JSON in its own way, or leave out who owns a row. */
const NOT_HERE = new Set([
  'getItems',
  'readItems',
  'getConversationItems',
  'findConversationItem',
  'readChain',
  'addDeliveries',
  'deleteConfiguredWebhooks',
  'findCompleteDocuments',
  'takeIngestion',
  'requeueIngestion',
])

async function withDatabase(
  use: (database: Database, url: string) => Promise<void>,
  limits: Partial<typeof LIMITS> = {},
): Promise<void> {
  const schema = await openSchema()
  const address = readAddress(schema.url)
  const database = await openDatabase({ ...LIMITS, ...limits, address })
  try {
    await migrate(database, address)
    await use(database, schema.url)
  } finally {
    await database.close()
    await schema.drop()
  }
}

test('an address keeps its password to itself, and a schema is a plain name', () => {
  const { shown, schema, connection } = readAddress(
    'postgres://ada:secret@db.example:5433/main?schema=one&sslmode=disable',
  )
  assert.equal(shown, 'db.example:5433/main (schema one)')
  assert.equal(schema, 'one')
  assert.equal(connection.connectionString, 'postgres://ada:secret@db.example:5433/main?sslmode=disable')
  assert.throws(() => readAddress('postgres://localhost/db?schema=x";drop'), StorageUnusable)
  assert.throws(() => readAddress('mysql://localhost/db'), StorageUnusable)
})

test('each value of a query travels once, by its number', () => {
  const { text, names } = statementOf(query('select :a, :b from t where a = :a and c in (:b, :c)'))
  assert.equal(text, 'select $1, $2 from t where a = $1 and c in ($2, $3)')
  assert.deepEqual(names, ['a', 'b', 'c'])
})

test('a server that is not there is said so at once, as what a request is answered with', async () => {
  const url = 'postgres://nobody@127.0.0.1:1/none'
  await assert.rejects(createPostgresStore({ ...LIMITS, url }), (error) => error instanceof StorageUnavailable)
})

describe('on a real server', { skip: NO_POSTGRES }, () => {
  test('the schema has every table and column that a query names, and knows the type of every value', () =>
    withDatabase(async (database) => {
      const shared = Object.entries(queries).filter(([name]) => !NOT_HERE.has(name))
      const usage = { putUsage, sumUsage, usageOfResponse }
      const own = [
        responses,
        conversations,
        claims,
        replicas,
        webhooks,
        files,
        jobs,
        usage,
        vectorStores,
        ingestion,
      ].flatMap(queriesOf)
      for (const [name, { sql, names }] of [...shared, ...own]) {
        const { text } = statementOf({ sql, names })
        await assert.doesNotReject(database.exec('PREPARE it AS '.concat(text, '; DEALLOCATE it')), name)
      }
    }))

  test('a session waits for the disk and for nobody longer than it may', () =>
    withDatabase(async (database) => {
      const read = async (name: string) => (await database.get(setting(name), {}))?.value
      assert.equal(await read('synchronous_commit'), 'on')
      assert.equal(await read('statement_timeout'), '5s')
      assert.equal(await read('lock_timeout'), '5s')
      assert.equal(await read('idle_in_transaction_session_timeout'), '15s')
    }))

  test('a statement that takes too long is cancelled, and its connection is not used again', () =>
    withDatabase(
      async (database) => {
        const backend = query<Record<never, never>, { pid: number }>('select pg_backend_pid() as pid')
        const sleep = query<Record<never, never>, object>('select pg_sleep(30)')
        const before = await database.get(backend, {})
        await assert.rejects(database.get(sleep, {}), StorageBusy)
        assert.notDeepEqual(await database.get(backend, {}), before)
        await assert.rejects(
          database.transaction((sql) => sql.get(sleep, {})),
          StorageBusy,
        )
        await database.get(backend, {})
      },
      { maxConnections: 1, queryTimeoutMs: 200 },
    ))

  test('transactions that wait for each other are run again until both are done', () =>
    withDatabase(async (database) => {
      await database.exec(
        'create table pairs (id integer primary key, value integer); insert into pairs values (1, 0), (2, 0)',
      )
      const raise = query<{ id: number }, object>('update pairs set value = value + 1 where id = :id')
      let runs = 0
      const both = (ids: readonly number[]) =>
        database.transaction(async (sql) => {
          runs += 1
          for (const id of ids) {
            await sql.run(raise, { id })
            await new Promise((resolve) => setTimeout(resolve, 50))
          }
        })
      await Promise.all([both([1, 2]), both([2, 1])])
      const sums = query<Record<never, never>, { value: number }>('select value from pairs order by id')
      assert.deepEqual(await database.all(sums, {}), [{ value: 2 }, { value: 2 }])
      assert.ok(runs > 2, 'one of them was the victim of a deadlock')
    }))

  test('servers that start together make one schema', async () => {
    const schema = await openSchema()
    const stores = await Promise.all(
      Array.from({ length: 4 }, () => createPostgresStore({ ...LIMITS, url: schema.url })),
    )
    const rows = await schema.query('select version from schema_migrations order by 1')
    assert.deepEqual(
      rows.map(({ version }) => version),
      migrations.map(({ version }) => version),
    )
    for (const store of stores) await store.close()
    await schema.drop()
  })

  test('a database of a newer version is refused by name and number', () =>
    withDatabase(async (database, url) => {
      await database.exec("insert into schema_migrations (version, name) values (999, 'add-moods')")
      await assert.rejects(createPostgresStore({ ...LIMITS, url }), (error) => {
        assert.ok(error instanceof SchemaTooNew)
        assert.match(error.message, /schema 999 'add-moods'.*up to \d+ '/)
        return true
      })
    }))

  test('tables of another program are refused and not touched', async () => {
    const schema = await openSchema()
    const { schema: name } = readAddress(schema.url)
    await schema.query(`create schema "${name}"`)
    await schema.query('create table responses (a integer)')
    await assert.rejects(createPostgresStore({ ...LIMITS, url: schema.url }), StorageUnusable)
    await schema.drop()
  })

  test('every index of SQLite is there under the same name', () =>
    withDatabase(async (database, url) => {
      const named = migrations.flatMap(({ sqlite, postgres }) =>
        (postgres === undefined ? [] : sqlite).map((it) => /CREATE (?:UNIQUE )?INDEX (\w+)/.exec(it)?.[1]),
      )
      const wanted = new Set(named.filter((name) => name !== undefined))
      const list = query<{ schema: string }, { indexname: string }>(
        'select indexname from pg_indexes where schemaname = :schema',
      )
      const found = new Set((await database.all(list, { schema: readAddress(url).schema })).map((it) => it.indexname))
      for (const name of wanted) assert.ok(found.has(name), name)
    }))

  test('a process appears among the replicas when it runs something, comes back if it was taken for dead, and goes', () =>
    withDatabase(async (database) => {
      const count = query<Record<never, never>, { n: number }>('select count(*) as n from replicas')
      const replica = createReplica(database, quietClock)
      await replica.renew()
      assert.deepEqual(await database.get(count, {}), { n: 0 })
      const [first, second] = await Promise.all([replica.owner(), replica.owner()])
      assert.equal(first, second)
      await database.exec('delete from replicas')
      await replica.renew()
      assert.deepEqual(await database.get(count, {}), { n: 1 })
      await replica.close()
      assert.deepEqual(await database.get(count, {}), { n: 0 })
    }))
})

const quietClock: Clock = { ...systemClock, after: () => () => {} }
