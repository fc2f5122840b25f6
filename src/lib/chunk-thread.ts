/** The thread of `text-chunker.ts`: texts in, ranges out. The tokenizer is loaded with the first. */
import { parentPort } from 'node:worker_threads'
import { type ChunkSizes, chunkText } from './chunk-text.ts'
import { loadTokenizer } from './tokenizer.ts'

parentPort?.on('message', async ({ text, sizes }: { text: string; sizes: ChunkSizes }) => {
  try {
    const { pieces } = await loadTokenizer()
    parentPort?.postMessage({ value: chunkText(pieces(text), sizes) })
  } catch (error) {
    parentPort?.postMessage({ error: String(error) })
  }
})
