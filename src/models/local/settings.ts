/** How local models run, in final units. */
import type { LlamaGpu } from './llama-library.ts'

export type LocalSettings = {
  /** The folder of the GGUF files. */
  readonly dir: string
  /** Tokens; the model's own window is the bound. */
  readonly contextSize: number
  /** Threads of inference; null: one less than there are cores, at least one. */
  readonly threads: number | null
  readonly gpu: LlamaGpu
  readonly idleUnloadMs: number
  /** Models in memory at a time. */
  readonly maxLoaded: number
}
