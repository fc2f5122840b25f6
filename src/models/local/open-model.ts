/** A GGUF file -> a model in memory, with its one context. */
import { availableParallelism } from 'node:os'
import { ModelError } from '../model.ts'
import { readGgufHeader } from './gguf-header.ts'
import {
  type Llama,
  type LlamaChat,
  type LlamaEmbeddingContext,
  type LlamaLibrary,
  type LlamaModel,
  type LlamaSequence,
  loadLlamaLibrary,
} from './llama-library.ts'
import type { PoolModel } from './model-pool.ts'
import type { LocalSettings } from './settings.ts'

export interface OpenModel extends PoolModel {
  readonly llama: Llama
  readonly model: LlamaModel
  readonly contextSize: number
  /** Opened when it is first used: a model of embeddings needs none. */
  chat(signal: AbortSignal): Promise<OpenChat>
  /** Of one text or its tokens. One at a time. */
  embed(input: string | readonly number[], signal: AbortSignal): Promise<readonly number[]>
}

export type OpenChat = { readonly chat: LlamaChat; readonly sequence: LlamaSequence }

export interface LlamaRuntime {
  /** Throws `ModelError` when the library is missing or the file cannot be loaded. */
  open(path: string, signal: AbortSignal): Promise<OpenModel>
  close(): Promise<void>
}

/** `load`: a test may bring the library from elsewhere. */
export function createLlamaRuntime(settings: LocalSettings, load?: () => Promise<unknown>): LlamaRuntime {
  // As many threads as there are cores starve the event loop and each other: 17 s for what one thread does in 22 ms.
  const threads = settings.threads ?? Math.max(1, availableParallelism() - 1)
  let started: Promise<{ library: LlamaLibrary; llama: Llama }> | null = null

  const start = async () => {
    const library = await loadLlamaLibrary(load)
    const llama = await library.getLlama({
      gpu: settings.gpu,
      build: 'never',
      skipDownload: true,
      maxThreads: threads,
      logLevel: 'disabled',
      progressLogs: false,
    })
    return { library, llama }
  }
  return {
    async open(modelPath, loadSignal) {
      started ??= start()
      // A failure is for those who wait for it: the library may be installed a moment later.
      const { library, llama } = await started.catch((error: unknown) => {
        started = null
        throw error instanceof ModelError ? error : cannotLoad(error)
      })
      // The library itself may wait for ever on what is no model.
      await readGgufHeader(modelPath).catch((error: unknown) => {
        throw cannotLoad(error)
      })
      const model = await llama.loadModel({ modelPath, loadSignal }).catch((error: unknown) => {
        throw cannotLoad(error)
      })
      return openModel({ library, llama, model, threads, settings })
    },
    async close() {
      const { llama } = (await started?.catch(() => null)) ?? {}
      await llama?.dispose()
    },
  }
}

type Parts = {
  readonly library: LlamaLibrary
  readonly llama: Llama
  readonly model: LlamaModel
  readonly threads: number
  readonly settings: LocalSettings
}

function openModel({ library, llama, model, threads, settings }: Parts): OpenModel {
  const contextSize = Math.min(settings.contextSize, model.trainContextSize)
  let chat: Promise<OpenChat> | null = null
  let embedding: Promise<LlamaEmbeddingContext> | null = null
  const openChat = async (createSignal: AbortSignal): Promise<OpenChat> => {
    const context = await model.createContext({ contextSize, sequences: 1, threads, createSignal })
    const sequence = context.getSequence()
    return { sequence, chat: new library.LlamaChat({ contextSequence: sequence }) }
  }
  return {
    llama,
    model,
    contextSize,
    chat(signal) {
      chat ??= openChat(signal).catch((error: unknown) => {
        chat = null
        throw signal.aborted ? error : cannotLoad(error)
      })
      return chat
    },
    async embed(input, createSignal) {
      embedding ??= model.createEmbeddingContext({ contextSize, threads, createSignal }).catch((error: unknown) => {
        embedding = null
        throw createSignal.aborted ? error : cannotLoad(error)
      })
      return (await (await embedding).getEmbeddingFor(input)).vector
    },
    close: () => model.dispose(),
  }
}

/** The library's own words name the file and the memory, and go to the log alone. */
const cannotLoad = (cause: unknown) =>
  new ModelError(
    'unavailable',
    'The local model could not be loaded: its file is damaged or of an unknown kind, or memory does not suffice.',
    { status: 503, cause },
  )
