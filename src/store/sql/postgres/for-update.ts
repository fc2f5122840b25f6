import type { Query } from '../query.ts'

/** The same rows, which nobody else changes until the transaction ends. `more`: of which tables, and whether to wait. */
export const forUpdate = <P, R>({ sql, names }: Query<P, R>, more = ''): Query<P, R> => ({
  sql: `${sql} for no key update ${more}`,
  names,
})
