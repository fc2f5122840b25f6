/** The file's providers, completed with what is known of their names, and those whose keys the environment holds. */
import type { HostedTool, providers as providersKind } from './entities.ts'
import type { Read, ReadContext } from './kinds.ts'
import {
  BRIDGED,
  DEMO,
  findProvider,
  GENERIC,
  type KnownProvider,
  LOCAL,
  type ProviderCatalog,
  typesOf,
  type WireApi,
} from './known-providers.ts'
import { baseUrlOf, leadsToSelf } from './provider-address.ts'
import { hasLocalFields, localConfig, localProvider } from './resolve-local.ts'
import type { BridgeConfig, DisabledProvider, ProviderConfig } from './resolved-config.ts'
import { wholeSource } from './source-node.ts'
import { didYouMean } from './suggest.ts'

type Env = Readonly<Record<string, string | undefined>>
type Written = Read<ReturnType<typeof providersKind>>
type WrittenProvider = Written extends ReadonlyMap<string, infer T> ? T : never

export type ProviderOptions = {
  readonly env: Env
  readonly catalog: ProviderCatalog
  readonly discover: boolean
  readonly timeoutMs: number
  /** Where local models lie unless the file says otherwise; absolute. */
  readonly modelsDir: string
  /** Where this server listens. */
  readonly own: { readonly host: string; readonly port: number }
}

export type ProviderResult = {
  readonly providers: readonly ProviderConfig[]
  readonly disabled: readonly DisabledProvider[]
  /** Local engines that the file does not name; they may or may not run. */
  readonly engines: readonly ProviderConfig[]
  /** Whether those are to be looked for. */
  readonly discovered: boolean
  /** Of pulled models; null when the file names one itself, or has another use for its name. */
  readonly pulled: ProviderConfig | null
}

export function resolveProviders(
  written: Written | null,
  options: ProviderOptions,
  context: ReadContext,
): ProviderResult {
  const providers: ProviderConfig[] = []
  const disabled: DisabledProvider[] = []
  for (const [name, provider] of written ?? []) {
    const result = resolveOne(name, provider, options, context)
    if (result === null) continue
    if ('reason' in result) disabled.push(result)
    else providers.push(result)
  }
  const unnamed = options.catalog.known.filter(({ name }) => !written?.has(name))
  // One that needs a package is used when the file says so: a key in the environment is no wish to install something.
  const hosted = unnamed.filter((known) => known.packageName === undefined && isHeld(known, options, context))
  return {
    providers: options.discover ? [...providers, ...hosted.map((known) => fromEnvironment(known, options))] : providers,
    disabled,
    engines: unnamed.filter(({ local }) => local).map((known) => fromEnvironment(known, options)),
    discovered: options.discover,
    pulled: hasLocal(written, providers) ? null : localProvider(options),
  }
}

/** Pulled models need no word in the file, unless it has another use for their name. */
const hasLocal = (written: Written | null, providers: readonly ProviderConfig[]) =>
  written?.has(LOCAL) === true || providers.some(({ type }) => type === LOCAL)

/** A hosted provider counts when the environment holds its key, or the address of a server of one's own. */
function isHeld(known: KnownProvider, { env, own }: ProviderOptions, context: ReadContext): boolean {
  if (known.local || firstSet([...known.envKeys, ...known.envBaseUrls], env) === null) return false
  if (known.ownAddress && firstSet(known.envBaseUrls, env) === null) return false
  if (!leadsToSelf(known, env, own)) return true
  const variable = firstSet(known.envBaseUrls, env) ?? ''
  context.warn(wholeSource(variable), `${variable} is the address of this server itself; ${known.name} is not used`)
  return false
}

function resolveOne(
  name: string,
  written: WrittenProvider,
  options: ProviderOptions,
  context: ReadContext,
): ProviderConfig | DisabledProvider | null {
  const type = typeOf(name, written, options.catalog, context)
  if (type === null) return null
  const known = findProvider(options.catalog, type)
  const isBridged = type === BRIDGED || known?.packageName !== undefined
  const wireApi = written.wire_api ?? (isBridged ? 'ai_sdk' : wireApiAt(written.api_base, known, options.env))
  const bridge = wireApi === 'ai_sdk' ? bridgeOf(name, written, known, context) : null
  if (wireApi === 'ai_sdk' && bridge === null) return null
  if (bridge === null) reportStrayBridge(name, written, context)
  const apiBase = written.api_base ?? (known === null || bridge ? null : addressOf(known, wireApi, options.env))
  if (type !== LOCAL && hasLocalFields(written)) {
    context.error(
      written.place,
      `"dir", "context_size", "threads", "gpu", "idle_unload" and "max_loaded" need type: local`,
    )
  }
  if (apiBase === null && bridge === null && type !== DEMO && type !== LOCAL) {
    context.error(written.place, `the provider "${name}" lacks "api_base"`)
    return null
  }
  const variable = firstSet(known?.envKeys ?? [], options.env)
  const apiKey = written.api_key ?? (variable === null ? null : (options.env[variable] ?? null))
  if (apiKey === null && known?.local === false && written.api_base === null && bridge === null) {
    const reason = `no key: set ${known.envKeys[0]}`
    context.warn(written.place, `the provider "${name}" is switched off: ${reason}`)
    return { name, reason }
  }
  return {
    name,
    type,
    apiBase: apiBase ?? '',
    apiKey,
    headers: Object.fromEntries(written.headers ?? []),
    timeoutMs: written.timeout ?? options.timeoutMs,
    wireApi,
    apiVersion: written.api_version ?? null,
    hostedTools: hostedToolsOf(written, wireApi, context),
    quirks: quirksOf(written, options.catalog, context),
    priceList: written.price_list,
    source: written.place.source,
    ...(bridge && { bridge }),
    ...(type === LOCAL && { local: localConfig(written, options.modelsDir) }),
  }
}

