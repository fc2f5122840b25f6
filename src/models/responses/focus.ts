/** Which item's text is being written. Of text and reasoning one item is open at a time; the next one ends it. */
import type { ModelEvent } from '../model.ts'
import { type BlockWriter, createBlockWriter } from '../upstream/blocks.ts'

export interface Focus {
  readonly blocks: BlockWriter
  isOn(item: object): boolean
  /** Makes the item the one that is written to; true when another one was. */
  enter(item: object, out: ModelEvent[]): boolean
  leave(out: ModelEvent[]): void
}

export function createFocus(): Focus {
  const blocks = createBlockWriter()
  let current: object | null = null
  const leave = (out: ModelEvent[]) => {
    blocks.close(out)
    current = null
  }
  return {
    blocks,
    isOn: (item) => item === current,
    enter(item, out) {
      if (item === current) return false
      leave(out)
      current = item
      return true
    },
    leave,
  }
}
