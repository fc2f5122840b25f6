/** PORT: the names a client may put into `model`, and what stands behind them. */
import type { Model, ModelCapabilities } from './model.ts'

export interface ModelCatalog {
  /** Null when no such model is known; the edge answers that with `model_not_found`. */
  resolve(name: string): Promise<ResolvedModel | null>
  /** The models a client can name, for `GET /v1/models`. Providers that do not answer are left out, never an error. */
  list(): Promise<readonly ModelEntry[]>
  get(id: string): Promise<ModelEntry | null>
}

export type ResolvedModel = {
  /** Ready to use: retry, fallback and emulation already wrapped around the adapter. */
  readonly model: Model
  /** The name the client used, echoed in the Response. */
  readonly name: string
  /** The name the provider knows; goes into `ModelTurn.model`. */
  readonly upstreamModel: string
  readonly provider: string
}

export type ModelEntry = {
  readonly id: string
  /** Seconds since the epoch. */
  readonly created: number
  readonly ownedBy: string
  /** For people, where the provider has one. */
  readonly displayName?: string
  readonly capabilities: ModelCapabilities
}
