/** What is asked of jobs and event logs in another way than of SQLite: what is judged is held first. */
import { jobQueries, type TakenRow } from '../job-queries.ts'
import { query } from '../query.ts'
import { forUpdate } from './for-update.ts'

type Changed = Record<never, never>
type Responses = { responses: string }

export const jobs = {
  /** "WORK": one taker at a time, because two could together take more than a project may run. */
  lockQueue: query<Record<never, never>, { done: boolean }>(
    'select pg_advisory_xact_lock(1464815179, hashtext(current_schema())) is null as done',
  ),
  holdFreeJob: forUpdate(jobQueries.findFreeJob, 'of jobs skip locked'),
  holdJobOf: forUpdate(jobQueries.findJobOf),
  /** A lease that has ended by its time is one whose owner died. */
  takeJob: query<{ seq: number; now: number; until: number; owner: number }, TakenRow>(`
    update jobs set token = token + 1, reruns = reruns + case when lease_until is null then 0 else 1 end,
      lease_until = :until, started_at = coalesce(started_at, :now), owner = :owner
    where seq = :seq returning *`),
  holdOwned: forUpdate(jobQueries.findOwned),
  holdExpiredLogs: forUpdate(jobQueries.findExpiredLogs, 'skip locked'),
  /** `responses`: an array of row numbers. */
  purgeEventsOf: query<Responses, Changed>(
    'delete from event_batches where response_seq = any(cast(:responses as bigint[]))',
  ),
  markAllPurged: query<Responses, Changed>(
    'update event_logs set purged = 1 where response_seq = any(cast(:responses as bigint[]))',
  ),
}
