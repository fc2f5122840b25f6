/** What is asked of jobs and event logs in another way than of SQLite: what is judged is held first. */
import { jobQueries, RESPONSE, type Scope, type TakenRow } from '../job-queries.ts'
import { query } from '../query.ts'
import type { Tables } from '../tables.ts'
import { forUpdate } from './for-update.ts'

type Changed = Record<never, never>
type Responses = { responses: string }
type Seq = { seq: number }
type ProgressValues = {
  token: number
  boundary: number
  /** Of the events; null with `body`: there are none. */
  last: number | null
  body: string | null
  step: string | null
  begins: number
}

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
  /** One statement, because each is a journey: whoever changes the row of the job has the right to all the rest. */
  writeProgress: query<Scope & ProgressValues, Seq>(`
    with owned as (
      update jobs set boundary = :boundary, reruns = case when cast(:step as text) is null then reruns else 0 end
      where response_seq = ${RESPONSE} and token = :token returning seq, response_seq),
    logged as (
      insert into event_batches (response_seq, last, body)
      select response_seq, cast(:last as bigint), cast(:body as text) from owned where cast(:last as bigint) is not null),
    kept as (
      insert into job_steps (job_seq, position, body)
      select owned.seq, coalesce((select max(position) from job_steps where job_seq = owned.seq), -1) + 1, cast(:step as text)
      from owned where cast(:step as text) is not null),
    begun as (
      update responses set status = 'in_progress' from owned
      where responses.seq = owned.response_seq and responses.status = 'queued' and cast(:begins as smallint) = 1)
    select seq from owned`),
  renewLease: query<Scope & { token: number; until: number }, Pick<Tables['jobs'], 'cancel'>>(
    `update jobs set lease_until = :until where response_seq = ${RESPONSE} and token = :token returning cancel`,
  ),
  holdExpiredLogs: forUpdate(jobQueries.findExpiredLogs, 'skip locked'),
  /** `responses`: an array of row numbers. */
  purgeEventsOf: query<Responses, Changed>(
    'delete from event_batches where response_seq = any(cast(:responses as bigint[]))',
  ),
  markAllPurged: query<Responses, Changed>(
    'update event_logs set purged = 1 where response_seq = any(cast(:responses as bigint[]))',
  ),
}
