/**
 * PORT: conversations of one project. A conversation is a list of items that grows at its end, and a lock.
 *
 * The laws, held by `store-conversations.contract.ts` for every adapter:
 * - Items of a turn enter together, in the transaction that ends their response, or not at all.
 * - Whoever holds the lock is the only one who may change the items. The lock is a lease: it ends when it is released,
 *   when its time is over, or when `failOrphans` says that every process before this one is dead.
 * - An id names at most one item of a conversation.
 * - Deleting a conversation leaves its items readable by id until they are purged.
 */
import type { Conversation } from '../protocol/conversation.ts'
import type { Item } from '../protocol/items.ts'
import type { Metadata } from '../protocol/options.ts'
import type { EndClaim } from './idempotency-store.ts'

export interface ConversationStore {
  create(conversation: Conversation, items: readonly Item[], endClaim?: EndClaim<Conversation>): Promise<void>
  /** Null when unknown or deleted. */
  get(id: string): Promise<Conversation | null>
  /** Replaces the metadata. Null when unknown. */
  setMetadata(id: string, metadata: Metadata, endClaim?: EndClaim<Conversation>): Promise<Conversation | null>
  /** Its items stay readable by id until `purgeAt`, in seconds; null keeps them for ever. */
  delete(id: string, purgeAt: number | null): Promise<'deleted' | 'unknown' | 'locked'>
  addItems(id: string, items: readonly Item[], endClaim?: EndClaim<readonly Item[]>): Promise<AddedItems>
  listItems(id: string, page: ItemPageQuery): Promise<ItemPage>
  /** Null when the conversation has no such item. */
  getItem(id: string, itemId: string): Promise<Item | null>
  deleteItem(id: string, itemId: string): Promise<'deleted' | 'unknown' | 'locked'>
  /** All items, oldest first. */
  readItems(id: string, maxBytes: number): Promise<ConversationItems>
  /** `token`: who holds it, unguessable and used once. */
  lock(id: string, token: string, ttlMs: number): Promise<'locked' | 'busy' | 'unknown'>
  /** Puts the end of the lease `ttlMs` from now; does nothing when it was lost. */
  renewLock(id: string, token: string, ttlMs: number): Promise<void>
  unlock(id: string, token: string): Promise<void>
}

export type AddedItems =
  | { readonly type: 'added' | 'unknown' | 'locked' }
  /** Nothing was added, because the conversation has an item of this id already. */
  | { readonly type: 'duplicate'; readonly itemId: string }

export type ItemPageQuery = {
  readonly limit: number
  readonly order: 'asc' | 'desc'
  /** The id of the last item of the page before. */
  readonly after: string | null
}

export type ItemPage =
  | { readonly type: 'page'; readonly items: readonly Item[]; readonly hasMore: boolean }
  /** The conversation, or the item that `after` names, does not exist. */
  | { readonly type: 'unknown' | 'unknown-after' }

export type ConversationItems =
  | { readonly type: 'items'; readonly items: readonly Item[] }
  | { readonly type: 'unknown' }
  | { readonly type: 'too-long'; readonly bytes: number }

/** What the end of a run does to the conversation whose lock it holds. The lock is released with it. */
export type ConversationTurn = {
  readonly conversationId: string
  readonly token: string
  /** Input and output of the run; empty when nothing is to be kept. */
  readonly items: readonly Item[]
}
