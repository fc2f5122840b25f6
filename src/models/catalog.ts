/** PORT: the names a client may put into `model`, and what stands behind them. */
import type { FieldTable, Model, ModelCapabilities, ModelTurn } from './model.ts'

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
  /**
   * Of a model of several deployments: the one this turn should go to, with the others behind it. Throws `ModelError`
   * (`rate_limit`) when all are at their limits. Absent: there is nothing to choose.
   */
  choose?(turn: ModelTurn): Omit<ResolvedModel, 'choose'>
}

export type ModelEntry = {
  readonly id: string
  /** Seconds since the epoch. */
  readonly created: number
  readonly ownedBy: string
  /** For people, where the provider has one. */
  readonly displayName?: string
  readonly capabilities: ModelCapabilities
  /** How every field of a request fares; worked out for one entry, not for a list. */
  readonly fields?: Required<FieldTable>
  /** What a configured name stands for, in the order they are written; the same for one that is not. */
  readonly deployments?: readonly DeploymentEntry[]
}

export type DeploymentEntry = {
  readonly provider: string
  readonly upstreamModel: string
  readonly fields: Required<FieldTable>
  /** When `antiphon models test` asked it, ISO 8601; null: never. */
  readonly testedAt: string | null
}
