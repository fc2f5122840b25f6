/**
 * The names for `GET /v1/models`: those of the configuration, then every provider's models. A provider's model goes by
 * its bare id where that leads to it, and as `provider/id` where another name or provider comes first.
 */
import type { ModelCatalog, ModelEntry } from './catalog.ts'
import { type NameTables, splitProvider } from './locate-model.ts'
import type { ModelCapabilities } from './model.ts'
import type { Opener } from './open-targets.ts'
import type { ListedModel } from './read-model-list.ts'

export type ListOptions = {
  readonly tables: NameTables
  readonly opener: Opener
  readonly resolve: ModelCatalog['resolve']
  /** Seconds since the epoch, for models of unknown age. */
  readonly createdAt: number
  /** The operator's own names, in the order to show them. */
  readonly configured: ReadonlySet<string>
}

/** The rows of a provider are the same objects until it is asked anew, so capabilities are worked out once per row. */
type KnownCapabilities = WeakMap<ListedModel, ModelCapabilities>

export function createEntryLister(options: ListOptions): () => Promise<readonly ModelEntry[]> {
  const known: KnownCapabilities = new WeakMap()
  return () => listEntries(options, known)
}

async function listEntries(options: ListOptions, known: KnownCapabilities): Promise<readonly ModelEntry[]> {
  const providers = [...options.tables.providers.values()]
  const [configured, lists] = await Promise.all([
    listConfigured(options),
    Promise.all(providers.map((provider) => provider.listModels().catch(() => []))),
  ])
  const listings = countListings(lists)
  const entries = providers.flatMap((provider, index) =>
    (lists[index] ?? []).map((row): ModelEntry => {
      const capabilities = known.get(row) ?? options.opener.openBare(provider, row.id, row.info).capabilities
      known.set(row, capabilities)
      const isUnique = !provider.prefixed && listings.get(row.id) === 1 && !isTaken(row.id, options)
      return {
        id: isUnique ? row.id : `${provider.name}/${row.id}`,
        created: row.created ?? options.createdAt,
        ownedBy: row.ownedBy ?? provider.ownedBy,
        ...(row.displayName !== undefined && { displayName: row.displayName }),
        capabilities,
      }
    }),
  )
  return [...configured, ...entries]
}

/** How many providers list an id. */
function countListings(lists: readonly (readonly ListedModel[])[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const rows of lists) for (const { id } of rows) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}

async function listConfigured({ tables, resolve, createdAt, configured }: ListOptions): Promise<readonly ModelEntry[]> {
  const entries = await Promise.all(
    [...configured].map(async (id): Promise<ModelEntry[]> => {
      const resolved = await resolve(id)
      if (resolved === null) return []
      const ownedBy = tables.providers.get(resolved.provider)?.ownedBy ?? resolved.provider
      return [{ id, created: createdAt, ownedBy, capabilities: resolved.model.capabilities }]
    }),
  )
  return entries.flat()
}

/** The bare id leads elsewhere: to a configured name, or to another provider's model. */
const isTaken = (id: string, { tables, configured }: ListOptions) =>
  configured.has(id) || splitProvider(id, tables.providers) !== null
