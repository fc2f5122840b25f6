/** What the command line needs of the composition root, and what it tells a person about a started server. */
import type { ResolvedConfig } from '../config/resolved-config.ts'
import type { DeploymentEntry, ModelEntry } from '../models/catalog.ts'
import type { Expired, KeyScope, Store, StoredKey } from '../store/store.ts'

/** The exports of the composition root. Loaded only by the commands that need them, because it loads everything. */
export interface AppModule {
  /** Opens the store, probes engines in parallel, makes the first key when there is none. Does not listen yet. */
  createApp(config: ResolvedConfig): Promise<App>
  /** Opens only what keys need; also while a server runs on the same data directory. */
  openKeys(config: ResolvedConfig): Promise<KeyAdmin>
  /** Makes a new key for sealed content; a server uses it from its next start on. */
  rotateSealing(config: ResolvedConfig): { readonly id: string; readonly kept: number; readonly dropped: number }
  /** `olderMs`: also what was made longer ago; null: only what has expired. Works while a server runs. */
  openPrune(config: ResolvedConfig, options: { readonly olderMs: number | null }): Promise<PruneAdmin>
  /** Null: the configuration has no place for local models. Works while a server runs. */
  openPull(
    config: ResolvedConfig,
    options: { readonly hub: { readonly endpoint: string; readonly token: string | null } },
  ): Promise<PullAdmin | null>
  /** A client of a running server. */
  openFiles(config: ResolvedConfig, server: FileServer): Promise<FileAdmin>
  /** A client of a running server. */
  openVectorStores(config: ResolvedConfig, server: FileServer): Promise<VectorStoreAdmin>
  /** The data as a whole. */
  openBackup(config: ResolvedConfig): Promise<BackupAdmin>
  /**
   * Containers of this machine for servers elsewhere; null without a token. Throws an error with the name
   * `SandboxUnavailable` and a message for the operator when the self-test fails.
   */
  openSandboxWorker(config: ResolvedConfig): Promise<SandboxWorker | null>
  /** The ledger; works while a server runs. */
  openUsage(config: ResolvedConfig): Promise<UsageAdmin>
  /** Asks all providers; needs no store. */
  describeModels(config: ResolvedConfig): Promise<ModelOverview>
  /** Needs no store, and runs beside a server. */
  openModelTester(config: ResolvedConfig): Promise<ModelTester>
}

export interface App extends AsyncDisposable {
  /** Asks every provider for its models, and waits a moment for each; for after `listen`, which need not wait. */
  summarize(): Promise<StartSummary>
  /** Throws with `code: 'EADDRINUSE'` when the port is taken. `url`: scheme, host and port, no slash at its end. */
  listen(): Promise<{ readonly url: string }>
  /** Refuses new work, waits for what runs as long as the configuration allows, then ends it. */
  drain(): Promise<void>
}

/** Keys of the store, for `antiphon keys`. */
export interface KeyAdmin extends AsyncDisposable {
  create(wanted: {
    readonly projectId?: string
    readonly name: string
    readonly scopes: readonly KeyScope[]
    readonly expiresAt: number | null
  }): Promise<{ readonly key: string; readonly stored: StoredKey }>
  list(): Promise<readonly StoredKey[]>
  revoke(id: string): Promise<boolean>
}

export interface PruneAdmin extends AsyncDisposable {
  count(): Promise<Expired>
  /** Answers how many responses were deleted. */
  prune(): Promise<number>
}

export interface BackupAdmin {
  /** Works while a server runs. Never writes over a file. */
  backUp(file: string, options: { readonly withSecrets: boolean }): { readonly bytes: number; readonly schema: number }
  /** `secrets`: the names of those that were in the backup. Needs an empty data directory that no server uses. */
  restore(file: string): { readonly bytes: number; readonly schema: number; readonly secrets: readonly string[] }
  /** All or nothing, into an empty PostgreSQL; no server may run. */
  moveTo(
    url: string,
    options: {
      readonly onProgress: (progress: { phase: 'copy' | 'check'; table: string; done: number; total: number }) => void
    },
  ): Promise<readonly { readonly table: string; readonly rows: number; readonly checksum: string }[]>
}

export interface PullAdmin {
  /** Its models are `provider/name`. */
  readonly provider: string
  /** `source`: as `antiphon pull` takes it. Throws an error with the name `PullFailed` and a message for the operator. */
  pull(
    source: string,
    options: {
      readonly signal: AbortSignal
      /** Bytes of one file; `total`: null where unknown. */
      readonly onProgress: (progress: { file: string; done: number; total: number | null }) => void
    },
  ): Promise<{
    readonly name: string
    /** False: it was there already. */
    readonly isNew: boolean
    readonly files: readonly {
      readonly path: string
      readonly size: number
      readonly sha256: string
      /** False: nobody publishes a checksum of it. */
      readonly checked: boolean
    }[]
  }>
}

