/** What the index needs of a database. The store has one; the index keeps tables of its own in it. */
import type { Query, Value } from '../../lib/query.ts'

type Params = Readonly<Record<string, Value>>

export interface IndexSql {
  get<P extends Params, R extends object>(query: Query<P, R>, params: P): Promise<R | undefined>
  all<P extends Params, R extends object>(query: Query<P, R>, params: P): Promise<R[]>
  /** Answers how many rows changed. */
  run<P extends Params, R extends object>(query: Query<P, R>, params: P): Promise<number>
  exec(statements: string): Promise<void>
}

export interface IndexDatabase extends IndexSql {
  /** One transaction, without the time limit of a query: a document may have very many chunks. */
  patiently<T>(work: (sql: IndexSql) => Promise<T>): Promise<T>
}
