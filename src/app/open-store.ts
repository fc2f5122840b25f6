/** Which store the configuration names. The driver of PostgreSQL is loaded only where one is used. */
import { CommandError } from '../cli/app-interface.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { ApiError } from '../protocol/errors.ts'
import type { PostgresStore } from '../store/sql/postgres/postgres-store.ts'
import { createSqliteStore } from '../store/sql/sqlite/sqlite-store.ts'
import type { Store } from '../store/store.ts'

type Storage = ResolvedConfig['storage']

export type OpenedStore = {
  readonly store: Store
  /** The same store, where other processes may use it too; null: this process is the only server on it. */
  readonly replicated: PostgresStore | null
}

export async function openStore(storage: Storage, clock: Clock = systemClock): Promise<OpenedStore> {
  if (storage.postgres === undefined) {
    return { store: await createSqliteStore({ path: storage.databasePath, clock }), replicated: null }
  }
  const { createPostgresStore } = await import('../store/sql/postgres/postgres-store.ts')
  const store = await createPostgresStore({ ...storage.postgres, clock }).catch((error) => {
    // At a start nobody is served yet: what a request would be answered with is told to the operator.
    throw error instanceof ApiError ? new CommandError(unreachable(error), { cause: error }) : error
  })
  return { store, replicated: store }
}

/** Of several addresses that refuse the error has a code and no text. */
const unreachable = (error: ApiError) => {
  const cause = error.cause instanceof Error ? error.cause : error
  const reason = cause.message || ('code' in cause ? String(cause.code) : cause.name)
  return `The database in storage.database_url cannot be used: ${reason}`
}

/** For the log, which must not show it. */
export const passwordOf = ({ postgres }: Storage): string =>
  decodeURIComponent((postgres && URL.parse(postgres.url)?.password) || '')
