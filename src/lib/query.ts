/**
 * Queries as data: SQL with named values, and the shapes of those and of a row. What a query says never depends on a
 * request.
 */
export type Value = string | number | null
export type Params = Readonly<Record<string, Value>>

/** `P`: the named values it needs; `R`: the shape of one row of its result. */
export type Query<P, R> = {
  /** With a question mark for each value. */
  readonly sql: string
  /** The names of the values, in the order of the question marks. */
  readonly names: readonly (keyof P & string)[]
  /** Never set; carries the type of a row. */
  readonly row?: R
}

/** `query<{ id: string }, { seq: number }>('select seq from t where id = :id')`; a name may be used more than once. */
export function query<P extends Params = Record<never, Value>, R = never>(text: string): Query<P, R> {
  const names: (keyof P & string)[] = []
  const sql = text.replace(/:([a-zA-Z]+)/g, (_, name: keyof P & string) => {
    names.push(name)
    return '?'
  })
  return { sql, names }
}

/** Runs queries on a database that answers later, either each by itself or all in one transaction. */
export interface Sql {
  get<P extends Params, R extends object>(query: Query<P, R>, params: P): Promise<R | undefined>
  all<P extends Params, R extends object>(query: Query<P, R>, params: P): Promise<R[]>
  /** Answers how many rows changed. */
  run<P extends Params, R extends object>(query: Query<P, R>, params: P): Promise<number>
  /** For statements that are not part of the usual traffic. */
  exec(statements: string): Promise<void>
}
