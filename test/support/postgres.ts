/** The PostgreSQL of the tests: named by `ANTIPHON_TEST_POSTGRES`; each test has a schema of its own in it. */
import { randomBytes } from 'node:crypto'
import { Client } from 'pg'

export const TEST_POSTGRES = process.env.ANTIPHON_TEST_POSTGRES || null

/** For `test(name, { skip: NO_POSTGRES })`: false, or why. */
export const NO_POSTGRES: string | false = TEST_POSTGRES === null && 'ANTIPHON_TEST_POSTGRES names no PostgreSQL server'

export type TestSchema = {
  /** For `storage.database_url`. */
  readonly url: string
  /** Runs SQL in the schema, beside the store. */
  query(sql: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>
  drop(): Promise<void>
}

export async function openSchema(server = TEST_POSTGRES): Promise<TestSchema> {
  if (server === null) throw new Error('no PostgreSQL server')
  const schema = `test_${randomBytes(8).toString('hex')}`
  const url = new URL(server)
  url.searchParams.set('schema', schema)
  const query: TestSchema['query'] = async (sql, values = []) => {
    const client = new Client({ connectionString: server, options: `-c search_path=${schema}` })
    await client.connect()
    try {
      return (await client.query(sql, [...values])).rows
    } finally {
      await client.end()
    }
  }
  return {
    url: url.href,
    query,
    async drop() {
      await query(`drop schema if exists "${schema}" cascade`)
    },
  }
}

/** For `test(name, { skip })`: false, or why vectors cannot be tried on the PostgreSQL of the tests. */
export async function noVectors(): Promise<string | false> {
  if (TEST_POSTGRES === null) return NO_POSTGRES
  const client = new Client({ connectionString: TEST_POSTGRES })
  await client.connect()
  try {
    // Several files of tests may try at the same moment.
    await client.query('select pg_advisory_lock(1095652438)')
    await client.query('create extension if not exists vector schema public')
    return false
  } catch (error) {
    return `the PostgreSQL of the tests has no vectors: ${error instanceof Error ? error.message : error}`
  } finally {
    await client.end()
  }
}

/** The same where the server of the tests keeps its data in PostgreSQL; SQLite always has vectors. */
export const noVectorsHere = async (): Promise<string | false> =>
  process.env.ANTIPHON_TEST_STORE === 'postgres' ? noVectors() : false
