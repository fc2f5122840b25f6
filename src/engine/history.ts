/**
 * The context a response continues from. A chain is read by one query and then kept, so that turn k costs what turn k
 * adds and not what all turns before it were.
 */
import { badRequest, previousResponseNotFound } from '../protocol/errors.ts'
import type { Item } from '../protocol/items.ts'
import type { Chain, ChainLimits, ProjectStore } from '../store/store.ts'

export interface HistoryCache {
  get(projectId: string, responseId: string): readonly Item[] | null
  set(projectId: string, responseId: string, items: readonly Item[]): void
  /** A deleted response ends every chain that stands on it; which those are is not worth keeping. */
  dropProject(projectId: string): void
}

/** Keeps the newest chains, up to a number of items over all of them. Items are shared between the turns of a chain. */
export function createHistoryCache(limits: { maxChains: number; maxItems: number }): HistoryCache {
  const chains = new Map<string, { readonly projectId: string; readonly items: readonly Item[] }>()
  let total = 0
  const keyOf = (projectId: string, responseId: string) => `${projectId}\n${responseId}`
  const drop = (key: string) => {
    total -= chains.get(key)?.items.length ?? 0
    chains.delete(key)
  }
  return {
    get(projectId, responseId) {
      const key = keyOf(projectId, responseId)
      const found = chains.get(key)
      if (!found) return null
      chains.delete(key)
      chains.set(key, found)
      return found.items
    },
    set(projectId, responseId, items) {
      if (items.length > limits.maxItems) return
      const key = keyOf(projectId, responseId)
      drop(key)
      chains.set(key, { projectId, items })
      total += items.length
      for (const oldest of chains.keys()) {
        if (chains.size <= limits.maxChains && total <= limits.maxItems) break
        drop(oldest)
      }
    },
    dropProject(projectId) {
      for (const [key, chain] of chains) if (chain.projectId === projectId) drop(key)
    },
  }
}

/** The items of a chain, oldest first: input, output, input, output. Refuses a chain that is missing, open or too long. */
export async function loadHistory(
  store: ProjectStore,
  cache: HistoryCache,
  responseId: string,
  limits: ChainLimits,
): Promise<readonly Item[]> {
  const cached = cache.get(store.projectId, responseId)
  if (cached) return cached
  const { carried, links } = await readWithin(store, responseId, limits)
  await refuseConversation(store, responseId)
  const open = links.find((link) => link.status === 'queued' || link.status === 'in_progress')
  if (open) {
    throw badRequest(
      'previous_response_id',
      'invalid_value',
      `Response '${open.id}' is still ${open.status}. Wait for it to finish before you continue from it.`,
    )
  }
  const items = [...carried, ...links.flatMap((link) => [...link.input, ...link.output])]
  cache.set(store.projectId, responseId, items)
  return items
}

/**
 * What a response of a conversation answered is kept in the conversation, not in a chain: continued by its id it would
 * silently forget everything before it.
 */
async function refuseConversation(store: ProjectStore, responseId: string): Promise<void> {
  const conversation = (await store.getResponse(responseId))?.conversation
  if (!conversation) return
  throw badRequest(
    'previous_response_id',
    'invalid_value',
    `Response '${responseId}' belongs to conversation '${conversation.id}'. Continue it with 'conversation'.`,
  )
}

/**
 * A response and what it was made from: its whole chain or, where that is too long or not there any more, from its newest
 * compaction on.
 */
export async function readLinks(store: ProjectStore, responseId: string, limits: ChainLimits): Promise<ReadChain> {
  const whole = await store.readChain(responseId, { ...limits, whole: true })
  return whole?.type === 'chain' ? whole : readWithin(store, responseId, limits)
}

type ReadChain = Extract<Chain, { type: 'chain' }>

async function readWithin(store: ProjectStore, responseId: string, limits: ChainLimits): Promise<ReadChain> {
  const chain = await store.readChain(responseId, limits)
  if (!chain) throw previousResponseNotFound(responseId)
  if (chain.type === 'chain') return chain
  throw badRequest(
    'previous_response_id',
    'context_length_exceeded',
    `The chain that ends in '${responseId}' holds ${chain.responses} responses and ${chain.bytes} bytes; this server ` +
      `follows at most ${limits.maxResponses} responses and ${limits.maxBytes} bytes, counted from the newest ` +
      "compaction. Start a new chain, or compact it in time with 'context_management'.",
  )
}
