/** The APIs that providers are spoken to in, and a file may choose. */
export const WIRE_APIS = ['chat', 'responses', 'anthropic', 'gemini'] as const
/** `ai_sdk`: whatever the provider's package of the AI SDK speaks; follows from the type. */
export type WireApi = (typeof WIRE_APIS)[number] | 'ai_sdk'

/**
 * What the configuration needs to know of the providers there are. The list itself belongs to the adapters and is
 * handed in, because the configuration may not import them.
 */
export type KnownProvider = {
  /** As in `provider/model`. */
  readonly name: string
  /** Up to and including the version segment. */
  readonly baseUrl: string
  /** Every customer has an address of their own: it must be given, and `baseUrl` only shows its form. */
  readonly ownAddress?: boolean
  /** How it is spoken to, unless the file says otherwise. */
  readonly wireApi: WireApi
  /** How it is spoken to anywhere but at `baseUrl`: what copies an API rarely copies all of it. */
  readonly movedWireApi?: WireApi
  /** Where it also offers Chat Completions, when that is elsewhere. */
  readonly chatBaseUrl?: string
  /** Environment variables that may hold the key, the first that is set counts. */
  readonly envKeys: readonly string[]
  /** Environment variables that may move `baseUrl`. */
  readonly envBaseUrls: readonly string[]
  /** Runs on the user's own machine: needs no key, is found by its port. */
  readonly local: boolean
  /** Reached through this package, which the operator installs; it knows the address and may find its own key. */
  readonly packageName?: string
}

export type ProviderCatalog = {
  readonly known: readonly KnownProvider[]
  /** Names of the deviations that a file may switch, as the adapter spells them. */
  readonly quirks: readonly string[]
}

/** `quirks`: the adapter's defaults; a file may switch those that are true or false. */
export const createProviderCatalog = (
  known: readonly KnownProvider[],
  quirks: Readonly<Record<string, unknown>>,
): ProviderCatalog => ({
  known,
  quirks: Object.keys(quirks).filter((name) => typeof quirks[name] === 'boolean'),
})

/** Built in, deterministic, without an address. */
export const DEMO = 'demo'
/** Models of this machine, run in this process; without an address. */
export const LOCAL = 'local'
/** Any endpoint of the Chat Completions kind that is no known provider. */
export const GENERIC = 'openai_compatible'
/** Any provider that a package of the AI SDK reaches. */
export const BRIDGED = 'ai_sdk'

export const findProvider = ({ known }: ProviderCatalog, name: string): KnownProvider | null =>
  known.find((it) => it.name === name) ?? null

/** Values of `type`. */
export const typesOf = ({ known }: ProviderCatalog): readonly string[] => [
  GENERIC,
  BRIDGED,
  DEMO,
  LOCAL,
  ...known.map(({ name }) => name),
]
