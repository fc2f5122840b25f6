/** The transactions that change the items of a conversation. Whoever calls holds the row of the conversation. */
import type { AddedItems } from '../../conversation-store.ts'
import { type EncodedItem, type EncodedTurn, toItem } from '../encode-conversation.ts'
import { ConversationLost } from '../errors.ts'
import { itemKey } from '../item-key.ts'
import { queries } from '../queries.ts'
import type { Sql } from '../query.ts'
import { conversations } from './conversation-queries.ts'
import { idText } from './wanted-items.ts'

/** All of them or none: the ids are looked at before anything is written. */
export async function addItems(sql: Sql, conversationSeq: number, items: readonly EncodedItem[]): Promise<AddedItems> {
  const duplicate = await findDuplicate(sql, conversationSeq, items)
  if (duplicate !== null) return { type: 'duplicate', itemId: duplicate }
  if (items.length === 0) return { type: 'added' }
  const bytes = items.reduce((sum, item) => sum + item.bytes, 0)
  const place = await sql.get(conversations.takePositions, { seq: conversationSeq, count: items.length, bytes })
  const rows = items.map(({ key, body }, index) => ({ place: index, key, body }))
  await sql.run(conversations.insertItems, {
    conversationSeq,
    first: place?.first ?? 0,
    items: JSON.stringify(rows),
  })
  return { type: 'added' }
}

/** The first item whose id another one has, before it in the list or in the conversation. */
async function findDuplicate(sql: Sql, conversationSeq: number, items: readonly EncodedItem[]): Promise<string | null> {
  const wanted = JSON.stringify(items.map(({ id, key }) => ({ key, text: idText(id) })))
  const taken = items.length === 0 ? [] : await sql.all(conversations.findTaken, { conversationSeq, wanted })
  const seen = new Set(taken.map((row) => toItem(row).id))
  for (const { id } of items) {
    if (seen.has(id)) return id
    seen.add(id)
  }
  return null
}

export async function removeItem(sql: Sql, conversationSeq: number, projectId: string, itemId: string) {
  const key = itemKey(projectId, itemId)
  const row = await sql.get(conversations.findItem, { conversationSeq, key, text: idText(itemId) })
  if (!row) return 'unknown'
  await sql.run(queries.deleteConversationItem, { seq: row.seq })
  await sql.run(queries.removeConversationBytes, { seq: conversationSeq, bytes: Buffer.byteLength(row.body) })
  return 'deleted'
}

/**
 * Appends the turn and releases the lock. The token decides, not the time: a lease that ran out while nobody else came
 * is still held. Throws `ConversationLost` when somebody else came, which takes the whole transaction back.
 */
export async function endTurn(sql: Sql, turn: EncodedTurn): Promise<void> {
  const { scope, items } = turn
  const row = await sql.get(conversations.holdConversation, { ...scope, now: 0 })
  if (row?.lock_token !== scope.token) throw new ConversationLost()
  const added = await addItems(sql, row.seq, items)
  if (added.type === 'duplicate') throw new Error(`the conversation has an item '${added.itemId}' already`)
  await dropTurn(sql, turn)
}

/** Releases the lock and keeps nothing. */
export async function dropTurn(sql: Sql, { scope }: EncodedTurn): Promise<void> {
  await sql.run(queries.unlockConversation, scope)
}
