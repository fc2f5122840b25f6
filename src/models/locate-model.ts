/**
 * Name -> where it leads. In order: a model of the configuration; an alias, and what that leads to; `provider/model`,
 * where everything behind the first slash is the provider's name of it; an id that a provider lists, the first
 * provider in the configured order; and an id nobody lists when exactly one provider could not be asked.
 */
import type { ModelProvider, ModelRoute, Target, Tiers } from './model-provider.ts'

/** Lists at most this old decide that a name is unknown: a model may have been pulled a moment ago. */
const MISS_MAX_AGE_MS = 10_000

export type NameTables = {
  readonly providers: ReadonlyMap<string, ModelProvider>
  readonly routes: ReadonlyMap<string, ModelRoute>
  readonly aliases: ReadonlyMap<string, string>
}

/** Null: no such name. Never rejects because a provider is down. */
export async function locateModel(name: string, tables: NameTables): Promise<Tiers | null> {
  const target = followAliases(name, tables.aliases)
  const route = tables.routes.get(target)
  if (route === undefined) {
    const found = await locateUpstream(target, tables)
    return found === null ? null : { primary: [found], fallbacks: [], contentPolicy: [] }
  }
  const [first, ...others] = primariesOf(route)
  if (first === undefined) return null
  return {
    primary: [first, ...others],
    fallbacks: await locateAll(route.fallbacks, tables),
    contentPolicy: await locateAll(route.contentPolicyFallbacks ?? [], tables),
  }
}

async function locateAll(names: readonly string[], tables: NameTables): Promise<readonly (readonly Target[])[]> {
  const located = await Promise.all(names.map((name) => locatePrimaries(name, tables)))
  return located.filter((tier) => tier.length > 0)
}

/** The targets of a name without its fallbacks; empty when there is no such name. */
async function locatePrimaries(name: string, tables: NameTables): Promise<readonly Target[]> {
  const target = followAliases(name, tables.aliases)
  const route = tables.routes.get(target)
  if (route !== undefined) return primariesOf(route)
  const found = await locateUpstream(target, tables)
  return found === null ? [] : [found]
}

const primariesOf = (route: ModelRoute): readonly Target[] =>
  route.deployments.map((deployment, index) => ({
    ...deployment,
    rpm: deployment.rpm ?? null,
    tpm: deployment.tpm ?? null,
    info: route.info,
    fields: route.fields ?? {},
    id: `${route.name}#${index}`,
  }))

/** Ends, because the registry refuses aliases that lead back to themselves. */
export function followAliases(name: string, aliases: ReadonlyMap<string, string>): string {
  let target = name
  for (let next = aliases.get(target); next !== undefined; next = aliases.get(target)) target = next
  return target
}

async function locateUpstream(name: string, tables: NameTables): Promise<Target | null> {
  const prefixed = splitProvider(name, tables.providers)
  if (prefixed === null)
    return locateBare(
      name,
      [...tables.providers.values()].filter((it) => it.prefixed !== true),
    )
  const { provider, upstreamModel } = prefixed
  if (!provider.exactList) return toTarget(provider.name, upstreamModel)
  const listed = await listedId(provider, upstreamModel)
  return typeof listed === 'string' ? toTarget(provider.name, listed) : null
}

export function splitProvider(
  name: string,
  providers: ReadonlyMap<string, ModelProvider>,
): { readonly provider: ModelProvider; readonly upstreamModel: string } | null {
  const slash = name.indexOf('/')
  const provider = slash === -1 ? undefined : providers.get(name.slice(0, slash))
  const upstreamModel = name.slice(slash + 1)
  return provider === undefined || upstreamModel === '' ? null : { provider, upstreamModel }
}

async function locateBare(name: string, providers: readonly ModelProvider[]): Promise<Target | null> {
  const remembered = await firstListing(name, providers)
  if (remembered.target !== null) return remembered.target
  const fresh = await firstListing(name, providers, MISS_MAX_AGE_MS)
  if (fresh.target !== null) return fresh.target
  const [only, ...others] = fresh.silent
  return only === undefined || others.length > 0 ? null : toTarget(only, name)
}

/** Asks all at once and takes the answers in order. `silent`: the providers that could not be asked. */
async function firstListing(name: string, providers: readonly ModelProvider[], maxAgeMs?: number) {
  const asked = providers.map((provider) => ({ provider, answer: listedId(provider, name, maxAgeMs) }))
  const silent: string[] = []
  for (const { provider, answer } of asked) {
    const id = await answer
    if (typeof id === 'string') return { target: toTarget(provider.name, id), silent }
    if (id === undefined) silent.push(provider.name)
  }
  return { target: null, silent }
}

/** The id under which a provider lists a name; null when it does not, undefined when it could not be asked. */
async function listedId(provider: ModelProvider, name: string, maxAgeMs?: number): Promise<string | null | undefined> {
  try {
    const rows = await provider.listModels(maxAgeMs)
    return findListed(rows, name)?.id ?? null
  } catch {
    return undefined
  }
}

/** Ollama lists `llama3.2:latest` and takes `llama3.2`. */
export const findListed = <Row extends { readonly id: string }>(rows: readonly Row[], name: string): Row | undefined =>
  rows.find(({ id }) => id === name) ?? rows.find(({ id }) => id === `${name}:latest`)

const toTarget = (provider: string, upstreamModel: string): Target => ({
  provider,
  upstreamModel,
  weight: 1,
  rpm: null,
  tpm: null,
  info: {},
  fields: {},
  id: `${provider}/${upstreamModel}`,
})
