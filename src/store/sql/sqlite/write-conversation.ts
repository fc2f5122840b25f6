/** The transactions that change the items of a conversation. Each function runs inside a unit of the group commit. */
import type { AddedItems } from '../../conversation-store.ts'
import type { EncodedItem, EncodedTurn } from '../encode-conversation.ts'
import { ConversationLost } from '../errors.ts'
import { itemKey } from '../item-key.ts'
import { queries } from '../queries.ts'
import type { Connection } from './connection.ts'

/** All of them or none: the ids are looked at before anything is written. */
export function addItems(writer: Connection, conversationSeq: number, items: readonly EncodedItem[]): AddedItems {
  const seen = new Set<string>()
  for (const { id, key } of items) {
    const isThere = writer.get(queries.findConversationItem, { conversationSeq, key, itemId: id }) !== undefined
    if (isThere || seen.has(id)) return { type: 'duplicate', itemId: id }
    seen.add(id)
  }
  for (const { key, body, bytes } of items) {
    const place = writer.get(queries.takePosition, { seq: conversationSeq, bytes })
    if (place) writer.run(queries.insertConversationItem, { conversationSeq, position: place.position, key, body })
  }
  return { type: 'added' }
}

export function removeItem(writer: Connection, conversationSeq: number, projectId: string, itemId: string) {
  const key = itemKey(projectId, itemId)
  const row = writer.get(queries.findConversationItem, { conversationSeq, key, itemId })
  if (!row) return 'unknown'
  writer.run(queries.deleteConversationItem, { seq: row.seq })
  writer.run(queries.removeConversationBytes, { seq: conversationSeq, bytes: Buffer.byteLength(row.body) })
  return 'deleted'
}

/**
 * Appends the turn and releases the lock. The token decides, not the time: a lease that ran out while nobody else came
 * is still held. Throws `ConversationLost` when somebody else came, which takes the whole unit back.
 */
export function endTurn(writer: Connection, { scope, items }: EncodedTurn): void {
  const row = writer.get(queries.findConversation, { ...scope, now: 0 })
  if (row?.lock_token !== scope.token) throw new ConversationLost()
  const added = addItems(writer, row.seq, items)
  if (added.type === 'duplicate') throw new Error(`the conversation has an item '${added.itemId}' already`)
  dropTurn(writer, { scope, items })
}

/** Releases the lock and keeps nothing. */
export function dropTurn(writer: Connection, { scope }: EncodedTurn): void {
  writer.run(queries.unlockConversation, scope)
}
