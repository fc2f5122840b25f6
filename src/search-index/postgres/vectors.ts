/**
 * Vectors by the extension `vector` (pgvector): one row for each chunk, scanned exactly. The extension lies in a schema that
 * its operator chose, so the queries are made when it is known.
 */

import type { Sql } from '../../lib/query.ts'
import { type Query, query } from '../../lib/query.ts'
import { toUnit } from '../ranking/unit-vectors.ts'
import type { ChunkVectors } from '../search-index.ts'
import type { IndexDatabase } from './database.ts'
import type { ScoredRow } from './index-queries.ts'
import { BLOCK } from './postings.ts'

export interface VectorTable {
  /** Of a document that has none, in the order of its chunks. Answers their bytes. */
  write(sql: Sql, document: number, vectors: ChunkVectors): Promise<number>
  /** Takes away those of a document. */
  clear(sql: Sql, document: number): Promise<void>
  /** The nearest chunks, best first; what points away is left out. */
  nearest(sql: Sql, wanted: Nearest): Promise<readonly ScoredRow[]>
}

export type Nearest = {
  readonly store: number
  readonly model: string
  readonly values: readonly number[]
  readonly limit: number
  /** Row numbers; null: all. */
  readonly documents: string | null
}

/** The database has no vectors, and what the operator can do about it. */
export class NoVectors extends Error {
  override readonly name = 'NoVectors'
}

type None = Record<never, never>
const HINT = 'or leave tools.file_search.embedding_model out: then vector stores are searched by words alone.'
/** "ANTV": the extension belongs to the whole database. */
const lock = query<None, { done: boolean }>('select pg_advisory_xact_lock(1095652438) is null as done')
const findExtension = query<None, { schema: string }>(`
  select nspname as schema from pg_extension join pg_namespace on pg_namespace.oid = extnamespace where extname = 'vector'`)
/** Makes what is not there yet. Throws `NoVectors` where it cannot. */
export async function openVectors(database: IndexDatabase): Promise<VectorTable> {
  if ((await database.get(findExtension, {})) === undefined) await createExtension(database)
  return database.patiently(async (sql) => {
    await sql.get(lock, {})
    const schema = (await sql.get(findExtension, {}))?.schema
    if (schema === undefined)
      throw new NoVectors(`The extension vector is gone from the database: run "${CREATE}" again, ${HINT}`)
    const type = `"${schema.replaceAll('"', '""')}".vector`
    await sql.exec(`CREATE TABLE IF NOT EXISTS search_vectors (
      document bigint NOT NULL REFERENCES search_documents (seq) ON DELETE CASCADE,
      position integer NOT NULL,
      embedding ${type} NOT NULL,
      PRIMARY KEY (document, position)
    )`)
    return toTable(schema.replaceAll('"', '""'))
  })
}

const CREATE = 'CREATE EXTENSION vector SCHEMA public'

async function createExtension(database: IndexDatabase): Promise<void> {
  try {
    await database.patiently(async (sql) => {
      await sql.get(lock, {})
      if ((await sql.get(findExtension, {})) === undefined) await sql.exec(CREATE)
    })
  } catch (error) {
    // What the server itself said, where the store has put an error of its own around it.
    const said = error instanceof Error && error.cause instanceof Error ? error.cause : error
    const why = said instanceof Error ? said.message : String(said)
    const remedy = `Install pgvector on its server, run "${CREATE}" as its administrator if the user may not, ${HINT}`
    throw new NoVectors(`The database has no vectors: ${why}. ${remedy}`, { cause: error })
  }
}

const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT
/** So many digits give back the same float. */
const FLOAT_DIGITS = 9
const literal = (vector: readonly number[]): string =>
  `[${Array.from(toUnit(vector), (value) => Number(value.toPrecision(FLOAT_DIGITS))).join(',')}]`

type Asked = { store: number; model: string; dimensions: number; vector: string; limit: number }

function toTable(schema: string): VectorTable {
  const near = `embedding operator("${schema}".<#>) cast(:vector as "${schema}".vector)`
  const nearest = (bounds: string) => `
    select document, position, -(${near}) as score from search_vectors
    join search_documents on search_documents.seq = search_vectors.document
    where store = :store and model = :model and dimensions = :dimensions${bounds}
    order by ${near}, document, position limit :limit`
  const queries = {
    add: query<{ document: number; from: number; rows: string }, None>(`
      insert into search_vectors (document, position, embedding)
      select cast(:document as bigint), cast(:from as integer) + cast(place as integer) - 1, cast(it as "${schema}".vector)
      from json_array_elements_text(cast(:rows as json)) with ordinality as made (it, place)`),
    describe: query<{ document: number; model: string; dimensions: number }, None>(
      'update search_documents set model = :model, dimensions = :dimensions where seq = :document',
    ),
    clear: query<{ document: number }, None>('delete from search_vectors where document = :document'),
    all: query<Asked, ScoredRow>(nearest('')),
    within: query<Asked & { documents: string }, ScoredRow>(
      nearest(' and document in (select unnest(cast(:documents as bigint[])))'),
    ),
  } satisfies Record<string, Query<never, object>>
  return {
    async write(sql, document, { model, vectors }) {
      const dimensions = vectors[0]?.length ?? 0
      for (let from = 0; from < vectors.length; from += BLOCK) {
        const rows = JSON.stringify(vectors.slice(from, from + BLOCK).map(literal))
        await sql.run(queries.add, { document, from, rows })
      }
      await sql.run(queries.describe, { document, model, dimensions })
      return vectors.length * dimensions * FLOAT_BYTES
    },
    async clear(sql, document) {
      await sql.run(queries.clear, { document })
    },
    async nearest(sql, { store, model, values, limit, documents }) {
      const asked = { store, model, dimensions: values.length, vector: literal(values), limit }
      const rows =
        documents === null ? await sql.all(queries.all, asked) : await sql.all(queries.within, { ...asked, documents })
      return rows.filter(({ score }) => score > 0).map((row) => ({ ...row, score: Math.min(1, row.score) }))
    },
  }
}
