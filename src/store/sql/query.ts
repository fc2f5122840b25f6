/** Queries of the store; `queries.test.ts` holds every one against the schema. */
export { type Query, query, type Value } from '../../lib/query.ts'
