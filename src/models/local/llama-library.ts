/**
 * What is used of `node-llama-cpp`, as types of our own: it is not among our dependencies, because most servers have no
 * use for its native binaries, and its types are not there where it is not installed.
 */
import { ModelError } from '../model.ts'

export const LLAMA_PACKAGE = 'node-llama-cpp'
export const LLAMA_VERSION = '3.22.1'

export type LlamaGpu = 'auto' | 'cuda' | 'vulkan' | 'metal' | false

export interface LlamaLibrary {
  getLlama(options: {
    readonly gpu: LlamaGpu
    /** `never`: what is not shipped in the package is neither fetched nor compiled. */
    readonly build: 'never'
    readonly skipDownload: boolean
    readonly maxThreads: number
    readonly logLevel: 'disabled'
    readonly progressLogs: boolean
  }): Promise<Llama>
  readonly LlamaChat: new (options: { readonly contextSequence: LlamaSequence }) => LlamaChat
}

export interface Llama {
  loadModel(options: { readonly modelPath: string; readonly loadSignal: AbortSignal }): Promise<LlamaModel>
  createGrammarForJsonSchema(schema: object): Promise<LlamaGrammar>
  dispose(): Promise<void>
}

/** Opaque. */
export type LlamaGrammar = object

/** Opaque; only handed back. */
export type LlamaTokenizer = object

export interface LlamaModel {
  readonly tokenizer: LlamaTokenizer
  readonly trainContextSize: number
  readonly embeddingVectorSize: number
  tokenize(text: string): readonly number[]
  createContext(options: LlamaContextOptions): Promise<LlamaContext>
  createEmbeddingContext(options: Omit<LlamaContextOptions, 'sequences'>): Promise<LlamaEmbeddingContext>
  dispose(): Promise<void>
}

export type LlamaContextOptions = {
  readonly contextSize: number
  readonly sequences: number
  readonly threads: number
  readonly createSignal: AbortSignal
}

export interface LlamaContext {
  getSequence(): LlamaSequence
}

export interface LlamaSequence {
  readonly contextSize: number
  readonly tokenMeter: { getState(): LlamaTokenCount }
}

export type LlamaTokenCount = { readonly usedInputTokens: number; readonly usedOutputTokens: number }

export interface LlamaEmbeddingContext {
  getEmbeddingFor(input: string | readonly number[]): Promise<{ readonly vector: readonly number[] }>
}

export interface LlamaChat {
  readonly chatWrapper: LlamaChatWrapper
  generateResponse(history: readonly ChatItem[], options: GenerateOptions): Promise<GenerateResult>
}

/** The chat template of a model. */
export interface LlamaChatWrapper {
  readonly settings: { readonly segments?: { readonly thought?: unknown } }
  generateContextState(options: {
    readonly chatHistory: readonly ChatItem[]
    readonly availableFunctions?: ChatFunctions
    readonly documentFunctionParams?: boolean
  }): { readonly contextText: { tokenize(tokenizer: LlamaTokenizer): readonly number[] } }
}

export type ChatItem =
  | { readonly type: 'system'; readonly text: string }
  | { readonly type: 'user'; readonly text: string }
  | { readonly type: 'model'; readonly response: ChatPart[] }

export type ChatPart =
  | string
  | { readonly type: 'segment'; readonly segmentType: 'thought'; readonly text: string; readonly ended: boolean }
  | ChatCall

export type ChatCall = {
  readonly type: 'functionCall'
  readonly name: string
  readonly params: unknown
  result: unknown
  readonly startsNewChunk: boolean
}

export type ChatFunctions = Readonly<
  Record<string, { readonly description?: string; readonly params?: Readonly<Record<string, unknown>> }>
>

export type TextChunk = {
  /** Absent: the answer itself. */
  readonly segmentType?: 'thought' | 'comment' | undefined
  readonly text: string
  readonly tokens: readonly number[]
}

export type ArgumentsChunk = {
  /** Counts the calls of a reply. */
  readonly callIndex: number
  readonly functionName: string
  readonly paramsChunk: string
  readonly done: boolean
}

export type GenerateOptions = {
  readonly signal: AbortSignal
  readonly maxTokens: number
  readonly temperature: number
  readonly topP: number
  readonly topK: number
  readonly minP: number
  readonly seed: number
  readonly repeatPenalty: false | LlamaPenalties
  readonly customStopTriggers?: readonly string[]
  readonly budgets?: { readonly thoughtTokens: number }
  readonly contextShift: { readonly size: number; readonly strategy: () => never }
  readonly onResponseChunk: (chunk: TextChunk) => void
  readonly grammar?: LlamaGrammar
  readonly functions?: ChatFunctions
  readonly maxParallelFunctionCalls?: number
  readonly onFunctionCallParamsChunk?: (chunk: ArgumentsChunk) => void
}

export type LlamaPenalties = {
  readonly lastTokens: number
  /** 1: none. */
  readonly penalty: number
  readonly frequencyPenalty: number
  readonly presencePenalty: number
}

export type GenerateResult = {
  readonly functionCalls?: readonly { readonly functionName: string; readonly params?: unknown }[]
  readonly metadata: {
    readonly stopReason:
      | 'eogToken'
      | 'stopGenerationTrigger'
      | 'customStopTrigger'
      | 'functionCalls'
      | 'maxTokens'
      | 'abort'
  }
}

/** `load`: a test may bring the library from elsewhere. Throws `ModelError` when it is not there. */
export async function loadLlamaLibrary(load: () => Promise<unknown> = importPackage): Promise<LlamaLibrary> {
  let loaded: unknown
  try {
    loaded = await load()
  } catch (cause) {
    throw missing(`is not installed; run \`npm install ${LLAMA_PACKAGE}@${LLAMA_VERSION}\``, cause)
  }
  if (isLibrary(loaded)) return loaded
  throw missing(`is another version; run \`npm install ${LLAMA_PACKAGE}@${LLAMA_VERSION}\``, null)
}

/** By a name that is not a literal, so that neither the compiler nor a bundler looks for it. */
function importPackage(): Promise<unknown> {
  const name: string = LLAMA_PACKAGE
  return import(name)
}

/** Waiting or asking again helps nobody, so it is not an outage. */
const missing = (what: string, cause: unknown) =>
  new ModelError('invalid_request', `Local models need ${LLAMA_PACKAGE}, which ${what} on the server and restart it.`, {
    param: 'model',
    status: null,
    cause,
  })

const isLibrary = (value: unknown): value is LlamaLibrary =>
  typeof value === 'object' &&
  value !== null &&
  'getLlama' in value &&
  typeof value.getLlama === 'function' &&
  'LlamaChat' in value &&
  typeof value.LlamaChat === 'function'
