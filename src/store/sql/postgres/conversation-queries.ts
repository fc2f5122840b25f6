/** What is asked of conversations and idempotency keys in another way than of SQLite. */
import { conversationQueries, IS_FREE, IS_LIVE } from '../conversation-queries.ts'
import { query } from '../query.ts'
import { PROJECT } from '../response-queries.ts'
import type { Tables } from '../tables.ts'
import { forUpdate } from './for-update.ts'

type Scope = { projectId: string; id: string }
type Changed = Record<never, never>
type Items = Tables['conversation_items']

export const conversations = {
  holdConversation: forUpdate(conversationQueries.findConversation),
  lockConversation: query<Scope & { token: string; until: number; now: number; owner: number }, Changed>(`
    update conversations set lock_token = :token, lock_until = :until, owner = :owner where ${IS_LIVE} and ${IS_FREE}`),
  /** The items that have the id of one of `{ key, text }`. */
  findTaken: query<{ conversationSeq: number; wanted: string }, Pick<Items, 'body'>>(`
    select items.body from json_to_recordset(cast(:wanted as json)) as wanted (key bigint, text text)
    join conversation_items as items on items.key = wanted.key and items.conversation_seq = :conversationSeq
      and strpos(items.body, wanted.text) > 0`),
  /** Takes the next places; answers the first of them. */
  takePositions: query<{ seq: number; count: number; bytes: number }, { first: number }>(`
    update conversations set next_position = next_position + cast(:count as integer),
      item_bytes = item_bytes + cast(:bytes as bigint) where seq = :seq
    returning next_position - cast(:count as integer) as first`),
  insertItems: query<{ conversationSeq: number; first: number; items: string }, Changed>(`
    insert into conversation_items (conversation_seq, position, key, body)
    select :conversationSeq, cast(:first as integer) + place, key, body
    from json_to_recordset(cast(:items as json)) as item (place integer, key bigint, body text) order by place`),
  findItem: query<{ conversationSeq: number; key: number; text: string }, Pick<Items, 'seq' | 'position' | 'body'>>(`
    select seq, position, body from conversation_items
    where key = :key and conversation_seq = :conversationSeq and strpos(body, :text) > 0`),
  /** The newest item of each `{ key, text }`, also of deleted conversations until their purge. */
  getItems: query<{ projectId: string; wanted: string; now: number }, Pick<Items, 'body'>>(`
    select found.body from json_to_recordset(cast(:wanted as json)) as wanted (key bigint, text text)
    join lateral (
      select item.body from conversation_items as item join conversations on conversations.seq = item.conversation_seq
      where item.key = wanted.key and strpos(item.body, wanted.text) > 0 and conversations.project = ${PROJECT}
        and (conversations.purge_at is null or conversations.purge_at > :now)
      order by item.seq desc limit 1) as found on true`),
  lockPurgeable: forUpdate(conversationQueries.findPurgeableConversation, 'skip locked'),
}

type Key = { projectId: string; endpoint: string; keyDigest: string }
type Claim = Key & {
  fingerprint: string
  token: string
  leaseUntil: number
  expiresAt: number
  owner: number
  now: number
  nowSeconds: number
}

export const claims = {
  /** Of many at once, one row changes for one of them. */
  takeKey: query<Claim, Changed>(`
    insert into idempotency_keys (project, endpoint, key_digest, fingerprint, token, lease_until, expires_at, owner)
    values (${PROJECT}, :endpoint, :keyDigest, :fingerprint, :token, :leaseUntil, :expiresAt, :owner)
    on conflict (project, endpoint, key_digest) do update set fingerprint = excluded.fingerprint,
      token = excluded.token, lease_until = excluded.lease_until, expires_at = excluded.expires_at,
      owner = excluded.owner, response_id = null, sealed = null
    where idempotency_keys.expires_at <= :nowSeconds
      or (idempotency_keys.token is not null and coalesce(idempotency_keys.lease_until, 0) <= :now)`),
}
