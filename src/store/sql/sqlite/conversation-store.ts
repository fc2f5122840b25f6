/** The conversations of one project. */
import { type Clock, seconds } from '../../../lib/clock.ts'
import type { Item } from '../../../protocol/items.ts'
import type { ConversationStore, ItemPageQuery } from '../../conversation-store.ts'
import { encodeItem, toConversation, toItem } from '../encode-conversation.ts'
import { itemKey } from '../item-key.ts'
import { queries } from '../queries.ts'
import type { Connection } from './connection.ts'
import type { GroupCommit } from './group-commit.ts'
import { claimEnder } from './idempotency-store.ts'
import { addItems, removeItem } from './write-conversation.ts'

type Parts = {
  readonly writer: Connection
  readonly reader: Connection
  readonly commits: GroupCommit
  readonly clock: Clock
}

export function createConversationStore(parts: Parts, projectId: string): ConversationStore {
  const { writer, reader, commits, clock } = parts
  const endClaimWith = claimEnder(writer, projectId)
  const find = (connection: Connection, id: string) =>
    connection.get(queries.findConversation, { projectId, id, now: clock.now() })
  /** Runs `change` on a conversation that exists and is nobody's. */
  const change = <T>(id: string, apply: (seq: number) => T) =>
    commits.write((): T | 'unknown' | 'locked' => {
      const row = find(writer, id)
      if (!row) return 'unknown'
      return row.locked ? 'locked' : apply(row.seq)
    })
  return {
    async create(conversation, items, endClaim) {
      const encoded = items.map((item) => encodeItem(projectId, item))
      const { id, created_at: createdAt, metadata } = conversation
      await commits.write(() => {
        writer.run(queries.addProject, { projectId })
        const row = writer.get(queries.insertConversation, {
          ...{ projectId, id, createdAt },
          metadata: JSON.stringify(metadata),
        })
        if (row) addItems(writer, row.seq, encoded)
        endClaimWith(conversation, endClaim)
      })
    },
    async get(id) {
      const row = find(reader, id)
      return row ? toConversation(row) : null
    },
    async setMetadata(id, metadata, endClaim) {
      const values = { projectId, id, metadata: JSON.stringify(metadata) }
      return commits.write(() => {
        const row = writer.get(queries.setConversationMetadata, values)
        return row ? endClaimWith(toConversation(row), endClaim) : null
      })
    },
    delete: (id, purgeAt) =>
      change(id, (seq) => {
        writer.run(queries.markConversationDeleted, { seq, purgeAt })
        return 'deleted' as const
      }),
    async addItems(id, items, endClaim) {
      const encoded = items.map((item) => encodeItem(projectId, item))
      const result = await change(id, (seq) => {
        const added = addItems(writer, seq, encoded)
        if (added.type === 'added') endClaimWith(items, endClaim)
        return added
      })
      return typeof result === 'string' ? { type: result } : result
    },
    deleteItem: (id, itemId) => change(id, (seq) => removeItem(writer, seq, projectId, itemId)),
    async getItem(id, itemId) {
      const conversation = find(reader, id)
      if (!conversation) return null
      const row = findItem(reader, conversation.seq, projectId, itemId)
      return row ? toItem(row) : null
    },
    async listItems(id, page) {
      const conversation = find(reader, id)
      if (!conversation) return { type: 'unknown' }
      const after = page.after === null ? null : findItem(reader, conversation.seq, projectId, page.after)
      if (after === undefined) return { type: 'unknown-after' }
      const items = readPage(reader, conversation.seq, page, after?.position ?? null)
      return { type: 'page', items: items.slice(0, page.limit), hasMore: items.length > page.limit }
    },
    async readItems(id, maxBytes) {
      const row = find(reader, id)
      if (!row) return { type: 'unknown' }
      if (row.item_bytes > maxBytes) return { type: 'too-long', bytes: row.item_bytes }
      return {
        type: 'items',
        items: reader.all(queries.allConversationItems, { conversationSeq: row.seq }).map(toItem),
      }
    },
    lock: (id, token, ttlMs) =>
      commits.write(() => {
        const now = clock.now()
        const taken = writer.run(queries.lockConversation, { projectId, id, token, now, until: now + ttlMs })
        if (taken > 0) return 'locked'
        return find(writer, id) ? 'busy' : 'unknown'
      }),
    async renewLock(id, token, ttlMs) {
      await commits.write(() =>
        writer.run(queries.renewConversationLock, { projectId, id, token, until: clock.now() + ttlMs }),
      )
    },
    async unlock(id, token) {
      await commits.write(() => writer.run(queries.unlockConversation, { projectId, id, token }))
    },
  }
}

/** Items of conversations by their ids alone, for references. */
export function getConversationItems(
  { reader, clock }: Pick<Parts, 'reader' | 'clock'>,
  projectId: string,
  ids: readonly string[],
): Item[] {
  if (ids.length === 0) return []
  const wanted = JSON.stringify(ids.map((id) => ({ key: itemKey(projectId, id), id })))
  return reader.all(queries.getConversationItems, { projectId, wanted, now: seconds(clock) }).map(toItem)
}

const findItem = (reader: Connection, conversationSeq: number, projectId: string, itemId: string) =>
  reader.get(queries.findConversationItem, { conversationSeq, key: itemKey(projectId, itemId), itemId })

/** One more than the page holds, to know whether there are more. */
function readPage(reader: Connection, conversationSeq: number, page: ItemPageQuery, after: number | null): Item[] {
  const isRising = page.order === 'asc'
  const start = after ?? (isRising ? -1 : Number.MAX_SAFE_INTEGER)
  const query = isRising ? queries.itemsAfter : queries.itemsBefore
  return reader.all(query, { conversationSeq, after: start, limit: page.limit + 1 }).map(toItem)
}
