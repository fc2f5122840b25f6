/** The query builder for SQLite. It only builds: its driver is a dummy, and nothing runs through it. */
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, sql } from 'kysely'
import { createQueries, type SqlDialect } from '../queries.ts'
import type { Tables } from '../tables.ts'

export const builder = <T>() =>
  new Kysely<T>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })

const dialect: SqlDialect = { list: (json) => sql`json_each(${json})` }

export const queries = createQueries(builder<Tables>(), dialect)
