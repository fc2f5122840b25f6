/**
 * The configuration as the rest of the program gets it: complete, checked, in its final units.
 *
 * The simple settings follow from the table: `limits.json_body` becomes `limits.jsonBodyBytes`, `server.drain_timeout`
 * becomes `server.drainTimeoutMs`. Providers, models, aliases, projects and keys are given by hand below.
 */
import type { FieldSupport, TurnField } from '../lib/field-support.ts'
import type { Gpu, HostedTool, SANDBOXES, Scope, SEARCH_ENGINES, Support, WebhookEventName } from './entities.ts'
import type { Kind, Unit } from './kinds.ts'
import type { WireApi } from './known-providers.ts'
import type { SETTINGS, SettingPath } from './table.ts'

export type ProviderConfig = {
  readonly name: string
  /** `openai_compatible`, `demo`, `local`, or the name of the known provider it speaks like. */
  readonly type: string
  /** Without a slash at its end. Empty for `demo` and `local`, which have none. */
  readonly apiBase: string
  readonly apiKey: string | null
  readonly headers: Readonly<Record<string, string>>
  /** Milliseconds; of one call, from its start to its last byte. */
  readonly timeoutMs: number
  readonly wireApi: WireApi
  /** Sent as the query parameter `api-version`, which older Azure endpoints want; null: not sent. */
  readonly apiVersion: string | null
  /** Tools of the provider's own that requests may use. */
  readonly hostedTools: readonly HostedTool[]
  /** Deviations that the file switched, as the adapter spells them. */
  readonly quirks: Readonly<Record<string, boolean>>
  /** With `wireApi: 'ai_sdk'` alone: the package that reaches the provider. */
  readonly bridge?: BridgeConfig
  /** The public price list that counts, as `openai`, or `none`; null: the one of its address. */
  readonly priceList: string | null
  /** Where it was found: a file name, or the variable that holds its key. */
  readonly source: string
  /** Of the type `local`, and of no other. */
  readonly local?: LocalConfig
}

/** How models of this machine are run. */
export type LocalConfig = {
  /** Absolute path of the folder of their files. */
  readonly dir: string
  /** Tokens; the model's own window is the bound. */
  readonly contextSize: number
  /** Null: one less than there are cores. */
  readonly threads: number | null
  readonly gpu: Gpu
  readonly idleUnloadMs: number
  /** Models in memory at a time. */
  readonly maxLoaded: number
}

export type BridgeConfig = {
  readonly packageName: string
  /** The package's function that makes the provider; null: the one that is named like it. */
  readonly factory: string | null
  /** The provider's function that makes a model; null: its own choice. */
  readonly method: string | null
  /** The package's own settings, beside key, address and headers. They may hold secrets. */
  readonly options: Readonly<Record<string, unknown>>
}

/** A provider that is named in the file but cannot be used, and why. */
export type DisabledProvider = { readonly name: string; readonly reason: string }

export type ModelConfig = {
  readonly name: string
  readonly deployments: readonly DeploymentConfig[]
  readonly fallbacks: readonly string[]
  /** Tried when a provider refuses for reasons of content. */
  readonly contentPolicyFallbacks: readonly string[]
  /** How single fields of a request fare, by their names in the API. */
  readonly fields: Readonly<Partial<Record<TurnField, FieldSupport>>>
  readonly contextWindow: number | null
  readonly maxOutputTokens: number | null
  /** Null: not said, so the provider is asked or believed. */
  readonly supports: readonly Support[] | null
}

export type DeploymentConfig = {
  readonly provider: string
  /** The name the provider knows. */
  readonly upstreamModel: string
  readonly weight: number
  /** Requests and tokens a minute; null: no limit. */
  readonly rpm: number | null
  readonly tpm: number | null
  /** Null: not said. */
  readonly price: PriceConfig | null
}

/** US dollars per million tokens. */
export type PriceConfig = {
  readonly input: number
  /** Null: as other input. */
  readonly cachedInput: number | null
  /** Null: as other input. */
  readonly cacheWrite: number | null
  readonly output: number
}

export type McpServerConfig =
  | {
      readonly type: 'http'
      readonly url: string
      readonly headers: Readonly<Record<string, string>>
      /** Null: none, or the request's own. */
      readonly authorization: string | null
    }
  | {
      readonly type: 'stdio'
      readonly command: string
      readonly args: readonly string[]
      readonly env: Readonly<Record<string, string>>
    }

export type ProjectConfig = {
  /** Nothing that clients or models say is written to the data directory. */
  readonly zeroRetention: boolean
  /** Of stored responses. */
  readonly retentionMs: number
}

export type PostgresConfig = {
  /** With its password. */
  readonly url: string
  readonly maxConnections: number
  readonly connectTimeoutMs: number
  readonly queryTimeoutMs: number
}

export type SearchEngineConfig = {
  readonly engine: (typeof SEARCH_ENGINES)[number]
  /** Without a slash at its end; null: the engine's own address. */
  readonly url: string | null
  readonly apiKey: string | null
}

export type WebSearchConfig = {
  /** In the order they are asked. Empty: nobody but a provider searches. */
  readonly engines: readonly SearchEngineConfig[]
  /** A model whose provider searches itself has that instead. */
  readonly providerFirst: boolean
  /** Whether robots.txt is heeded. */
  readonly robots: boolean
}

