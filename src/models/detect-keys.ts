/** Which providers the environment holds a key for. Pure: it looks at names and never hands a key around. */

export type KeyedProvider = {
  readonly name: string
  /** Variables that may hold the key; the first that is set counts. */
  readonly envKeys: readonly string[]
  /** Variables that may hold another base URL. */
  readonly envBaseUrls?: readonly string[]
  /** Found by its port instead (see `detectEngines`). */
  readonly local?: boolean
}

export type FoundProvider = {
  readonly name: string
  /** The variable that holds the key; null where only a base URL is given, which is enough for a server of one's own. */
  readonly envKey: string | null
  /** From the environment; null: the provider's own. */
  readonly baseUrl: string | null
}

export type DetectedKeys = {
  readonly found: readonly FoundProvider[]
  /** Providers without a key, with a hint for people. */
  readonly missing: readonly { readonly name: string; readonly hint: string }[]
  /** Variables that were set but could not be used, one sentence each. */
  readonly warnings: readonly string[]
}

type Environment = Readonly<Record<string, string | undefined>>

/** `ownOrigins`: where this server listens; a base URL there is meant for its clients, and would lead back to itself. */
export function detectKeys(
  env: Environment,
  providers: readonly KeyedProvider[],
  ownOrigins: readonly string[] = [],
): DetectedKeys {
  const warnings: string[] = []
  const found: FoundProvider[] = []
  const missing: { name: string; hint: string }[] = []
  for (const provider of providers) {
    if (provider.local) continue
    const envKey = firstSet(env, provider.envKeys)
    const baseUrl = readBaseUrl(env, provider, ownOrigins, warnings)
    const [wanted] = provider.envKeys
    if (envKey !== null || baseUrl !== null) found.push({ name: provider.name, envKey, baseUrl })
    else if (wanted !== undefined) missing.push({ name: provider.name, hint: `set ${wanted} to use it` })
  }
  return { found, missing, warnings }
}

const firstSet = (env: Environment, names: readonly string[]): string | null =>
  names.find((name) => (env[name] ?? '').trim() !== '') ?? null

function readBaseUrl(
  env: Environment,
  { name, envBaseUrls = [] }: KeyedProvider,
  ownOrigins: readonly string[],
  warnings: string[],
): string | null {
  const variable = firstSet(env, envBaseUrls)
  if (variable === null) return null
  const url = URL.parse((env[variable] ?? '').trim())
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    warnings.push(`${variable} is no http or https address, or holds a user name; ${name} keeps its own address.`)
    return null
  }
  if (ownOrigins.includes(url.origin)) {
    warnings.push(`${variable} is the address of this server itself; ${name} keeps its own address.`)
    return null
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}
