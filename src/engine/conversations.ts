/** Use cases on conversations and their items. */

import { seconds } from '../lib/clock.ts'
import type { Conversation } from '../protocol/conversation.ts'
import { badRequest, conversationNotFound, notFound } from '../protocol/errors.ts'
import type { InputItemParam, Item } from '../protocol/items.ts'
import type { Include } from '../protocol/options.ts'
import type { ItemList } from '../protocol/response.ts'
import type { ProjectStore } from '../store/store.ts'
import { conversationLocked, duplicateItem, refuseDuplicates } from './conversation-run.ts'
import type { Caller, Conversations } from './engine.ts'
import { type IdempotencyDeps, once } from './idempotency.ts'
import { listObject } from './list-object.ts'
import { normalizeInput } from './normalize-input.ts'
import { resolveReferences } from './resolve-references.ts'
import { refuseKeeping, retentionOf } from './retention.ts'
import { shownItem } from './shown-item.ts'
import { createItemSeals, refuseForeignSeals } from './to-turn-items.ts'

/** Where `Idempotency-Key` counts. */
const ENDPOINTS = {
  create: 'POST /v1/conversations',
  update: 'POST /v1/conversations/{id}',
  addItems: 'POST /v1/conversations/{id}/items',
} as const

export function createConversations(deps: IdempotencyDeps): Conversations {
  const storeOf = (caller: Caller) => deps.store.forProject(caller.principal.projectId)
  const get = async (id: string, caller: Caller): Promise<Conversation> => {
    const conversation = await storeOf(caller).conversations.get(id)
    if (!conversation) throw conversationNotFound(id)
    return conversation
  }
  return {
    get,
    async create({ items, metadata }, caller) {
      refuseKeeping(CONVERSATIONS, caller, deps.settings)
      const store = storeOf(caller)
      return once<Conversation>(ENDPOINTS.create, caller, deps, async (endClaim) => {
        const added = await toItems(items ?? [], store, deps)
        const conversation: Conversation = {
          id: deps.ids.next('conv'),
          object: 'conversation',
          created_at: seconds(deps.clock),
          metadata: metadata ?? {},
        }
        await store.conversations.create(conversation, added, endClaim)
        return conversation
      })
    },
    async update(id, { metadata }, caller) {
      refuseKeeping(CONVERSATIONS, caller, deps.settings)
      return once<Conversation>(ENDPOINTS.update, caller, deps, async (endClaim) => {
        const conversation = await storeOf(caller).conversations.setMetadata(id, metadata ?? {}, endClaim)
        if (!conversation) throw conversationNotFound(id)
        return conversation
      })
    },
    async delete(id, caller) {
      const { responseTtlSeconds } = retentionOf(caller.principal.projectId, deps.settings)
      const purgeAt = responseTtlSeconds === null ? null : seconds(deps.clock) + responseTtlSeconds
      const result = await storeOf(caller).conversations.delete(id, purgeAt)
      if (result === 'unknown') throw conversationNotFound(id)
      if (result === 'locked') throw conversationLocked()
    },
    async addItems(id, { items }, include, caller) {
      refuseKeeping(CONVERSATIONS, caller, deps.settings)
      const store = storeOf(caller)
      return once<ItemList>(ENDPOINTS.addItems, caller, deps, async (endClaim) => {
        await get(id, caller)
        const added = await toItems(items, store, deps)
        const list = toList(added, include, false)
        const result = await store.conversations.addItems(id, added, () => endClaim(list))
        if (result.type === 'unknown') throw conversationNotFound(id)
        if (result.type === 'locked') throw conversationLocked()
        if (result.type === 'duplicate') throw duplicateItem(result.itemId, 'items')
        return list
      })
    },
    async listItems(id, page, caller) {
      const result = await storeOf(caller).conversations.listItems(id, page)
      if (result.type === 'unknown') throw conversationNotFound(id)
      if (result.type !== 'page') throw unknownAfter(page.after)
      return toList(result.items, page.include, result.hasMore)
    },
    async getItem(id, itemId, include, caller) {
      await get(id, caller)
      const item = await storeOf(caller).conversations.getItem(id, itemId)
      if (!item) throw itemNotFound(itemId)
      return shownItem(item, include)
    },
    async deleteItem(id, itemId, caller) {
      const conversation = await get(id, caller)
      const result = await storeOf(caller).conversations.deleteItem(id, itemId)
      if (result === 'unknown') throw itemNotFound(itemId)
      if (result === 'locked') throw conversationLocked()
      return conversation
    },
  }
}

const CONVERSATIONS = 'Conversations'

/** Items as clients write them, as they are kept: with ids, references resolved, nothing sealed by somebody else. */
async function toItems(
  params: readonly InputItemParam[],
  store: ProjectStore,
  deps: IdempotencyDeps,
): Promise<readonly Item[]> {
  const given = normalizeInput(params, deps.ids, 'items')
  // Seals are bound to the project alone; which provider may read them matters when a model is shown them.
  refuseForeignSeals(given, createItemSeals(deps.sealedBox, store.projectId), 'items')
  const items = await resolveReferences(given, [], { store, name: 'items' })
  refuseDuplicates(items, [], 'items')
  return items
}

const toList = (items: readonly Item[], include: readonly Include[], hasMore: boolean): ItemList =>
  listObject(
    items.map((item) => shownItem(item, include)),
    hasMore,
  )

const itemNotFound = (id: string) => notFound(`Item with id '${id}' not found in this conversation.`)

const unknownAfter = (after: string | null) =>
  badRequest('after', 'invalid_value', `No item with id '${after}' in this list. Use an id from an earlier page.`)
