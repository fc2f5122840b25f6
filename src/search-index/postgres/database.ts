/** What the index needs of a database. The store has one; the index keeps tables of its own in it. */
import type { Sql } from '../../lib/query.ts'

export interface IndexDatabase extends Sql {
  /** One transaction, without the time limit of a query: a document may have very many chunks. */
  patiently<T>(work: (sql: Sql) => Promise<T>): Promise<T>
}
