/** Cuts texts into chunks in a thread of its own: to count the tokens of a book takes as long as many requests. */
import { createCallThread } from './call-thread.ts'
import type { ChunkSizes, TextRange } from './chunk-text.ts'
import { ownModule } from './own-files.ts'

export interface TextChunker {
  /** See `chunkText`. */
  chunk(text: string, sizes: ChunkSizes, signal: AbortSignal): Promise<readonly TextRange[]>
  close(): Promise<void>
}

const MEMORY_MB = 1_024
const MAX_WAITING = 64

const THREAD_FILE = ownModule('chunk-thread', import.meta.url)

export function createTextChunker(): TextChunker {
  const thread = createCallThread({ file: THREAD_FILE, data: {}, maxWaiting: MAX_WAITING, memoryMb: MEMORY_MB })
  return {
    async chunk(text, sizes, signal) {
      const ranges = await thread.call({ text, sizes }, signal)
      if (!Array.isArray(ranges)) throw new TypeError('the thread gave no ranges')
      return ranges.filter(isRange)
    },
    close: () => thread.close(),
  }
}

const isRange = (value: unknown): value is TextRange =>
  typeof value === 'object' && value !== null && 'start' in value && 'end' in value
