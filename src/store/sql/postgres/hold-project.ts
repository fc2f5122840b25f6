import { query } from '../query.ts'
import { forUpdate } from './for-update.ts'

/** Held while something of a project is counted, so that two replicas cannot both take the last place. */
export const holdProject = forUpdate(
  query<{ projectId: string }, { seq: number }>('select seq from projects where id = :projectId'),
)
