/**
 * Brings the schema of a database up to date, each step in one transaction together with the row that records it.
 * An existing database is copied first, so that an upgrade can be taken back.
 */
import { SchemaTooNew, StorageUnusable } from '../errors.ts'
import { type Migration, migrations } from '../migrations/index.ts'
import { query } from '../query.ts'
import type { Connection } from './connection.ts'

/** "ANTP": marks the file as ours. */
const APPLICATION_ID = 0x41_4e_54_50
type Applied = { readonly version: number; readonly name: string }
const NONE: Applied = { version: 0, name: 'empty' }

const applicationId = query<Record<never, never>, { application_id: number }>('PRAGMA application_id')
const tableCount = query<Record<never, never>, { tables: number }>('SELECT count(*) AS tables FROM sqlite_schema')
const lastApplied = query<Record<never, never>, Applied>(
  'SELECT version, name FROM schema_migrations ORDER BY version DESC',
)
const recordApplied = query<{ version: number; name: string }>(
  'INSERT INTO schema_migrations (version, name) VALUES (:version, :name)',
)
const copyTo = query<{ path: string }>('VACUUM INTO :path')

/** Throws `SchemaTooNew` or `StorageUnusable` and leaves the file as it was. */
export function migrate(connection: Connection, path: string, steps: readonly Migration[] = migrations): void {
  const current = readSchema(connection, path)
  const newest = refuseNewer(path, current, steps)
  const missing = steps.filter((step) => step.version > current.version)
  if (missing.length > 0 && current.version > 0) keepCopy(connection, `${path}.before-schema-${newest.version}`)
  for (const step of missing) apply(connection, step)
}

/** Answers the newest step there is. */
export function refuseNewer(path: string, current: Applied, steps: readonly Migration[]): Applied {
  const newest = steps.at(-1) ?? NONE
  if (current.version > newest.version) throw new SchemaTooNew(path, current, newest)
  return newest
}

export function readSchema(connection: Connection, path: string): Applied {
  const mark = connection.get(applicationId, {})?.application_id
  if (mark === APPLICATION_ID) return connection.get(lastApplied, {}) ?? NONE
  const tables = connection.get(tableCount, {})?.tables ?? 0
  if (mark === 0 && tables === 0) return NONE
  throw new StorageUnusable(`${path} is a database of another program; give Antiphon a data directory of its own.`)
}

/** A copy that is there already was made by an upgrade that did not finish, from the same schema. */
function keepCopy(connection: Connection, path: string): void {
  try {
    connection.run(copyTo, { path })
  } catch (error) {
    if (!(error instanceof Error && /already exists/.test(error.message))) throw error
  }
}

function apply(connection: Connection, step: Migration): void {
  connection.exec('BEGIN IMMEDIATE')
  try {
    if (step.version === 1) {
      connection.exec('PRAGMA application_id=0x414e5450')
      connection.exec('CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT')
    }
    for (const statement of step.sqlite) connection.exec(statement)
    connection.run(recordApplied, { version: step.version, name: step.name })
    connection.exec('COMMIT')
  } catch (error) {
    if (connection.inTransaction()) connection.exec('ROLLBACK')
    throw error
  }
}
