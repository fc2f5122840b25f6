/**
 * PORT: a model of embeddings: texts to vectors.
 *
 * The laws, held by `embedder.contract.ts` for every adapter:
 * - One vector for each input, in the order of the inputs; all of one length, every number finite.
 * - The length is the one that was asked for, or the model's own. A model that cannot make it refuses.
 * - Failure is a thrown `ModelError`, and an aborted signal ends the call within a second, by a throw.
 * - Every upstream call is told to the context, before it is made and when it ended, however it ended (law 18).
 */
import type { Usage } from '../protocol/response.ts'
import type { ModelContext } from './model.ts'

export interface Embedder {
  readonly limits: EmbedderLimits
  /** At most `limits.maxInputs` inputs. One upstream call. */
  embed(request: EmbedRequest, context: ModelContext): Promise<Embedded>
}

export type EmbedderLimits = {
  /** The length of a vector where nothing else is asked for; null where unknown. */
  readonly dimensions: number | null
  /** Inputs of one call. */
  readonly maxInputs: number
  /** Tokens of one input; null where unknown. */
  readonly maxInputTokens: number | null
}

/** A text, or the tokens that the model's own tokenizer made of one. */
export type EmbedInput = string | readonly number[]

export type EmbedRequest = {
  /** The name the provider knows. */
  readonly model: string
  readonly inputs: readonly EmbedInput[]
  /** Null: the model's own length. */
  readonly dimensions: number | null
  readonly user: string | null
}

export type Embedded = {
  readonly vectors: readonly (readonly number[])[]
  /** Null when the provider reported none. */
  readonly usage: Usage | null
}

/** The names a client may put into `model` of a request for embeddings. */
export interface EmbedderCatalog {
  /** Null when no such model is known. */
  resolve(name: string): Promise<ResolvedEmbedder | null>
  /** Providers that do not answer are left out, never an error. */
  list(): Promise<readonly EmbedderEntry[]>
}

export type ResolvedEmbedder = {
  /** Ready to use: retries already wrapped around the adapter. */
  readonly embedder: Embedder
  /** The name the client used. */
  readonly name: string
  readonly upstreamModel: string
  readonly provider: string
}

export type EmbedderEntry = {
  readonly id: string
  /** Seconds since the epoch. */
  readonly created: number
  readonly ownedBy: string
  readonly limits: EmbedderLimits
}
