/**
 * The catalog of models of embeddings. A name is looked up as one of a model that answers prompts is: configured names,
 * aliases, `provider/model`, and what the providers list.
 */
import { type Clock, seconds } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { createLruMap } from '../lib/lru-map.ts'
import type { EmbedderCatalog, EmbedderEntry, ResolvedEmbedder } from './embedder.ts'
import { findListed, followAliases, splitProvider } from './locate-model.ts'
import { isEmbeddingModel } from './model-info.ts'
import type { DeploymentRoute, ModelProvider, ModelRoute } from './model-provider.ts'
import { createRetryBudget } from './retry-budget.ts'
import { type EmbedTarget, retryingEmbedder } from './retrying-embedder.ts'
import { MAX_ATTEMPTS } from './retrying-model.ts'

export type EmbedderRegistryOptions = {
  /** In order of preference. */
  readonly providers: readonly ModelProvider[]
  readonly models: readonly ModelRoute[]
  readonly aliases: ReadonlyMap<string, string>
  readonly maxAttempts?: number
  readonly clock: Clock
  readonly ids: Ids
}

/** Names that are kept ready. */
const MAX_RESOLVED = 1000
const FRESH_MS = 60_000

export function createEmbedderRegistry(options: EmbedderRegistryOptions): EmbedderCatalog {
  const { clock, ids, aliases, maxAttempts = MAX_ATTEMPTS } = options
  const providers = new Map(options.providers.map((provider) => [provider.name, provider]))
  const routes = new Map(options.models.map((route) => [route.name, route]))
  const retries = { clock, ids, budget: createRetryBudget({ clock }), maxAttempts }
  const ready = createLruMap<string, { readonly resolved: ResolvedEmbedder; readonly until: number }>(MAX_RESOLVED)
  const createdAt = seconds(clock)

  const open = (name: string, places: readonly Place[]): ResolvedEmbedder | null => {
    const [place] = places
    const [first, ...others] = places.flatMap(({ provider, upstreamModel }): EmbedTarget[] => {
      const embedder = providers.get(provider)?.openEmbedder?.(upstreamModel)
      return embedder ? [{ embedder, upstreamModel }] : []
    })
    if (place === undefined || first === undefined) return null
    return { embedder: retryingEmbedder([first, ...others], retries), name, ...place }
  }
  const locate = async (name: string): Promise<readonly Place[]> => {
    const target = followAliases(name, aliases)
    const route = routes.get(target)
    if (route !== undefined) return route.deployments.map(toPlace)
    const prefixed = splitProvider(target, providers)
    if (prefixed !== null) return [{ provider: prefixed.provider.name, upstreamModel: prefixed.upstreamModel }]
    for (const provider of options.providers) {
      const listed = findListed(await embeddingRows(provider), target)
      if (listed !== undefined) return [{ provider: provider.name, upstreamModel: listed.id }]
    }
    return []
  }
  return {
    async resolve(name) {
      const known = ready.get(name)
      if (known !== undefined && clock.monotonic() < known.until) return known.resolved
      const resolved = open(name, await locate(name))
      if (resolved !== null) ready.set(name, { resolved, until: clock.monotonic() + FRESH_MS })
      return resolved
    },
    async list() {
      const listed = await Promise.all(options.providers.map((provider) => entriesOf(provider, createdAt)))
      const rows = listed.flat()
      const isTaken = (id: string) =>
        routes.has(id) || aliases.has(id) || rows.filter((row) => row.id === id).length > 1
      const shown = rows.map(({ provider, ...entry }) => ({
        ...entry,
        id: isTaken(entry.id) ? `${provider}/${entry.id}` : entry.id,
      }))
      return [...configured(options, providers, createdAt), ...shown]
    },
  }
}

type Place = Pick<DeploymentRoute, 'provider' | 'upstreamModel'>
const toPlace = ({ provider, upstreamModel }: DeploymentRoute): Place => ({ provider, upstreamModel })

const embeddingRows = async (provider: ModelProvider) =>
  provider.listEmbedders === undefined ? [] : provider.listEmbedders().catch(() => [])

type OwnedEntry = EmbedderEntry & { readonly provider: string }

async function entriesOf(provider: ModelProvider, createdAt: number): Promise<readonly OwnedEntry[]> {
  return (await embeddingRows(provider)).flatMap(({ id, created, ownedBy }) => {
    const limits = provider.openEmbedder?.(id)?.limits
    if (limits === undefined) return []
    return [
      { id, created: created ?? createdAt, ownedBy: ownedBy ?? provider.ownedBy, limits, provider: provider.name },
    ]
  })
}

/** A configured name is one of embeddings where its first deployment is, as far as its name tells. */
function configured(
  { models }: EmbedderRegistryOptions,
  providers: ReadonlyMap<string, ModelProvider>,
  createdAt: number,
): readonly EmbedderEntry[] {
  return models.flatMap(({ name, deployments: [first] }) => {
    if (first === undefined || !isEmbeddingModel(first.upstreamModel)) return []
    const provider = providers.get(first.provider)
    const limits = provider?.openEmbedder?.(first.upstreamModel)?.limits
    if (provider === undefined || limits === undefined) return []
    return [{ id: name, created: createdAt, ownedBy: provider.ownedBy, limits }]
  })
}
