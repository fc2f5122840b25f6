/** Where a PostgreSQL database is, from its URL. */
import { StorageUnusable } from '../errors.ts'

export type PostgresAddress = {
  /** For the driver, with the password. */
  readonly connection: { readonly connectionString: string }
  /** Holds all our tables and nothing else. */
  readonly schema: string
  /** The statement that makes it where there is none. */
  readonly createSchema: string
  /** For messages: host, port, database and schema. */
  readonly shown: string
}

const DEFAULT_SCHEMA = 'antiphon'
/** The name goes into statements, so it is one that means nothing there. */
const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,62}$/

/** `schema` is a parameter of ours; all others are those of the driver, as `sslmode`. */
export function readAddress(text: string): PostgresAddress {
  const url = URL.parse(text)
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw new StorageUnusable('storage.database_url is no address as postgres://user:password@host:5432/database')
  }
  const schema = url.searchParams.get('schema') ?? DEFAULT_SCHEMA
  if (!SCHEMA_NAME.test(schema)) {
    throw new StorageUnusable(`storage.database_url: a schema is named by a-z, 0-9 and _, not '${schema}'`)
  }
  url.searchParams.delete('schema')
  const host = url.searchParams.get('host') ?? (url.host || 'localhost')
  return {
    connection: { connectionString: url.href },
    schema,
    createSchema: `CREATE SCHEMA IF NOT EXISTS "${schema}"`,
    shown: `${host}${url.pathname || '/'} (schema ${schema})`,
  }
}
