/**
 * Puts a model's blocks one after another. Models may interleave blocks (two tool calls whose arguments arrive in
 * turns); the stream of a Response never does. The first open block streams at once, the others wait for its end.
 *
 * Invariant: every event of a block leaves in the order it came, and blocks leave in the order they started.
 */
import type { ModelEvent } from '../models/model.ts'

type BlockEvent = Exclude<ModelEvent, { type: 'finish' }>

export interface BlockSequencer {
  push(event: ModelEvent, emit: (event: ModelEvent) => void): void
}

const isEnd = (event: BlockEvent) => event.type.endsWith('-end')

export function createBlockSequencer(): BlockSequencer {
  let current: string | null = null
  /** Blocks that wait, in the order they started. Bounded by what one model turn may send. */
  const waiting = new Map<string, BlockEvent[]>()

  const release = (emit: (event: ModelEvent) => void) => {
    for (const [id, events] of waiting) {
      waiting.delete(id)
      for (const event of events) emit(event)
      const last = events.at(-1)
      if (last && isEnd(last)) continue
      current = id
      return
    }
    current = null
  }

  return {
    push(event, emit) {
      if (event.type === 'finish') return emit(event)
      if (current === null) current = event.id
      if (event.id !== current) {
        const events = waiting.get(event.id)
        if (events) events.push(event)
        else waiting.set(event.id, [event])
        return
      }
      emit(event)
      if (isEnd(event)) release(emit)
    },
  }
}
