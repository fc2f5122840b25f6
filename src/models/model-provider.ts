/** What the registry is made of: providers as factories, and the names an operator gave. Plain data from the config. */
import type { MinuteLimits } from './deployment-limits.ts'
import type { Embedder } from './embedder.ts'
import type { FieldTable, Model } from './model.ts'
import type { ModelInfo } from './model-info.ts'
import type { ListedModel } from './read-model-list.ts'

export type ModelProvider = {
  /** As in `provider/model`; without a slash. */
  readonly name: string
  /** Shown as `owned_by` where the provider itself names nobody. */
  readonly ownedBy: string
  /** The list is complete: a name that is not on it does not exist. */
  readonly exactList?: boolean
  /** Its models go by `provider/model` alone, never by their bare name. */
  readonly prefixed?: boolean
  /** Cheap and without I/O: it is called for every listed model, to learn its capabilities. */
  open(upstreamModel: string, info: ModelInfo): Model
  /** May reject. `maxAgeMs`: how old the answer may be (see `createModelLister`). */
  listModels(maxAgeMs?: number): Promise<readonly ListedModel[]>
  /** Null for a model that makes no embeddings. Absent: the provider has none. As cheap as `open`. */
  openEmbedder?(upstreamModel: string): Embedder | null
  /** May reject. */
  listEmbedders?(): Promise<readonly ListedModel[]>
}

export type DeploymentRoute = Partial<MinuteLimits> & {
  readonly provider: string
  readonly upstreamModel: string
  /** Above 0. */
  readonly weight: number
}

/** A public name of the configuration. */
export type ModelRoute = {
  readonly name: string
  readonly deployments: readonly DeploymentRoute[]
  /** Other names, tried in order when all deployments failed. Their own fallbacks do not count. */
  readonly fallbacks: readonly string[]
  /** Other names, tried in order when a provider refused for reasons of content; by default none. */
  readonly contentPolicyFallbacks?: readonly string[]
  /** How single fields fare, where the operator knows better. */
  readonly fields?: FieldTable
  /** What the operator says about it; stands above all else. */
  readonly info: ModelInfo
}

/** One place a turn may go to. */
export type Target = DeploymentRoute &
  MinuteLimits & {
    readonly info: ModelInfo
    readonly fields: FieldTable
    /** The name and place it is configured at, to which its limits belong. */
    readonly id: string
  }

/** Where a name leads. */
export type Tiers = {
  /** What the name stands for; never empty. */
  readonly primary: readonly [Target, ...(readonly Target[])]
  /** In the order to try them. */
  readonly fallbacks: readonly (readonly Target[])[]
  readonly contentPolicy: readonly (readonly Target[])[]
}
