/**
 * Brings the schema of a database up to date: all missing steps in one transaction, under a lock that all replicas take,
 * so that of several that start together one does it and the others find it done.
 */
import { SchemaTooNew, StorageUnusable } from '../errors.ts'
import { type Migration, migrations } from '../migrations/index.ts'
import type { Sql } from '../query.ts'
import { query } from '../query.ts'
import type { PostgresAddress } from './address.ts'
import type { Database } from './database.ts'

type Applied = { readonly version: number; readonly name: string }
type None = Record<never, never>
const NONE: Applied = { version: 0, name: 'empty' }
const OLDEST_SERVER = 130_000
const VERSION_UNIT = 10_000

const describeServer = query<None, { version: number; encoding: string; standby: boolean }>(`
  select cast(current_setting('server_version_num') as integer) as version,
    current_setting('server_encoding') as encoding, pg_is_in_recovery() as standby`)
/** "ANTP", and which schema of the database. */
const lockSchema = query<{ schema: string }, None>(
  'select pg_advisory_xact_lock(1095652432, hashtext(:schema)) is null as done',
)
const tableExists = query<{ name: string }, { there: boolean }>('select to_regclass(:name) is not null as there')
const countTables = query<{ schema: string }, { tables: number }>(
  'select count(*) as tables from pg_catalog.pg_tables where schemaname = :schema',
)
const lastApplied = query<None, Applied>('select version, name from schema_migrations order by version desc limit 1')
const recordApplied = query<{ version: number; name: string }, None>(
  'insert into schema_migrations (version, name) values (:version, :name)',
)

/** Throws `SchemaTooNew` or `StorageUnusable` and leaves the database as it was. */
export async function migrate(
  database: Database,
  address: PostgresAddress,
  steps: readonly Migration[] = migrations,
): Promise<void> {
  await refuseUnfit(database, address)
  await database.patiently(async (sql) => {
    await sql.get(lockSchema, { schema: address.schema })
    await sql.exec(address.createSchema)
    const current = await readSchema(sql, address)
    const newest = steps.at(-1) ?? NONE
    if (current.version > newest.version) throw new SchemaTooNew(address.shown, current, newest)
    for (const step of steps) if (step.version > current.version) await apply(sql, step)
  })
}

async function refuseUnfit(database: Database, { shown }: PostgresAddress): Promise<void> {
  const server = await database.get(describeServer, {})
  if (server === undefined) return
  if (server.version < OLDEST_SERVER) {
    const major = Math.floor(server.version / VERSION_UNIT)
    throw new StorageUnusable(`${shown} is PostgreSQL ${major}; 13 or newer is needed.`)
  }
  if (server.encoding !== 'UTF8') {
    throw new StorageUnusable(`${shown} keeps text as ${server.encoding}; create the database with ENCODING 'UTF8'.`)
  }
  if (server.standby) throw new StorageUnusable(`${shown} is a standby, which takes no writes; name the primary.`)
}

async function readSchema(sql: Sql, { schema, shown }: PostgresAddress): Promise<Applied> {
  const isOurs = (await sql.get(tableExists, { name: 'schema_migrations' }))?.there === true
  if (isOurs) return (await sql.get(lastApplied, {})) ?? NONE
  const tables = (await sql.get(countTables, { schema }))?.tables ?? 0
  if (tables === 0) return NONE
  throw new StorageUnusable(
    `${shown} holds tables of another program; give Antiphon a schema of its own, by ?schema=NAME in the address.`,
  )
}

async function apply(sql: Sql, step: Migration): Promise<void> {
  if (step.version === 1)
    await sql.exec('CREATE TABLE schema_migrations (version integer PRIMARY KEY, name text NOT NULL)')
  for (const statement of step.postgres ?? []) await sql.exec(statement)
  await sql.run(recordApplied, { version: step.version, name: step.name })
}
