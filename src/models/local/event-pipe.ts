/** From callbacks to an iteration: what is put in comes out in batches, whatever came together. */

export interface EventPipe<T> {
  put(items: readonly T[]): void
  /** No more will come. */
  end(): void
  /** Waits for the next batch; null after the end. One reader at a time. */
  next(): Promise<readonly T[] | null>
}

export function createEventPipe<T>(): EventPipe<T> {
  let held: T[] = []
  let ended = false
  let wake = () => {}

  return {
    put(items) {
      if (ended || items.length === 0) return
      held.push(...items)
      wake()
    },
    end() {
      ended = true
      wake()
    },
    async next() {
      if (held.length === 0 && !ended) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      const batch = held
      held = []
      return batch.length === 0 ? null : batch
    },
  }
}
