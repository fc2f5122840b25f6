/** The conversations of one project. */
import { seconds } from '../../../lib/clock.ts'
import type { Item } from '../../../protocol/items.ts'
import type { ConversationStore, ItemPageQuery } from '../../conversation-store.ts'
import { encodeItem, toConversation, toItem } from '../encode-conversation.ts'
import { itemKey } from '../item-key.ts'
import { queries } from '../queries.ts'
import type { Sql } from '../query.ts'
import { conversations } from './conversation-queries.ts'
import { claimEnder } from './idempotency-store.ts'
import type { StoreParts } from './parts.ts'
import { idText, wantedItems } from './wanted-items.ts'
import { addItems, removeItem } from './write-conversation.ts'

export function createConversationStore(parts: StoreParts, projectId: string): ConversationStore {
  const { database, clock } = parts
  const endClaimWith = claimEnder(projectId)
  const find = (id: string) => database.get(queries.findConversation, { projectId, id, now: clock.now() })
  /** Runs `change` on a conversation that exists and is nobody's, and that nobody takes meanwhile. */
  const change = <T>(id: string, apply: (sql: Sql, seq: number) => Promise<T>) =>
    database.transaction(async (sql): Promise<T | 'unknown' | 'locked'> => {
      const row = await sql.get(conversations.holdConversation, { projectId, id, now: clock.now() })
      if (!row) return 'unknown'
      return row.locked ? 'locked' : apply(sql, row.seq)
    })
  return {
    async create(conversation, items, endClaim) {
      const encoded = items.map((item) => encodeItem(projectId, item))
      const { id, created_at: createdAt, metadata } = conversation
      const values = { projectId, id, createdAt, metadata: JSON.stringify(metadata) }
      await parts.ensureProject(projectId)
      await database.transaction(async (sql) => {
        const row = await sql.get(queries.insertConversation, values)
        if (row) await addItems(sql, row.seq, encoded)
        await endClaimWith(sql, conversation, endClaim)
      })
    },
    async get(id) {
      const row = await find(id)
      return row ? toConversation(row) : null
    },
    setMetadata(id, metadata, endClaim) {
      const values = { projectId, id, metadata: JSON.stringify(metadata) }
      return database.transaction(async (sql) => {
        const row = await sql.get(queries.setConversationMetadata, values)
        return row ? endClaimWith(sql, toConversation(row), endClaim) : null
      })
    },
    delete: (id, purgeAt) =>
      change(id, async (sql, seq) => {
        await sql.run(queries.markConversationDeleted, { seq, purgeAt })
        return 'deleted' as const
      }),
    async addItems(id, items, endClaim) {
      const encoded = items.map((item) => encodeItem(projectId, item))
      const result = await change(id, async (sql, seq) => {
        const added = await addItems(sql, seq, encoded)
        if (added.type === 'added') await endClaimWith(sql, items, endClaim)
        return added
      })
      return typeof result === 'string' ? { type: result } : result
    },
    deleteItem: (id, itemId) => change(id, (sql, seq) => removeItem(sql, seq, projectId, itemId)),
    async getItem(id, itemId) {
      const conversation = await find(id)
      if (!conversation) return null
      const row = await findItem(database, conversation.seq, projectId, itemId)
      return row ? toItem(row) : null
    },
    async listItems(id, page) {
      const conversation = await find(id)
      if (!conversation) return { type: 'unknown' }
      const after = page.after === null ? null : await findItem(database, conversation.seq, projectId, page.after)
      if (after === undefined) return { type: 'unknown-after' }
      const items = await readPage(database, conversation.seq, page, after?.position ?? null)
      return { type: 'page', items: items.slice(0, page.limit), hasMore: items.length > page.limit }
    },
    async readItems(id, maxBytes) {
      const row = await find(id)
      if (!row) return { type: 'unknown' }
      if (row.item_bytes > maxBytes) return { type: 'too-long', bytes: row.item_bytes }
      const rows = await database.all(queries.allConversationItems, { conversationSeq: row.seq })
      return { type: 'items', items: rows.map(toItem) }
    },
    async lock(id, token, ttlMs) {
      const now = clock.now()
      const values = { projectId, id, token, now, until: now + ttlMs, owner: await parts.owner() }
      if ((await database.run(conversations.lockConversation, values)) > 0) return 'locked'
      return (await find(id)) ? 'busy' : 'unknown'
    },
    async renewLock(id, token, ttlMs) {
      await database.run(queries.renewConversationLock, { projectId, id, token, until: clock.now() + ttlMs })
    },
    async unlock(id, token) {
      await database.run(queries.unlockConversation, { projectId, id, token })
    },
  }
}

/** Items of conversations by their ids alone, for references. */
export async function getConversationItems(
  { database, clock }: Pick<StoreParts, 'database' | 'clock'>,
  projectId: string,
  ids: readonly string[],
): Promise<Item[]> {
  if (ids.length === 0) return []
  const wanted = wantedItems(projectId, ids)
  return (await database.all(conversations.getItems, { projectId, wanted, now: seconds(clock) })).map(toItem)
}

const findItem = (sql: Sql, conversationSeq: number, projectId: string, itemId: string) =>
  sql.get(conversations.findItem, { conversationSeq, key: itemKey(projectId, itemId), text: idText(itemId) })

/** Beyond any place: a conversation counts in 32 bits. */
const LAST_PLACE = 2 ** 31 - 1

/** One more than the page holds, to know whether there are more. */
async function readPage(sql: Sql, conversationSeq: number, page: ItemPageQuery, after: number | null): Promise<Item[]> {
  const isRising = page.order === 'asc'
  const query = isRising ? queries.itemsAfter : queries.itemsBefore
  const start = after ?? (isRising ? -1 : LAST_PLACE)
  return (await sql.all(query, { conversationSeq, after: start, limit: page.limit + 1 })).map(toItem)
}
