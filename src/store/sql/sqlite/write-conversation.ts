/** The transactions that change the items of a conversation. Each function runs inside a unit of the group commit. */
import type { Item } from '../../../protocol/items.ts'
import type { AddedItems, ConversationTurn } from '../../conversation-store.ts'
import { ConversationLost } from '../errors.ts'
import { itemKey } from '../item-key.ts'
import { queries } from '../queries.ts'
import type { Connection } from './connection.ts'

type EncodedItem = { readonly id: string; readonly key: number; readonly body: string; readonly bytes: number }

/** Done before the unit is queued, so that the transaction holds nothing but statements. */
export function encodeItem(projectId: string, item: Item): EncodedItem {
  const body = JSON.stringify(item)
  return { id: item.id, key: itemKey(projectId, item.id), body, bytes: Buffer.byteLength(body) }
}

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

export type EncodedTurn = ReturnType<typeof encodeTurn>

export const encodeTurn = (projectId: string, { conversationId, token, items }: ConversationTurn) => ({
  scope: { projectId, id: conversationId, token },
  items: items.map((item) => encodeItem(projectId, item)),
})

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
