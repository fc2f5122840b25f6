/**
 * The database file of one store. A file for each store, because then nothing of one can be found from, slow down or be
 * left behind in another: to drop a store is to delete its file.
 */
import { closeSync, existsSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'

/** Everything throws `StoreDamaged` where the file is. */
export type StoreFile = {
  exec(sql: string): void
  get(sql: string, ...values: SQLInputValue[]): Row | undefined
  all(sql: string, ...values: SQLInputValue[]): Row[]
  run(sql: string, ...values: SQLInputValue[]): void
  /** All of it, or nothing. */
  transaction<T>(work: () => T): T
  close(): void
}
export type Row = ReturnType<StatementSync['all']>[number]

const PRIVATE_FILE = 0o600
/** Of another thread that opens the file at the same moment. */
const BUSY_MS = 5_000
const SCHEMA_VERSION = 1
const STORE_ID = /^[A-Za-z0-9_]{4,128}$/
const SUFFIXES = ['', '-wal', '-shm'] as const
const FILE_END = '.db'
const SET_ASIDE = '.damaged'

/** `terms` holds no text: what was indexed is in `chunks`. Vectors lie in one block for each document. */
const SCHEMA = `
  CREATE TABLE totals (id INTEGER PRIMARY KEY CHECK (id = 1), chunks INTEGER NOT NULL, term_count INTEGER NOT NULL,
    next_chunk INTEGER NOT NULL, untidy INTEGER NOT NULL) STRICT;
  INSERT INTO totals VALUES (1, 0, 0, 1, 0);
  CREATE TABLE documents (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, file_id TEXT NOT NULL, filename TEXT NOT NULL,
    attributes TEXT NOT NULL, first_chunk INTEGER NOT NULL, chunks INTEGER NOT NULL) STRICT;
  CREATE TABLE chunks (seq INTEGER PRIMARY KEY, document INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    page INTEGER, term_count INTEGER NOT NULL, text TEXT NOT NULL) STRICT;
  CREATE TABLE vectors (document INTEGER PRIMARY KEY, model TEXT NOT NULL, dimensions INTEGER NOT NULL,
    block BLOB NOT NULL) STRICT;
  CREATE VIRTUAL TABLE terms USING fts5(text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 0');
  PRAGMA user_version=${SCHEMA_VERSION};`

const PRAGMAS = `PRAGMA trusted_schema=OFF; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8192`
const DURABLE = 'PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON'

/** Names never become paths: an id is letters, digits and `_`. */
function pathOf(directory: string, storeId: string): string {
  if (!STORE_ID.test(storeId)) throw new Error('a store id is letters, digits and _')
  return join(directory, `${storeId}${FILE_END}`)
}

/** Made when there is none. */
export function openForWriting(directory: string, storeId: string): StoreFile {
  const path = pathOf(directory, storeId)
  closeSync(openSync(path, 'a', PRIVATE_FILE))
  const database = new DatabaseSync(path, { timeout: BUSY_MS })
  try {
    const file = toStoreFile(database, storeId)
    file.exec(`${PRAGMAS};${DURABLE}`)
    if (file.get('PRAGMA user_version')?.user_version === 0) file.transaction(() => file.exec(SCHEMA))
    return file
  } catch (error) {
    database.close()
    throw error
  }
}

/** Null when there is no such store, or nothing in it yet. */
export function openForReading(directory: string, storeId: string): StoreFile | null {
  const path = pathOf(directory, storeId)
  if (!existsSync(path)) return null
  const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS })
  try {
    const file = toStoreFile(database, storeId)
    file.exec(PRAGMAS)
    if (file.get('PRAGMA user_version')?.user_version !== SCHEMA_VERSION) {
      file.close()
      return null
    }
    file.exec("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab('main', 'terms', 'row')")
    return file
  } catch (error) {
    database.close()
    throw error
  }
}

/** The file is closed everywhere. */
export function deleteStoreFile(directory: string, storeId: string): void {
  for (const suffix of [...SUFFIXES, SET_ASIDE]) rmSync(`${pathOf(directory, storeId)}${suffix}`, { force: true })
}

/** The file is closed everywhere. It stays, under another name, until the store is whole again: that it is there says so. */
export function setAsideStoreFile(directory: string, storeId: string): void {
  const path = pathOf(directory, storeId)
  if (existsSync(path)) renameSync(path, `${path}${SET_ASIDE}`)
  else closeSync(openSync(`${path}${SET_ASIDE}`, 'a', PRIVATE_FILE))
  for (const suffix of SUFFIXES) rmSync(`${path}${suffix}`, { force: true })
}

export function deleteSetAside(directory: string, storeId: string): void {
  rmSync(`${pathOf(directory, storeId)}${SET_ASIDE}`, { force: true })
}

/** Ids of the stores of which a file was set aside. */
export const listSetAside = (directory: string): readonly string[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith(`${FILE_END}${SET_ASIDE}`))
    .map((name) => name.slice(0, -`${FILE_END}${SET_ASIDE}`.length))

/** What is in the file is not what was written: no request can be answered from it any more. */
export class StoreDamaged extends Error {
  override readonly name = 'StoreDamaged'
  readonly storeId: string

  constructor(storeId: string, cause: unknown) {
    super('the file of the store is damaged', { cause })
    this.storeId = storeId
  }
}

/** Of SQLite: the file is damaged, or no database. */
const DAMAGE: ReadonlySet<number> = new Set([11, 26])
const PRIMARY_CODE = 0xff

/** A full disk, also where it has no room for the file that connections share. */
const FULL: ReadonlySet<unknown> = new Set([13, 4874, 'ENOSPC', 'EDQUOT'])

export const isFull = (error: unknown): boolean =>
  error instanceof Error &&
  (('errcode' in error && FULL.has(error.errcode)) || ('code' in error && FULL.has(error.code)))

/** Our statements are right for the version a file says it has, so a table that is not there is damage too. */
function isDamage(error: unknown): boolean {
  if (!(error instanceof Error && 'errcode' in error && typeof error.errcode === 'number')) return false
  return DAMAGE.has(error.errcode & PRIMARY_CODE) || /^no such (table|column)|^malformed/.test(error.message)
}

function toStoreFile(database: DatabaseSync, storeId: string): StoreFile {
  // Bounded by the number of statements in the source: their text never depends on a request.
  const statements = new Map<string, StatementSync>()
  const prepare = (sql: string): StatementSync => {
    const known = statements.get(sql) ?? database.prepare(sql)
    statements.set(sql, known)
    return known
  }
  const told = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      throw isDamage(error) ? new StoreDamaged(storeId, error) : error
    }
  }
  const exec = (sql: string) => told(() => database.exec(sql))
  return {
    exec,
    get: (sql, ...values) => told(() => prepare(sql).get(...values)),
    all: (sql, ...values) => told(() => prepare(sql).all(...values)),
    run: (sql, ...values) => told(() => void prepare(sql).run(...values)),
    transaction(work) {
      exec('BEGIN IMMEDIATE')
      try {
        const result = work()
        exec('COMMIT')
        return result
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK')
        throw error
      }
    },
    close: () => database.close(),
  }
}

/** Of a column that is always a number, and of a sum over no rows. */
export const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0)
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
