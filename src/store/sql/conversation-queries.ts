/** Everything asked of `conversations` and their items. Each query that a caller's id reaches is scoped to one project. */
import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely'
import { given } from './query.ts'
import { projectOf, type SqlDialect } from './response-queries.ts'
import type { Tables } from './tables.ts'

type Db = Kysely<Tables>
type Scope = { projectId: string; id: string }

const zero = sql.lit(0)
const one = sql.lit(1)
const nothing = sql.lit(null)

/** `now` in milliseconds: the lock is nobody's. */
const isFree = (now: RawBuilder<number>) =>
  sql<SqlBool>`(conversations.lock_token is null or conversations.lock_until <= ${now})`

export const createConversationQueries = (db: Db, dialect: SqlDialect) => ({
  ...ofConversations(db),
  ...ofLocks(db),
  ...ofItems(db),
  ...ofPages(db),
  ...ofItemsById(db, dialect),
  ...ofPurges(db),
})

function ofConversations(db: Db) {
  return {
    insertConversation: given<Scope & { createdAt: number; metadata: string }>()((bind) =>
      db
        .insertInto('conversations')
        .values({
          project: projectOf(bind('projectId')),
          id: bind('id'),
          created_at: bind('createdAt'),
          metadata: bind('metadata'),
          next_position: zero,
          item_bytes: zero,
          deleted: zero,
        })
        .returning('seq'),
    ),
    /** `locked`: 1 while somebody holds its lock; `now` in milliseconds. */
    findConversation: given<Scope & { now: number }>()((bind) =>
      db
        .selectFrom('conversations')
        .select(['seq', 'id', 'created_at', 'metadata', 'item_bytes', 'lock_token'])
        .select(sql<number>`not ${isFree(bind('now'))}`.as('locked'))
        .where('project', '=', projectOf(bind('projectId')))
        .where('id', '=', bind('id'))
        .where('deleted', '=', zero),
    ),
    setConversationMetadata: given<Scope & { metadata: string }>()((bind) =>
      db
        .updateTable('conversations')
        .set({ metadata: bind('metadata') })
        .where('project', '=', projectOf(bind('projectId')))
        .where('id', '=', bind('id'))
        .where('deleted', '=', zero)
        .returning(['id', 'created_at', 'metadata']),
    ),
    markConversationDeleted: given<{ seq: number; purgeAt: number | null }>()((bind) =>
      db
        .updateTable('conversations')
        .set({ deleted: one, purge_at: bind('purgeAt'), metadata: sql.lit('{}'), lock_token: nothing })
        .where('seq', '=', bind('seq')),
    ),
  }
}

function ofLocks(db: Db) {
  const ofToken = given<Scope & { token: string }>()
  return {
    lockConversation: given<Scope & { token: string; until: number; now: number }>()((bind) =>
      db
        .updateTable('conversations')
        .set({ lock_token: bind('token'), lock_until: bind('until') })
        .where('project', '=', projectOf(bind('projectId')))
        .where('id', '=', bind('id'))
        .where('deleted', '=', zero)
        .where(isFree(bind('now'))),
    ),
    renewConversationLock: given<Scope & { token: string; until: number }>()((bind) =>
      db
        .updateTable('conversations')
        .set({ lock_until: bind('until') })
        .where('project', '=', projectOf(bind('projectId')))
        .where('id', '=', bind('id'))
        .where('lock_token', '=', bind('token')),
    ),
    unlockConversation: ofToken((bind) =>
      db
        .updateTable('conversations')
        .set({ lock_token: nothing, lock_until: nothing })
        .where('project', '=', projectOf(bind('projectId')))
        .where('id', '=', bind('id'))
        .where('lock_token', '=', bind('token')),
    ),
    unlockAllConversations: given<Record<never, never>>()(() =>
      db
        .updateTable('conversations')
        .set({ lock_token: nothing, lock_until: nothing })
        .where('lock_token', 'is not', nothing),
    ),
  }
}

type ItemScope = { conversationSeq: number; key: number; itemId: string }

