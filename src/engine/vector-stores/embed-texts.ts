/** Texts to vectors by the embedding model of the configuration, with their calls in the ledger like all others. */
import type { Principal } from '../../auth/principal.ts'
import type { EmbedderCatalog } from '../../models/embedder.ts'
import type { Engine } from '../engine.ts'

export interface TextEmbedder {
  /** The name of the model; it stands beside the vectors, so that others are never compared with them. */
  readonly model: string
  /** One vector for each text, in their order. Throws `ApiError`. */
  embed(texts: readonly string[], of: EmbedFor): Promise<EmbeddedTexts>
}

/** Who it is for. */
export type EmbedFor = {
  readonly projectId: string
  readonly keyId: string
  readonly requestId: string
  readonly signal: AbortSignal
}

export type EmbeddedTexts = { readonly model: string; readonly vectors: readonly (readonly number[])[] }

/** Of a token; models that take less than a chunk see its beginning. */
const CHARS_PER_TOKEN = 3

type Deps = { readonly embedders: EmbedderCatalog; readonly createEmbeddings: Engine['createEmbeddings'] }

export function createTextEmbedder(model: string, deps: Deps): TextEmbedder {
  return {
    model,
    async embed(texts, { projectId, keyId, requestId, signal }) {
      const principal: Principal = { projectId, keyId, scopes: new Set() }
      const maxTokens = (await deps.embedders.resolve(model))?.embedder.limits.maxInputTokens ?? null
      const inputs = texts.map((text) => shorten(text, maxTokens))
      const request = { model, inputs, dimensions: null, encoding: 'float', user: null } as const
      const { vectors } = await deps.createEmbeddings(request, { principal, requestId, signal })
      return { model, vectors }
    },
  }
}

const shorten = (text: string, maxTokens: number | null): string =>
  (maxTokens === null ? text : text.slice(0, maxTokens * CHARS_PER_TOKEN)).toWellFormed()