export type CodeInterpreterConfig = {
  readonly sandbox: Exclude<(typeof SANDBOXES)[number], 'auto'>
  /** A model whose provider runs code itself has that instead. */
  readonly providerFirst: boolean
  /** A path, or `pyodide`. Null: whatever there is. */
  readonly python: string | null
  /** Of a worker; not null for `remote`. */
  readonly url: string | null
  /** Not null for `remote`. */
  readonly token: string | null
}
export type ImageGenerationConfig =
  | { readonly engine: 'openai'; readonly url: string; readonly apiKey: string | null; readonly model: string | null }
  | { readonly engine: 'chat'; readonly url: string; readonly apiKey: string | null; readonly model: string }
  | { readonly engine: 'demo' }

/** A key that is not in the store: from the file, or `ANTIPHON_API_KEY`. */
export type KeyConfig = {
  readonly alias: string
  readonly key: string
  /** The id of its project. */
  readonly projectId: string
  readonly scopes: readonly Scope[]
  /** Seconds since the epoch; null: never. */
  readonly expiresAt: number | null
}

export type WebhookConfig = {
  readonly name: string
  readonly url: string
  readonly secret: string
  readonly events: readonly WebhookEventName[]
  readonly projectId: string
}
/** Where the bytes of files are. */
export type FileStorageConfig =
  | { readonly type: 'directory'; readonly path: string }
  | {
      readonly type: 's3'
      readonly endpoint: string
      readonly region: string
      readonly bucket: string
      /** Empty, or with a slash at its end. */
      readonly prefix: string
      readonly pathStyle: boolean
      readonly credentials: {
        readonly accessKeyId: string
        readonly secretAccessKey: string
        readonly sessionToken: string | null
      }
    }

/** Which of the four levels a value came from; `name` is the flag, the variable or the file. */
export type Origin = { readonly level: 'flag' | 'env' | 'file' | 'default'; readonly name: string | null }

export type ResolvedConfig = Omit<SimpleSettings, 'storage' | 'tools'> & {
  readonly webSearch: WebSearchConfig
  readonly codeInterpreter: CodeInterpreterConfig
  /** Null: nobody but the demo model draws here. */
  readonly imageGeneration: ImageGenerationConfig | null
  /** Null: vector stores are searched by words alone. */
  readonly fileSearch: { readonly embeddingModel: string | null; readonly vectorBytes: number }
  readonly storage: {
    readonly dataDir: string
    /** Absolute path of the SQLite database; not used when there is `postgres`. */
    readonly databasePath: string
    /** Absent: SQLite. */
    readonly postgres?: PostgresConfig
  }
  /** Redis or Valkey; null: each replica counts for itself. */
  readonly sharedCache: string | null
  readonly fileStorage: FileStorageConfig
  readonly providers: readonly ProviderConfig[]
  readonly disabledProviders: readonly DisabledProvider[]
  /** Local engines to look for at start: those the file does not name. Empty when discovery is off. */
  readonly engineCandidates: readonly ProviderConfig[]
  /** The provider of pulled models; null when `providers` has one, or another of its name. */
  readonly pulledModels: ProviderConfig | null
  readonly models: readonly ModelConfig[]
  readonly aliases: ReadonlyMap<string, string>
  /** By id; only those with settings of their own. */
  readonly projects: ReadonlyMap<string, ProjectConfig>
  readonly keys: readonly KeyConfig[]
  readonly mcp: {
    readonly enabled: boolean
    /** By the name that requests use as `connector_id`. */
    readonly servers: ReadonlyMap<string, McpServerConfig>
  }
  readonly webhooks: readonly WebhookConfig[]
  /** False only by `--no-auth`, which only loopback allows. */
  readonly authEnabled: boolean
  /** The file that was read; null when there is none. */
  readonly file: string | null
  readonly origins: ReadonlyMap<SettingPath, Origin>
}

type Compound = 'providers' | 'models' | 'aliases' | 'projects' | 'keys' | 'webhooks' | 'tools.mcp.servers'
type Simple = Omit<typeof SETTINGS, Compound>
export type SimpleSettings = Nested<Simple>

type Camel<S extends string> = S extends `${infer H}_${infer T}` ? `${H}${Capitalize<Camel<T>>}` : S
type Suffix<U extends Unit> = U extends 'ms' ? 'Ms' : U extends 'bytes' ? 'Bytes' : ''
type Head<P extends string> = P extends `${infer H}.${string}` ? H : P
type Below<T, H extends string> = { [P in keyof T as P extends `${H}.${infer R}` ? R : never]: T[P] }
type UnitOf<S> = S extends { readonly kind: { readonly unit: infer U extends Unit } }
  ? Unit extends U
    ? null
    : U
  : null
export type ValueOf<S> = S extends { readonly kind: Kind<infer T>; readonly fallback: infer D }
  ? D extends null
    ? T | null
    : T
  : never

/** `{ 'a.b_c': Setting }` as `{ a: { bC: value } }`, the unit at the end of the name. */
type Nested<T> = {
  readonly [H in Head<keyof T & string> as H extends keyof T
    ? `${Camel<H>}${Suffix<UnitOf<T[H]>>}`
    : Camel<H>]: H extends keyof T ? ValueOf<T[H]> : Nested<Below<T, H>>
}
