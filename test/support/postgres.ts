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
