/**
 * Queries as data. Each is built and compiled once, while the module loads; running it only binds values.
 *
 * Invariant: every value of a compiled query is a named placeholder. A literal that slipped in as a bound constant
 * would keep SQLite from using a partial index, so it is refused at load.
 */
import { type Compilable, type RawBuilder, sql } from 'kysely'

export type Value = string | number | null

/** `P`: the named values it needs; `R`: the shape of one row of its result. */
export type Query<P, R> = {
  readonly sql: string
  /** The names of the values, in the order of the question marks. */
  readonly names: readonly (keyof P & string)[]
  /** Never set; carries the type of a row. */
  readonly row?: R
}

type Bind<P> = <K extends keyof P & string>(name: K) => RawBuilder<P[K]>

class Placeholder {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** `given<{ id: string }>()((bind) => db.selectFrom('t').where('id', '=', bind('id')))` */
export const given =
  <P extends Readonly<Record<string, Value>>>() =>
  <R>(build: (bind: Bind<P>) => Compilable<R>): Query<P, R> => {
    const compiled = build((name) => sql`${new Placeholder(name)}`).compile()
    const names = compiled.parameters.map((parameter) => {
      if (parameter instanceof Placeholder) return parameter.name
      throw new TypeError(`a query binds the constant ${String(parameter)}; write it as a literal: ${compiled.sql}`)
    })
    return { sql: compiled.sql, names }
  }

/** A statement without values or rows, such as COMMIT. */
export const command = (text: string): Query<Record<never, Value>, never> => ({ sql: text, names: [] })