export type FileServer = {
  /** Without `/v1`; null: the one of the configuration, on this computer. */
  readonly url: string | null
  /** Null: the first one of the configuration or of the data directory. */
  readonly key: string | null
}

/** Throws `CommandError` with what the server said. */
export interface FileAdmin {
  upload(
    path: string,
    options: { readonly purpose: string; readonly onProgress: (done: number, total: number) => void },
  ): Promise<FileEntry>
  /** Oldest first. */
  list(): AsyncIterable<FileEntry>
  delete(id: string): Promise<void>
}

export type FileEntry = {
  readonly id: string
  readonly filename: string
  readonly bytes: number
  readonly purpose: string
  /** Seconds since the epoch. */
  readonly createdAt: number
  readonly expiresAt: number | null
}

/** Throws `CommandError` with what the server said. */
export interface VectorStoreAdmin {
  /** Answers the id of the new store. */
  create(name: string): Promise<string>
  /** Throws when there is no such store. */
  find(storeId: string): Promise<void>
  /** A file that the server does not take is an answer, so that others can still be sent. */
  upload(path: string, onProgress: (done: number, total: number) => void): Promise<UploadedFile>
  /** Answers the id of their batch. */
  attach(storeId: string, files: readonly AddedFile[]): Promise<string>
  counts(storeId: string, batchId: string): Promise<IngestCounts>
  failures(storeId: string, batchId: string): AsyncIterable<{ readonly fileId: string; readonly reason: string }>
  /** Until it is worth asking for counts again. */
  pause(): Promise<void>
}

export type UploadedFile =
  | { readonly ok: true; readonly fileId: string }
  | { readonly ok: false; readonly reason: string }

/** `path`: within the folder that is added, with slashes. */
export type AddedFile = { readonly fileId: string; readonly path: string }

/** Files of a batch; those that were taken out again count as failed. */
export type IngestCounts = { readonly completed: number; readonly failed: number; readonly total: number }

export interface SandboxWorker extends AsyncDisposable {
  listen(host: string, port: number): Promise<{ readonly url: string }>
}

export type UsageAdmin = AsyncDisposable &
  Pick<Store, 'sumUsage' | 'usageOf'> & {
    /** Since the epoch. */
    nowMs(): number
  }
export interface ModelTester extends AsyncDisposable {
  /** What a name stands for; `null`: everything that is configured. Empty when there is no such name. */
  deployments(name: string | null): Promise<readonly DeploymentEntry[]>
  /** Asks, and keeps what was found when every question could be asked. */
  test(
    deployment: Pick<DeploymentEntry, 'provider' | 'upstreamModel'>,
    options: { readonly signal: AbortSignal; readonly onResult: (result: ProbeLine) => void },
  ): Promise<DeploymentTest>
}

export type ProbeLine = {
  readonly name: string
  /** The request field it tells about. */
  readonly field: string | null
  readonly outcome: 'works' | 'lacking' | 'unclear' | 'refused' | 'failed'
  readonly note: string | null
}
export type DeploymentTest = {
  readonly results: readonly ProbeLine[]
  /** How fields fare from now on. */
  readonly fields: Readonly<Record<string, string>>
  readonly saved: boolean
}

export type ModelOverview = {
  readonly providers: readonly ProviderSummary[]
  readonly models: readonly ModelEntry[]
  /** What a request without `model`, and the example at start, use. Null when there is none. */
  readonly defaultModel: string | null
}

export type ProviderSummary = {
  readonly name: string
  /** `off`: named but not usable, for example without its key. */
  readonly state: 'ready' | 'unreachable' | 'off'
  /** Where it was found: a variable, a file, an address, `built in`. */
  readonly source: string
  /** Null when it was not asked or does not say. */
  readonly modelCount: number | null
  /** A few names of its models. */
  readonly examples: readonly string[]
  /** One more thing to say: why it is off, what to do. */
  readonly note: string | null
}

export type StartSummary = ModelOverview & {
  /** The key that this start has made, to be shown once; null on all later starts. */
  readonly firstKey: string | null
  /** One line each, to be shown at each start. */
  readonly warnings: readonly string[]
}

/**
 * A start or a command that cannot succeed, told to a person as one line without a stack.
 * `exitCode`: see `exit-codes.ts`.
 */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: number

  constructor(message: string, options: { readonly exitCode?: number; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.exitCode = options.exitCode ?? 1
  }
}
