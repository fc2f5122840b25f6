import type { ChainLimits } from '../store/store.ts'
import type { UnsupportedPolicy } from './unsupported.ts'

export type ProjectRetention = {
  /** Keeps nothing that is said in it. */
  readonly zero: boolean
  /** How long a stored response is kept; null: for ever. */
  readonly responseTtlSeconds: number | null
}

/** What files may take. */
export type FileSettings = {
  /** Of one file that is sent whole, of one upload, and of one of its parts. */
  readonly fileBytes: number
  readonly uploadBytes: number
  readonly partBytes: number
  /** Of one project: files and pending parts together. */
  readonly projectBytes: number
  readonly projectFiles: number
  readonly projectUploads: number
  /** How long a file is kept when its request does not say; null: until it is deleted. */
  readonly ttlSeconds: number | null
}

/** The engine's slice of the configuration. */
export type EngineSettings = {
  /** For requests without `model`; null makes `model` a required parameter. */
  readonly defaultModel: string | null
  readonly storeByDefault: boolean
  readonly truncationByDefault: 'auto' | 'disabled'
  /** Null: as the provider has it. */
  readonly maxOutputTokensByDefault: number | null
  /** Calls of hosted tools in one response. */
  readonly maxToolCallsByDefault: number
  /** Those of one turn that may run at the same time. */
  readonly toolCallsAtOnce: number
  /** Pages of documents that a model is shown as pictures in one turn. */
  readonly maxPageImages: number
  readonly unsupportedParams: UnsupportedPolicy
  /** How long a stored response is kept; null: for ever. */
  readonly responseTtlSeconds: number | null
  /** By id: projects with a retention of their own. */
  readonly projects: ReadonlyMap<string, ProjectRetention>
  readonly chainLimits: ChainLimits
  readonly background: {
    /** Of one project, that wait. */
    readonly maxQueued: number
    /** How long the events of a response are kept after its end. */
    readonly logTtlSeconds: number
  }
  /** A response that takes longer ends as failed. */
  readonly wallClockMs: number
  readonly files: FileSettings
}