function ofItems(db: Db) {
  return {
    /** Takes the next place; `bytes` of its body are added to the conversation. */
    takePosition: given<{ seq: number; bytes: number }>()((bind) =>
      db
        .updateTable('conversations')
        .set({
          next_position: sql<number>`next_position + 1`,
          item_bytes: sql<number>`item_bytes + ${bind('bytes')}`,
        })
        .where('seq', '=', bind('seq'))
        .returning(sql<number>`next_position - 1`.as('position')),
    ),
    insertConversationItem: given<{ conversationSeq: number; position: number; key: number; body: string }>()((bind) =>
      db.insertInto('conversation_items').values({
        conversation_seq: bind('conversationSeq'),
        position: bind('position'),
        key: bind('key'),
        body: bind('body'),
      }),
    ),
    /** A key may be shared by chance, an id is not. */
    findConversationItem: given<ItemScope>()((bind) =>
      db
        .selectFrom('conversation_items')
        .select(['seq', 'position', 'body'])
        .where('key', '=', bind('key'))
        .where('conversation_seq', '=', bind('conversationSeq'))
        .where(sql<SqlBool>`body ->> 'id' = ${bind('itemId')}`),
    ),
    deleteConversationItem: given<{ seq: number }>()((bind) =>
      db.deleteFrom('conversation_items').where('seq', '=', bind('seq')),
    ),
    removeConversationBytes: given<{ seq: number; bytes: number }>()((bind) =>
      db
        .updateTable('conversations')
        .set({ item_bytes: sql<number>`item_bytes - ${bind('bytes')}` })
        .where('seq', '=', bind('seq')),
    ),
  }
}

function ofPages(db: Db) {
  const page = given<{ conversationSeq: number; after: number; limit: number }>()
  return {
    itemsAfter: page((bind) =>
      db
        .selectFrom('conversation_items')
        .select('body')
        .where('conversation_seq', '=', bind('conversationSeq'))
        .where('position', '>', bind('after'))
        .orderBy('position', 'asc')
        .limit(bind('limit')),
    ),
    itemsBefore: page((bind) =>
      db
        .selectFrom('conversation_items')
        .select('body')
        .where('conversation_seq', '=', bind('conversationSeq'))
        .where('position', '<', bind('after'))
        .orderBy('position', 'desc')
        .limit(bind('limit')),
    ),
    allConversationItems: given<{ conversationSeq: number }>()((bind) =>
      db
        .selectFrom('conversation_items')
        .select('body')
        .where('conversation_seq', '=', bind('conversationSeq'))
        .orderBy('position', 'asc'),
    ),
  }
}

function ofItemsById(db: Db, dialect: SqlDialect) {
  return {
    /** The newest item of each `{ key, id }` in the JSON array, also of deleted conversations until their purge. */
    getConversationItems: given<{ projectId: string; wanted: string; now: number }>()((bind) => {
      const newest = sql<number>`(
        select conversation_items.seq from conversation_items
        join conversations on conversations.seq = conversation_items.conversation_seq
        where conversation_items.key = cast(wanted.value ->> 'key' as bigint)
        and conversation_items.body ->> 'id' = wanted.value ->> 'id'
        and conversations.project = ${projectOf(bind('projectId'))}
        and (conversations.purge_at is null or conversations.purge_at > ${bind('now')})
        order by conversation_items.seq desc limit 1)`
      return db
        .selectFrom(dialect.list(bind('wanted')).as<'wanted'>(sql`wanted`))
        .innerJoin('conversation_items', (join) => join.on('conversation_items.seq', '=', newest))
        .select('conversation_items.body')
    }),
  }
}

function ofPurges(db: Db) {
  return {
    findPurgeableConversation: given<{ now: number }>()((bind) =>
      db.selectFrom('conversations').select('seq').where('purge_at', '<', bind('now')).orderBy('purge_at').limit(one),
    ),
    purgeConversationItems: given<{ conversationSeq: number; limit: number }>()((bind) =>
      db
        .deleteFrom('conversation_items')
        .where('seq', 'in', (items) =>
          items
            .selectFrom('conversation_items')
            .select('seq')
            .where('conversation_seq', '=', bind('conversationSeq'))
            .limit(bind('limit')),
        ),
    ),
    purgeConversation: given<{ seq: number }>()((bind) =>
      db.deleteFrom('conversations').where('seq', '=', bind('seq')),
    ),
  }
}
