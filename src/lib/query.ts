/**
 * Queries as data: SQL with named values, and the shapes of those and of a row. What a query says never depends on a
 * request.
 */
export type Value = string | number | null

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
export function query<P extends Readonly<Record<string, Value>> = Record<never, Value>, R = never>(
  text: string,
): Query<P, R> {
  const names: (keyof P & string)[] = []
  const sql = text.replace(/:([a-zA-Z]+)/g, (_, name: keyof P & string) => {
    names.push(name)
    return '?'
  })
  return { sql, names }
}
