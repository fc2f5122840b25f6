/** Everything asked of `jobs`, `job_steps`, `event_logs` and `event_batches`. */
import { query } from './query.ts'
import { IS_LIVE, PROJECT } from './response-queries.ts'
import type { Tables } from './tables.ts'

type Jobs = Tables['jobs']
/** It was taken once, so the time of the first is there. */
export type TakenRow = Jobs & { started_at: number }
export type Scope = { projectId: string; id: string }
type Seq = { seq: number }
type ResponseSeq = { responseSeq: number }

export const RESPONSE = `(select responses.seq from responses where responses.project = ${PROJECT} and responses.id = :id)`

const queueing = {
  countQueued: query<{ projectId: string }, { queued: number }>(
    `select count(*) as queued from jobs where project = ${PROJECT} and started_at is null`,
  ),
  insertJob: query<
    ResponseSeq & { projectId: string; keyId: string; payload: string; lockToken: string | null; boundary: number }
  >(`
    insert into jobs (response_seq, project, key_id, payload, lock_token, token, reruns, boundary, cancel)
    values (:responseSeq, ${PROJECT}, :keyId, :payload, :lockToken, 0, 0, :boundary, 0)`),
  cancelJob: query<Scope, Pick<Jobs, 'lease_until'>>(
    `update jobs set cancel = 1 where response_seq = ${RESPONSE} returning lease_until`,
  ),
}

const owning = {
  /** Fair: of those that may begin, one whose key, then whose project, has the fewest running. What runs is counted once. */
  findFreeJob: query<{ now: number; perProject: number }, Seq>(`
    with of_keys as (
      select project, key_id, count(*) as busy from jobs where lease_until > :now group by project, key_id),
    of_projects as (select project, sum(busy) as busy from of_keys group by project)
    select jobs.seq from jobs
    left join of_projects on of_projects.project = jobs.project
    left join of_keys on of_keys.project = jobs.project and of_keys.key_id = jobs.key_id
    where (lease_until is null or lease_until <= :now) and (cancel = 1 or coalesce(of_projects.busy, 0) < :perProject)
    order by cancel desc, coalesce(of_keys.busy, 0), coalesce(of_projects.busy, 0), jobs.seq limit 1`),
  findJobOf: query<Scope & { now: number }, Seq>(
    `select seq from jobs where response_seq = ${RESPONSE} and (lease_until is null or lease_until <= :now)`,
  ),
  /** A lease that has ended by its time is one whose owner died. */
  takeJob: query<Seq & { now: number; until: number }, TakenRow>(`
    update jobs set token = token + 1, reruns = reruns + case when lease_until is null then 0 else 1 end, lease_until = :until,
      started_at = coalesce(started_at, :now)
    where seq = :seq returning *`),
  readJobResponse: query<
    Seq,
    { project_id: string; id: string; created_at: number; status: Tables['responses']['status'] } & Pick<
      Tables['responses'],
      'previous_response_id' | 'body'
    > & { keeps_events: number }
  >(`
    select projects.id as project_id, responses.id, created_at, status, previous_response_id, body,
      case when exists (select 1 from event_logs where event_logs.response_seq = responses.seq) then 1 else 0 end
        as keeps_events
    from responses join projects on projects.seq = responses.project where responses.seq = :seq`),
  readSteps: query<{ jobSeq: number }, Pick<Tables['job_steps'], 'body'>>(
    'select body from job_steps where job_seq = :jobSeq order by position',
  ),
  findOwned: query<Scope & { token: number }, Pick<Jobs, 'seq' | 'response_seq' | 'cancel'>>(
    `select seq, response_seq, cancel from jobs where response_seq = ${RESPONSE} and token = :token`,
  ),
  leaseJob: query<Seq & { until: number | null }>('update jobs set lease_until = :until where seq = :seq'),
  endAllLeases: query('update jobs set lease_until = 0 where lease_until is not null'),
  addStep: query<{ jobSeq: number; body: string }>(`
    insert into job_steps (job_seq, position, body)
    select cast(:jobSeq as bigint), coalesce(max(position), -1) + 1, cast(:body as text) from job_steps where job_seq = :jobSeq`),
  moveBoundary: query<Seq & { boundary: number }>('update jobs set boundary = :boundary where seq = :seq'),
  resetReruns: query<Seq>('update jobs set reruns = 0 where seq = :seq'),
  beginResponse: query<ResponseSeq>(
    "update responses set status = 'in_progress' where seq = :responseSeq and status = 'queued'",
  ),
  unlockConversationOf: query<Seq>(`
    update conversations set lock_token = null, lock_until = null
    where lock_token = (select jobs.lock_token from jobs where jobs.seq = :seq)`),
  deleteJob: query<Seq>('delete from jobs where seq = :seq'),
  deleteJobOf: query<ResponseSeq>('delete from jobs where response_seq = :responseSeq'),
  inputBytes: query<ResponseSeq, { bytes: number }>(`
    select coalesce(sum(octet_length(body)), 0) as bytes from items
    where response_seq = :responseSeq and side = 'input'`),
}

const logging = {
  openEventLog: query<ResponseSeq>('insert into event_logs (response_seq, purged) values (:responseSeq, 0)'),
  addEvents: query<ResponseSeq & { last: number; body: string }>(
    'insert into event_batches (response_seq, last, body) values (:responseSeq, :last, :body)',
  ),
  takeBackEvents: query<ResponseSeq & { boundary: number }>(
    'delete from event_batches where response_seq = :responseSeq and last > :boundary',
  ),
  expireEventLog: query<ResponseSeq & { expiresAt: number }>(
    'update event_logs set expires_at = :expiresAt where response_seq = :responseSeq',
  ),
  deleteEventLog: query<ResponseSeq>('delete from event_logs where response_seq = :responseSeq'),
  /** One row at least where there is such a response; the state of its job in each. */
  readEvents: query<
    Scope & { now: number; after: number; limit: number },
    {
      keeps_events: number
      expires_at: number | null
      token: number | null
      boundary: number | null
      seen_past: number | null
      last: number | null
      body: string | null
    }
  >(`
    select case when event_logs.response_seq is null then 0 else 1 end as keeps_events, event_logs.expires_at, jobs.token, jobs.boundary,
      jobs.seen_past, event_batches.last, event_batches.body
    from responses
    left join event_logs on event_logs.response_seq = responses.seq
    left join jobs on jobs.response_seq = responses.seq
    left join event_batches on event_batches.response_seq = event_logs.response_seq and event_batches.last > :after
    where responses.project = ${PROJECT} and responses.id = :id and ${IS_LIVE}
    order by event_batches.last limit :limit`),
  markSeen: query<Scope & { token: number; boundary: number }, Seq>(`
    update jobs set seen_past = case when seen_past > :boundary then seen_past else :boundary end
    where response_seq = ${RESPONSE} and token = :token returning seq`),
  findExpiredLogs: query<{ now: number; limit: number }, { response_seq: number }>(`
    select response_seq from event_logs where purged = 0 and expires_at < :now order by expires_at limit :limit`),
  purgeEvents: query<ResponseSeq>('delete from event_batches where response_seq = :responseSeq'),
  markPurged: query<ResponseSeq>('update event_logs set purged = 1 where response_seq = :responseSeq'),
}

export const jobQueries = { ...queueing, ...owning, ...logging }
