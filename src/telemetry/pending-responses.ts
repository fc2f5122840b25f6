/**
 * Holds what became of a response until its request ends, so that both are one line. A response may also outlive its
 * request, when the reader left first; such an event is handed on alone, after a while.
 */
import type { Telemetry } from './telemetry.ts'

type ResponseEvent = Parameters<Telemetry['responseFinished']>[0]

const MAX_HELD = 10_000
const MAX_HELD_MS = 30_000

export interface PendingResponses {
  put(requestId: string, event: ResponseEvent): void
  take(requestId: string): ResponseEvent | null
  /** Hands on all that is held. */
  flush(): void
}

export function createPendingResponses(
  handOn: (event: ResponseEvent) => void,
  now: () => number = () => performance.now(),
): PendingResponses {
  const held = new Map<string, { readonly event: ResponseEvent; readonly since: number }>()
  const release = (requestId: string) => {
    const entry = held.get(requestId)
    held.delete(requestId)
    if (entry !== undefined) handOn(entry.event)
  }
  return {
    put(requestId, event) {
      release(requestId)
      // Invariant: the map is in the order of arrival, so only its first entries can be too old or too many.
      for (const [id, { since }] of held) {
        if (held.size < MAX_HELD && now() - since < MAX_HELD_MS) break
        release(id)
      }
      held.set(requestId, { event, since: now() })
    },
    take(requestId) {
      const entry = held.get(requestId)
      held.delete(requestId)
      return entry?.event ?? null
    },
    flush() {
      for (const id of [...held.keys()]) release(id)
    },
  }
}
