/** Everything asked of `conversations` and their items. Each query that a caller's id reaches is scoped to one project. */
import { query } from './query.ts'
import { PROJECT } from './response-queries.ts'
import type { Tables } from './tables.ts'

type Conversations = Tables['conversations']
type Items = Tables['conversation_items']
type Scope = { projectId: string; id: string }
type Shown = Pick<Conversations, 'id' | 'created_at' | 'metadata'>
type Body = Pick<Items, 'body'>

export const IS_IT = `conversations.project = ${PROJECT} and conversations.id = :id`
export const IS_LIVE = `${IS_IT} and deleted = 0`
/** `now` in milliseconds: the lock is nobody's. */
export const IS_FREE = '(lock_token is null or lock_until <= :now)'

const ofConversations = {
  insertConversation: query<Scope & { createdAt: number; metadata: string }, Pick<Conversations, 'seq'>>(`
    insert into conversations (project, id, created_at, metadata, next_position, item_bytes, deleted)
    values (${PROJECT}, :id, :createdAt, :metadata, 0, 0, 0) returning seq`),
  /** `locked`: 1 while somebody holds its lock. */
  findConversation: query<
    Scope & { now: number },
    Shown & Pick<Conversations, 'seq' | 'item_bytes' | 'lock_token'> & { locked: number }
  >(`
    select seq, id, created_at, metadata, item_bytes, lock_token, not ${IS_FREE} as locked
    from conversations where ${IS_LIVE}`),
  setConversationMetadata: query<Scope & { metadata: string }, Shown>(
    `update conversations set metadata = :metadata where ${IS_LIVE} returning id, created_at, metadata`,
  ),
  markConversationDeleted: query<{ seq: number; purgeAt: number | null }>(`
    update conversations set deleted = 1, purge_at = :purgeAt, metadata = '{}', lock_token = null where seq = :seq`),
}

const ofLocks = {
  lockConversation: query<Scope & { token: string; until: number; now: number }>(
    `update conversations set lock_token = :token, lock_until = :until where ${IS_LIVE} and ${IS_FREE}`,
  ),
  renewConversationLock: query<Scope & { token: string; until: number }>(
    `update conversations set lock_until = :until where ${IS_IT} and lock_token = :token`,
  ),
  unlockConversation: query<Scope & { token: string }>(
    `update conversations set lock_token = null, lock_until = null where ${IS_IT} and lock_token = :token`,
  ),
  unlockAllConversations: query(
    'update conversations set lock_token = null, lock_until = null where lock_token is not null',
  ),
}

const ofItems = {
  /** Takes the next place; `bytes` of its body are added to the conversation. */
  takePosition: query<{ seq: number; bytes: number }, Pick<Items, 'position'>>(`
    update conversations set next_position = next_position + 1, item_bytes = item_bytes + :bytes where seq = :seq
    returning next_position - 1 as position`),
  insertConversationItem: query<{ conversationSeq: number; position: number; key: number; body: string }>(`
    insert into conversation_items (conversation_seq, position, key, body)
    values (:conversationSeq, :position, :key, :body)`),
  /** A key may be shared by chance, an id is not. */
  findConversationItem: query<
    { conversationSeq: number; key: number; itemId: string },
    Pick<Items, 'seq' | 'position' | 'body'>
  >(`
    select seq, position, body from conversation_items
    where key = :key and conversation_seq = :conversationSeq and body ->> 'id' = :itemId`),
  deleteConversationItem: query<{ seq: number }>('delete from conversation_items where seq = :seq'),
  removeConversationBytes: query<{ seq: number; bytes: number }>(
    'update conversations set item_bytes = item_bytes - :bytes where seq = :seq',
  ),
}

type Page = { conversationSeq: number; after: number; limit: number }

const ofPages = {
  itemsAfter: query<Page, Body>(`
    select body from conversation_items where conversation_seq = :conversationSeq and position > :after
    order by position limit :limit`),
  itemsBefore: query<Page, Body>(`
    select body from conversation_items where conversation_seq = :conversationSeq and position < :after
    order by position desc limit :limit`),
  allConversationItems: query<{ conversationSeq: number }, Body>(
    'select body from conversation_items where conversation_seq = :conversationSeq order by position',
  ),
  /** The newest item of each `{ key, id }` in the JSON array, also of deleted conversations until their purge. */
  getConversationItems: query<{ projectId: string; wanted: string; now: number }, Body>(`
    select conversation_items.body from json_each(:wanted) as wanted
    join conversation_items on conversation_items.seq = (
      select item.seq from conversation_items as item join conversations on conversations.seq = item.conversation_seq
      where item.key = cast(wanted.value ->> 'key' as bigint) and item.body ->> 'id' = wanted.value ->> 'id'
        and conversations.project = ${PROJECT}
        and (conversations.purge_at is null or conversations.purge_at > :now)
      order by item.seq desc limit 1)`),
}

const purging = {
  findPurgeableConversation: query<{ now: number }, Pick<Conversations, 'seq'>>(
    'select seq from conversations where purge_at < :now order by purge_at limit 1',
  ),
  purgeConversationItems: query<{ conversationSeq: number; limit: number }>(`
    delete from conversation_items where seq in (
      select seq from conversation_items where conversation_seq = :conversationSeq limit :limit)`),
  purgeConversation: query<{ seq: number }>('delete from conversations where seq = :seq'),
}

export const conversationQueries = { ...ofConversations, ...ofLocks, ...ofItems, ...ofPages, ...purging }
