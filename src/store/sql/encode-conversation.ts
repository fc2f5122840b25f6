/** Conversations and their items, between the port's shape and the values of a row. */
import type { Conversation } from '../../protocol/conversation.ts'
import type { Item } from '../../protocol/items.ts'
import type { ConversationTurn } from '../conversation-store.ts'
import { itemKey } from './item-key.ts'

export type EncodedItem = { readonly id: string; readonly key: number; readonly body: string; readonly bytes: number }

/** Done before a write is queued, so that the transaction holds nothing but statements. */
export function encodeItem(projectId: string, item: Item): EncodedItem {
  const body = JSON.stringify(item)
  return { id: item.id, key: itemKey(projectId, item.id), body, bytes: Buffer.byteLength(body) }
}

export type EncodedTurn = ReturnType<typeof encodeTurn>

export const encodeTurn = (projectId: string, { conversationId, token, items }: ConversationTurn) => ({
  scope: { projectId, id: conversationId, token },
  items: items.map((item) => encodeItem(projectId, item)),
})

export const toItem = ({ body }: { readonly body: string }): Item => JSON.parse(body)

export const toConversation = (row: { id: string; created_at: number; metadata: string }): Conversation => ({
  id: row.id,
  object: 'conversation',
  created_at: row.created_at,
  metadata: JSON.parse(row.metadata),
})
