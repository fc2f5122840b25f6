/** What only a person asks for: how much has expired, and that what is older than some time expires now. */
import { query } from './query.ts'

/** Expired before `now`, or finished and made before `createdBefore` (0: no such time). */
const GONE = `(responses.expires_at < :now
  or (responses.created_at < :createdBefore and responses.status not in ('queued', 'in_progress', 'deleted')))`

/**
 * Reads the whole table, so it is no query of the server's own traffic. A response on which a kept one stands is kept.
 */
export const countExpired = query<
  { now: number; createdBefore: number },
  { responses: number; items: number; bytes: number }
>(`
  with recursive kept (seq, parent_seq) as (
    select seq, parent_seq from responses where not coalesce(${GONE}, false)
    union
    select parent.seq, parent.parent_seq from responses as parent join kept on parent.seq = kept.parent_seq
  )
  select count(*) as responses, coalesce(sum(item_bytes + octet_length(body)), 0) as bytes,
    coalesce(sum((select count(*) from items where items.response_seq = responses.seq)), 0) as items
  from responses where seq not in (select seq from kept)`)

export const countExpiredFiles = query<{ now: number }, { files: number; bytes: number }>(
  'select count(*) as files, coalesce(sum(bytes), 0) as bytes from files where expires_at <= :now',
)

export const pruneQueries = {
  /** The last row of the next `skip + 1`, by which a table is walked in bounded steps. */
  stepEnd: query<{ after: number; skip: number }, { seq: number }>(
    'select seq from responses where seq > :after order by seq limit 1 offset :skip',
  ),
  expireOlder: query<{ after: number; upTo: number; createdBefore: number; expiresAt: number }>(`
    update responses set expires_at = :expiresAt, purge_at = :expiresAt
    where seq > :after and seq <= :upTo and created_at < :createdBefore
      and status not in ('queued', 'in_progress', 'deleted') and (expires_at is null or expires_at > :expiresAt)`),
}
