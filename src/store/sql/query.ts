/** Queries of the store; `queries.test.ts` holds every one against the schema. */
export { type Params, type Query, query, type Sql, type Value } from '../../lib/query.ts'
