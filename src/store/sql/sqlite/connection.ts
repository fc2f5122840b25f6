/** One connection: runs compiled queries through statements that are prepared once. */
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Query, Value } from '../query.ts'
import { fromSqliteError } from './sqlite-errors.ts'

type Params = Readonly<Record<string, Value>>

export interface Connection {
  get<P extends Params, R>(query: Query<P, R>, params: P): R | undefined
  all<P extends Params, R>(query: Query<P, R>, params: P): R[]
  /** Answers how many rows changed. */
  run<P extends Params, R>(query: Query<P, R>, params: P): number
  /** For statements that are not part of the store's own traffic. */
  exec(sql: string): void
  inTransaction(): boolean
  /** From now on: how long a statement keeps the thread until another connection lets go of a lock. */
  waitForLocks(ms: number): void
  close(): void
}

export type ConnectionOptions = {
  readonly path: string
  readonly readOnly: boolean
  /** How long to wait for a lock of another connection; the thread does nothing else meanwhile. */
  readonly busyTimeoutMs: number
  readonly pragmas: string
}

export function openConnection({ path, readOnly, busyTimeoutMs, pragmas }: ConnectionOptions): Connection {
  const database = new DatabaseSync(path, { readOnly, timeout: busyTimeoutMs })
  try {
    database.exec(pragmas)
  } catch (error) {
    database.close()
    throw fromSqliteError(error)
  }
  return toConnection(database)
}

function toConnection(database: DatabaseSync): Connection {
  // Bounded by the number of queries in the source, because their text never depends on a request.
  const statements = new Map<string, StatementSync>()
  const prepare = (sql: string): StatementSync => {
    const known = statements.get(sql)
    if (known) return known
    const statement = database.prepare(sql)
    statements.set(sql, statement)
    return statement
  }
  return {
    // The row has the columns the query names: `queries.test.ts` holds what is said of them against the schema.
    get: (query, params) => translated(() => prepare(query.sql).get(...bind(query, params)) as typeof query.row),
    all: (query, params) =>
      translated(() => prepare(query.sql).all(...bind(query, params)) as NonNullable<typeof query.row>[]),
    run: (query, params) => translated(() => Number(prepare(query.sql).run(...bind(query, params)).changes)),
    exec: (sql) => translated(() => database.exec(sql)),
    inTransaction: () => database.isTransaction,
    // A pragma takes no bound values; it is a number of ours.
    waitForLocks: (ms) => database.exec('PRAGMA busy_timeout='.concat(Math.trunc(ms).toString())),
    close: () => database.close(),
  }
}

const bind = <P extends Params, R>(query: Query<P, R>, params: P): Value[] =>
  query.names.map((name) => params[name] ?? null)

function translated<T>(use: () => T): T {
  try {
    return use()
  } catch (error) {
    throw fromSqliteError(error)
  }
}
