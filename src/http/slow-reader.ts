/** What the streaming sinks know of readers that are slow, or silent. */
import type { Writable } from 'node:stream'
import type { Clock } from '../lib/clock.ts'

/** Runs `fn` after `firstMs`, then after as long as it answers. One timer however often the stream writes. */
export function repeat(clock: Clock, firstMs: number, fn: () => number): () => void {
  let cancel = clock.after(firstMs, tick)
  function tick() {
    cancel = clock.after(fn(), tick)
  }
  return () => cancel()
}

/** Waits until the buffer is empty. A reader that lets nothing through for `stallMs` loses its connection. */
export function drained(writable: Writable, clock: Clock, stallMs: number): Promise<void> {
  if (writable.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    let waiting = writable.writableLength
    const stopWatch = repeat(clock, stallMs, () => {
      if (writable.writableLength === waiting) writable.destroy()
      waiting = writable.writableLength
      return stallMs
    })
    const done = () => {
      stopWatch()
      writable.off('drain', done).off('close', done)
      resolve()
    }
    writable.on('drain', done).on('close', done)
  })
}
