/**
 * The unstored responses that one socket can continue from. They are nowhere else: when the socket closes they are gone.
 *
 * Invariant: bounded by a number of responses and by the bytes of all their items; an item that several turns of a chain
 * share counts once. The oldest go first, but the newest of each lane goes last.
 */
import type { ResponseMemory } from '../../engine/engine.ts'
import type { Item } from '../../protocol/items.ts'
import type { HttpLimits } from '../limits.ts'
import type { LaneName } from './read-message.ts'

export type SocketMemory = {
  /** What the engine is given for a run of this lane. Every lane reads what any lane has put. */
  of(lane: LaneName): ResponseMemory
  evict(responseId: string): void
}

type Entry = { readonly lane: LaneName; readonly items: readonly Item[] }

export function createSocketMemory(limits: Pick<HttpLimits, 'webSocketMemory' | 'webSocketMemoryBytes'>): SocketMemory {
  /** In the order they were put. */
  const entries = new Map<string, Entry>()
  const newest = new Map<LaneName, string>()
  const items = createItemCounter()

  const evict = (id: string) => {
    const entry = entries.get(id)
    if (!entry) return
    entries.delete(id)
    if (newest.get(entry.lane) === id) newest.delete(entry.lane)
    items.release(entry.items)
  }
  const oldest = (): string | undefined => {
    for (const [id, { lane }] of entries) if (newest.get(lane) !== id) return id
    return entries.keys().next().value
  }
  const shrink = () => {
    while (entries.size > limits.webSocketMemory || items.bytes() > limits.webSocketMemoryBytes) {
      const id = oldest()
      if (id === undefined) return
      evict(id)
    }
  }
  return {
    evict,
    of: (lane) => ({
      get: (id) => entries.get(id)?.items ?? null,
      put(id, kept) {
        evict(id)
        entries.set(id, { lane, items: kept })
        newest.set(lane, id)
        items.hold(kept)
        shrink()
      },
    }),
  }
}

/** Turn k holds the items of turn k-1 itself, not copies; each is measured once. */
function createItemCounter() {
  const held = new Map<Item, { readonly bytes: number; holders: number }>()
  let total = 0
  return {
    bytes: () => total,
    hold(items: readonly Item[]) {
      for (const item of items) {
        const known = held.get(item)
        if (known) known.holders++
        else {
          const bytes = Buffer.byteLength(JSON.stringify(item))
          held.set(item, { bytes, holders: 1 })
          total += bytes
        }
      }
    },
    release(items: readonly Item[]) {
      for (const item of items) {
        const known = held.get(item)
        if (!known || --known.holders > 0) continue
        held.delete(item)
        total -= known.bytes
      }
    },
  }
}
