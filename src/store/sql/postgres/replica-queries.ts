/** Everything asked of `replicas`, and what the death of one ends. `now`: milliseconds. */
import { query } from '../query.ts'

type Now = { now: number }
type Changed = Record<never, never>

/** Of a table with an owner: nobody who lives has it. */
export const DEAD_OWNER = (
  table:
    | 'responses'
    | 'conversations'
    | 'idempotency_keys'
    | 'usage'
    | 'blobs'
    | 'jobs'
    | 'vector_store_files'
    | 'vector_index_changes',
) => `not exists (select from replicas where replicas.seq = ${table}.owner and replicas.lease_until > :now)`

export const replicas = {
  addReplica: query<{ until: number }, { seq: number }>(
    'insert into replicas (lease_until) values (:until) returning seq',
  ),
  /** Comes back by its number if others took it for dead. */
  renewReplica: query<{ seq: number; until: number }, Changed>(`
    insert into replicas (seq, lease_until) overriding system value values (:seq, :until)
    on conflict (seq) do update set lease_until = excluded.lease_until`),
  removeReplica: query<{ seq: number }, Changed>('delete from replicas where seq = :seq'),
  forgetReplicas: query<Now, Changed>('delete from replicas where lease_until <= :now'),
  /** A job keeps the lock of its conversation, whoever works on it. */
  unlockDead: query<Now, Changed>(`
    update conversations set lock_token = null, lock_until = null
    where lock_token is not null and ${DEAD_OWNER('conversations')}
      and not exists (select from jobs where jobs.lock_token = conversations.lock_token)`),
  abandonDead: query<Now, Changed>(
    `delete from idempotency_keys where token is not null and ${DEAD_OWNER('idempotency_keys')}`,
  ),
  interruptDead: query<Now, Changed>(
    `update usage set outcome = 'interrupted' where outcome = 'running' and ${DEAD_OWNER('usage')}`,
  ),
  endDeadLeases: query<Now, Changed>(
    `update jobs set lease_until = 0 where lease_until is not null and ${DEAD_OWNER('jobs')}`,
  ),
  giveUpDead: query<Now, Changed>(
    `update blobs set state = 'dropped' where state = 'writing' and ${DEAD_OWNER('blobs')}`,
  ),
  /** Milliseconds since the epoch. */
  readTime: query<Record<never, never>, { now: number }>('select extract(epoch from clock_timestamp()) * 1000 as now'),
}