/** Null: no package was named, and that was reported. */
function bridgeOf(
  name: string,
  written: WrittenProvider,
  known: KnownProvider | null,
  context: ReadContext,
): BridgeConfig | null {
  const packageName = written.package ?? known?.packageName ?? null
  if (packageName === null) {
    context.error(written.place, `the provider "${name}" lacks "package", as @ai-sdk/cohere`)
    return null
  }
  const { factory, method, region } = written
  const options = { ...(region === null ? {} : { region }), ...Object.fromEntries(written.options ?? []) }
  return { packageName, factory, method, options }
}

const OF_BRIDGES = ['package', 'factory', 'method', 'region', 'options'] as const

function reportStrayBridge(name: string, written: WrittenProvider, context: ReadContext): void {
  for (const key of OF_BRIDGES.filter((it) => written[it] !== null)) {
    context.error(written.place, `"${key}" of the provider "${name}" is for packages: it needs type: ${BRIDGED}`)
  }
}

/** As written, else the name itself when it is a known one, else generic when there is an address. */
function typeOf(name: string, written: WrittenProvider, catalog: ProviderCatalog, context: ReadContext): string | null {
  const types = typesOf(catalog)
  if (written.type === null) {
    if (types.includes(name)) return name
    if (written.package !== null) return BRIDGED
    if (written.api_base !== null) return GENERIC
    context.error(written.place, `the provider "${name}" lacks "type" and "api_base", and its name is not a known one`)
    return null
  }
  const { value, place } = written.type
  if (types.includes(value)) return value
  context.error(place, `expected one of ${types.join(', ')}, not "${value}"${didYouMean(value, types)}`)
  return null
}

function quirksOf(written: WrittenProvider, { quirks }: ProviderCatalog, context: ReadContext) {
  const entries = [...(written.quirks ?? [])].map(([key, { value, place }]) => {
    const name = quirks.find((it) => toSnakeCase(it) === key)
    if (name === undefined) context.error(place, `unknown quirk "${key}"${didYouMean(key, quirks.map(toSnakeCase))}`)
    return [name ?? key, value] as const
  })
  return Object.fromEntries(entries)
}

/** Only the Responses API has such tools. */
function hostedToolsOf(written: WrittenProvider, wireApi: WireApi, context: ReadContext): readonly HostedTool[] {
  const tools = written.hosted_tools ?? []
  if (tools.length > 0 && wireApi !== 'responses')
    context.error(written.place, `"hosted_tools" needs wire_api: responses; this provider is spoken to in "${wireApi}"`)
  return tools
}

const toSnakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const firstSet = (names: readonly string[], env: Env): string | null => names.find((name) => env[name]?.trim()) ?? null

function fromEnvironment(known: KnownProvider, { env, timeoutMs }: ProviderOptions): ProviderConfig {
  const variable = firstSet(known.envKeys, env)
  const apiBase = baseUrlOf(known, env)
  return {
    name: known.name,
    type: known.name,
    apiBase,
    apiKey: variable === null ? null : (env[variable]?.trim() ?? null),
    headers: {},
    timeoutMs,
    wireApi: wireApiAt(apiBase, known, env),
    apiVersion: null,
    hostedTools: [],
    quirks: {},
    priceList: null,
    source: variable ?? firstSet(known.envBaseUrls, env) ?? hostOf(known.baseUrl),
  }
}

/** What a provider is spoken to in when nobody says: its own API at its own address, elsewhere what others offer. */
function wireApiAt(address: string | null, known: KnownProvider | null, env: Env): WireApi {
  if (known === null) return 'chat'
  const isMoved = (address ?? baseUrlOf(known, env)) !== known.baseUrl
  return isMoved ? (known.movedWireApi ?? known.wireApi) : known.wireApi
}

/** Chat Completions may be offered elsewhere than what a provider speaks by itself; null: nobody said where it is. */
function addressOf(known: KnownProvider, wireApi: WireApi, env: Env): string | null {
  if (known.ownAddress && firstSet(known.envBaseUrls, env) === null) return null
  if (wireApi !== 'chat' || known.chatBaseUrl === undefined || firstSet(known.envBaseUrls, env) !== null) {
    return baseUrlOf(known, env)
  }
  return known.chatBaseUrl
}

const hostOf = (url: string) => URL.parse(url)?.host ?? url
