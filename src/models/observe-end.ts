/** Tells once when a stream is over: read to its end, failed, or left by its reader. */
import type { ModelBatch } from './model.ts'

export function observeEnd(stream: AsyncIterable<ModelBatch>, onEnd: () => void): AsyncIterable<ModelBatch> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = stream[Symbol.asyncIterator]()
      return {
        async next() {
          try {
            const step = await iterator.next()
            if (step.done) onEnd()
            return step
          } catch (error) {
            onEnd()
            throw error
          }
        },
        async return() {
          onEnd()
          await iterator.return?.()
          return { done: true, value: undefined }
        },
      }
    },
  }
}
