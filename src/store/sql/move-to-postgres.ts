/**
 * Moves a whole SQLite database into an empty PostgreSQL: in one transaction, so all of it or nothing, and read back
 * before it is committed. The SQLite file is only read.
 */
import { hash } from 'node:crypto'
import { StorageUnusable } from './errors.ts'
import { MOVED_TABLES, type MovedTable } from './moved-tables.ts'
import { readAddress } from './postgres/address.ts'
import { type Database, type DatabaseOptions, openDatabase } from './postgres/database.ts'
import { migrate as migratePostgres } from './postgres/migrate.ts'
import { query, type Sql, type Value } from './query.ts'
import type { Connection } from './sqlite/connection.ts'
import { migrate as migrateSqlite } from './sqlite/migrate.ts'
import { openReader, openWriter } from './sqlite/open.ts'

export type MoveOptions = Omit<DatabaseOptions, 'address'> & {
  readonly databasePath: string
  readonly url: string
  /** Kept beside the data, as the store's `rememberFact` does. */
  readonly facts: ReadonlyMap<string, string>
  /** Rows of one table. `phase`: what is being done with them. */
  onProgress(progress: { phase: 'copy' | 'check'; table: string; done: number; total: number }): void
}

export type MovedRows = { readonly table: string; readonly rows: number; readonly checksum: string }

type None = Record<never, never>
type Row = Readonly<Record<string, Value>>
const BATCH = 500
const WAIT_MS = 5_000

/** Throws `StorageUnusable` when the target holds anything, or what arrived is not what was sent. */
export async function moveToPostgres(options: MoveOptions): Promise<readonly MovedRows[]> {
  const { databasePath, url, facts } = options
  bringUpToDate(databasePath)
  const source = openReader(databasePath, WAIT_MS)
  let target: Database | null = null
  try {
    const address = readAddress(url)
    target = await openDatabase({ ...options, address })
    await migratePostgres(target, address)
    return await target.patiently(async (sql) => {
      await refuseFilled(sql, address.shown)
      const moved: MovedRows[] = []
      for (const table of MOVED_TABLES) moved.push(await moveTable(source, sql, table, options.onProgress))
      for (const [name, value] of facts) await sql.run(addFact, { name, value })
      return moved
    })
  } finally {
    source.close()
    await target?.close()
  }
}

const addFact = query<{ name: string; value: string }, object>('insert into facts (name, value) values (:name, :value)')

function bringUpToDate(path: string): void {
  const writer = openWriter(path, WAIT_MS)
  try {
    migrateSqlite(writer, path)
  } finally {
    writer.close()
  }
}

async function refuseFilled(sql: Sql, shown: string): Promise<void> {
  await sql.exec('LOCK TABLE projects, api_keys IN EXCLUSIVE MODE')
  for (const table of MOVED_TABLES) {
    const rows = (await sql.get(queriesOf(table).count, {}))?.rows ?? 0
    const where = `the table ${table.name} has ${rows} rows`
    if (rows > 0) throw new StorageUnusable(`${shown} is not empty: ${where}. Move into another schema.`)
  }
}

async function moveTable(
  source: Connection,
  sql: Sql,
  table: MovedTable,
  onProgress: MoveOptions['onProgress'],
): Promise<MovedRows> {
  const { name } = table
  const { count, read, readOn, write, lastNumber } = queriesOf(table)
  const total = source.get(count, {})?.rows ?? 0
  const [sent, arrived] = [createChecksum(table), createChecksum(table)]
  for (let rows = source.all(read, {}); rows.length > 0; rows = source.all(readOn, keyOf(table, rows))) {
    await sql.run(write, { rows: JSON.stringify(rows) })
    sent.add(rows)
    onProgress({ phase: 'copy', table: name, done: sent.rows(), total })
  }
  if (table.isNumbered && sent.rows() > 0) await sql.get(lastNumber, {})
  for (let rows = await sql.all(read, {}); rows.length > 0; rows = await sql.all(readOn, keyOf(table, rows))) {
    arrived.add(rows)
    onProgress({ phase: 'check', table: name, done: arrived.rows(), total })
  }
  if (arrived.rows() !== sent.rows() || arrived.text() !== sent.text()) {
    throw new StorageUnusable(`What arrived in ${name} is not what was sent; nothing was kept.`)
  }
  return { table: name, rows: sent.rows(), checksum: sent.text() }
}

/** Of all rows in any order: both databases sort text in their own way. */
function createChecksum({ columns }: MovedTable) {
  let rows = 0
  let sum = Buffer.alloc(DIGEST_BYTES)
  return {
    rows: () => rows,
    text: () => sum.toString('hex'),
    add(more: readonly Row[]) {
      rows += more.length
      for (const row of more) {
        const digest = hash('sha256', JSON.stringify(columns.map((column) => row[column])), 'buffer')
        sum = Buffer.from(sum.map((byte, at) => byte ^ (digest[at] ?? 0)))
      }
    },
  }
}

/** Where the next page begins: the key of the last row, under the names of the values of `readOn`. */
function keyOf({ key }: MovedTable, rows: readonly Row[]): Row {
  const last = rows.at(-1) ?? {}
  return Object.fromEntries(key.map((column, at) => [KEY_VALUES[at] ?? '', last[column] ?? null]))
}

const DIGEST_BYTES = 32
const KEY_VALUES = ['keyA', 'keyB', 'keyC']

/** Names of tables and columns are constants of the source; values are bound. */
function queriesOf({ name, columns, key }: MovedTable) {
  const [all, keys] = [columns.join(', '), key.join(', ')]
  const values = key.map((_, at) => `:${KEY_VALUES[at]}`).join(', ')
  const page = `order by ${keys} limit ${BATCH}`
  return {
    count: query<None, { rows: number }>(`select count(*) as rows from ${name}`),
    read: query<None, Row>(`select ${all} from ${name} ${page}`),
    readOn: query<Row, Row>(`select ${all} from ${name} where (${keys}) > (${values}) ${page}`),
    write: query<{ rows: string }, object>(`
      insert into ${name} (${all}) overriding system value
      select ${all} from json_populate_recordset(cast(null as ${name}), cast(:rows as json))`),
    lastNumber: query<None, object>(
      `select setval(pg_get_serial_sequence('${name}', 'seq'), (select max(seq) from ${name}))`,
    ),
  }
}
