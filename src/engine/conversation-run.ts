/** What a conversation is to a run: a lock while it goes, a history before it, a turn at its end. */
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { badRequest, conversationNotFound } from '../protocol/errors.ts'
import type { Item } from '../protocol/items.ts'
import { conversationIdOf } from '../protocol/request.ts'
import type { ResponseObject } from '../protocol/response.ts'
import type { ConversationTurn } from '../store/conversation-store.ts'
import type { ChainLimits, ProjectStore, Store } from '../store/store.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Caller } from './engine.ts'
import { holdLease, LEASE_MS, type Lease } from './lease.ts'

type Deps = { readonly store: Store; readonly clock: Clock; readonly ids: Ids; readonly telemetry: Telemetry }

export type ConversationLock = Lease & { readonly conversationId: string }

/**
 * Taken before the history is read, so that nothing can come between what the model was shown and what is appended.
 * Null without a conversation.
 */
export async function lockConversation(
  request: Parameters<typeof conversationIdOf>[0],
  { principal, requestId }: Caller,
  { store, clock, ids, telemetry }: Deps,
): Promise<ConversationLock | null> {
  const conversationId = conversationIdOf(request)
  if (conversationId === null) return null
  const { conversations } = store.forProject(principal.projectId)
  const token = ids.next('lock')
  const result = await conversations.lock(conversationId, token, LEASE_MS)
  if (result === 'unknown') throw conversationNotFound(conversationId, 'conversation')
  if (result === 'busy') throw conversationLocked()
  const lease = holdLease({
    token,
    clock,
    renew: () => conversations.renewLock(conversationId, token, LEASE_MS),
    release: () => conversations.unlock(conversationId, token),
    onFailure: (error) => telemetry.failed({ requestId, where: 'conversation-lock', error }),
  })
  return { ...lease, conversationId }
}

export async function loadConversation(
  { conversations }: ProjectStore,
  id: string,
  { maxBytes }: ChainLimits,
): Promise<readonly Item[]> {
  const result = await conversations.readItems(id, maxBytes)
  if (result.type === 'unknown') throw conversationNotFound(id, 'conversation')
  if (result.type === 'items') return result.items
  throw badRequest(
    'conversation',
    'context_length_exceeded',
    `Conversation '${id}' holds ${result.bytes} bytes of items; this server sends at most ${maxBytes} bytes to a model. ` +
      'Delete items of it, or start a new conversation.',
  )
}

/** An id is the address of one item of a conversation, so it may come up once. */
export function refuseDuplicates(added: readonly Item[], present: readonly Item[], param: 'input' | 'items'): void {
  const seen = new Set(present.map((item) => item.id))
  for (const { id } of added) {
    if (seen.has(id)) throw duplicateItem(id, param)
    seen.add(id)
  }
}

export const duplicateItem = (id: string, param: 'input' | 'items') =>
  badRequest(param, null, `Duplicate item found with id ${id}. Remove duplicate items from your input and try again.`)

/** An answer, whole or cut short, enters the conversation with what it answers; a run that failed leaves no trace. */
export const turnOf = (
  { conversationId, token }: ConversationLock,
  input: readonly Item[],
  response: ResponseObject,
): ConversationTurn => ({
  conversationId,
  token,
  items: turnItemsOf(input, response),
})

export const turnItemsOf = (input: readonly Item[], response: ResponseObject): readonly Item[] =>
  isAnswer(response) ? [...input, ...response.output] : []

export const isAnswer = ({ status }: ResponseObject) => status === 'completed' || status === 'incomplete'

export const conversationLocked = () =>
  badRequest(
    'conversation',
    'conversation_locked',
    'Another process is currently operating on this conversation. Please retry in a few seconds.',
  )
