/** The catalog of models: every name a client may use, resolved to a `Model` that is ready to use. */
import { type Clock, seconds } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { createLruMap } from '../lib/lru-map.ts'
import type { DeploymentEntry, ModelCatalog, ModelEntry, ResolvedModel } from './catalog.ts'
import type { Fetching } from './inline-urls.ts'
import { createIsolatedChecks, type IsolatedChecks } from './isolated-checks.ts'
import { createEntryLister } from './list-entries.ts'
import { findListed, followAliases, locateModel, type NameTables, splitProvider } from './locate-model.ts'
import type { ModelProvider, ModelRoute } from './model-provider.ts'
import { createOpener, type Findings, type Opened, type Opener, type RouterOptions } from './open-targets.ts'
import { ledgerOf } from './overridden-fields.ts'
import { createRetryBudget } from './retry-budget.ts'

/** Resolved names that are kept ready. */
export const MAX_RESOLVED_MODELS = 1000
export const RESOLVED_FRESH_MS = 300_000
/** For unknown names, and for models whose provider could not be heard. */
export const UNCERTAIN_FRESH_MS = 10_000

export type RegistryOptions = {
  /** In order of preference: an id that several list goes to the first. */
  readonly providers: readonly ModelProvider[]
  readonly models: readonly ModelRoute[]
  /** Name -> another name, of any kind. */
  readonly aliases: ReadonlyMap<string, string>
  /** What the name `default` stands for, unless it is configured; null: nothing. */
  readonly defaultModel: string | null
  readonly router?: RouterOptions
  /** What probes found out; by default nothing. */
  readonly findings?: Findings
  readonly clock: Clock
  readonly ids: Ids
  /** By default its own. */
  readonly checks?: IsolatedChecks
  /** For what providers do not fetch themselves; absent: it is refused. */
  readonly fetching?: Fetching
}

export interface Registry extends ModelCatalog {
  readonly defaultModel: string | null
  /** What of the configuration leads nowhere at the moment, one sentence each; for the start and `check`. */
  problems(): Promise<readonly string[]>
  close(): Promise<void>
}

type Cached = {
  readonly expiresAt: number
  readonly resolved: ResolvedModel | null
  readonly deployments: readonly DeploymentEntry[]
}

/** Throws `RangeError` for a configuration that cannot work: unknown providers, aliases that lead in a circle. */
export function createRegistry(options: RegistryOptions): Registry {
  const { clock, ids, router = {}, findings = () => null, defaultModel } = options
  const tables = toTables(options)
  const checks = options.checks ?? createIsolatedChecks({ clock })
  const budget = createRetryBudget({ clock })
  const fetching = options.fetching && { fetching: options.fetching }
  const opener = createOpener({
    providers: tables.providers,
    router,
    findings,
    budget,
    checks,
    clock,
    ids,
    ...fetching,
  })
  const createdAt = seconds(clock)
  const find = createResolver(tables, opener, clock)
  const resolve: ModelCatalog['resolve'] = async (name) => (await find(name)).resolved
  const configured = new Set([...tables.routes.keys(), ...options.aliases.keys()])
  const list = createEntryLister({ tables, opener, resolve, createdAt, configured })

  return {
    defaultModel,
    resolve,
    list,
    async get(id) {
      const listed = (await list()).find((entry) => entry.id === id)
      const entry = listed ?? (await unlistedEntry(id, { tables, resolve, createdAt }))
      const { resolved, deployments } = await find(id)
      return entry === null || resolved === null ? entry : { ...entry, fields: ledgerOf(resolved.model), deployments }
    },
    async problems() {
      const names = [
        ...options.models.flatMap((route) => fallbacksOf(route).map((name) => ({ of: `model '${route.name}'`, name }))),
        ...[...options.aliases].map(([alias, name]) => ({ of: `alias '${alias}'`, name })),
        ...(defaultModel === null ? [] : [{ of: 'default model', name: defaultModel }]),
      ]
      const found = await Promise.all(names.map(({ name }) => resolve(name)))
      return names
        .filter((_, index) => found[index] === null)
        .map(({ of, name }) => `The ${of} leads to '${name}', which no provider has.`)
    },
    close: () => checks.close(),
  }
}

/** Keeps what was resolved, for a while; those who ask at the same moment share one answer. */
function createResolver(tables: NameTables, opener: Opener, clock: Clock): (name: string) => Promise<Cached> {
  const ready = createLruMap<string, Promise<Cached>>(MAX_RESOLVED_MODELS)

  const resolveNow = async (name: string): Promise<Cached> => {
    const tiers = await locateModel(name, tables)
    const primary = tiers?.primary[0]
    if (tiers === null || primary === undefined)
      return { resolved: null, deployments: [], expiresAt: clock.monotonic() + UNCERTAIN_FRESH_MS }
    const { model, certain, choose, deployments } = await opener.open(tiers)
    const resolved = { model, name, upstreamModel: primary.upstreamModel, provider: primary.provider }
    return {
      resolved: { ...resolved, ...(choose && { choose: (turn) => ({ name, ...choose(turn) }) }) },
      deployments: deployments.map(toDeploymentEntry),
      expiresAt: clock.monotonic() + (certain ? RESOLVED_FRESH_MS : UNCERTAIN_FRESH_MS),
    }
  }
  const start = (name: string): Promise<Cached> => {
    const pending = resolveNow(name)
    ready.set(name, pending)
    // A failure is for those who wait for it, not for those who come later.
    pending.catch(() => ready.delete(name))
    return pending
  }
  return async (name) => {
    const known = ready.get(name) ?? start(name)
    const cached = await known
    if (clock.monotonic() < cached.expiresAt) return cached
    const newer = ready.get(name)
    return newer === undefined || newer === known ? start(name) : newer
  }
}

const toDeploymentEntry = ({ model, ...at }: Opened['deployments'][number]): DeploymentEntry => ({
  provider: at.provider,
  upstreamModel: at.upstreamModel,
  testedAt: at.testedAt,
  fields: ledgerOf(model),
})

type EntryContext = {
  readonly tables: NameTables
  readonly resolve: ModelCatalog['resolve']
  readonly createdAt: number
}

/** A name that works though no list shows it. A provider that was heard and does not list it is believed. */
async function unlistedEntry(id: string, { tables, resolve, createdAt }: EntryContext): Promise<ModelEntry | null> {
  const resolved = await resolve(id)
  const provider = resolved === null ? undefined : tables.providers.get(resolved.provider)
  if (resolved === null || provider === undefined) return null
  const rows = await provider.listModels().catch(() => null)
  const row = findListed(rows ?? [], resolved.upstreamModel)
  const isNamedUpstream = splitProvider(followAliases(id, tables.aliases), tables.providers) !== null
  if (rows !== null && row === undefined && isNamedUpstream) return null
  return {
    id,
    created: row?.created ?? createdAt,
    ownedBy: row?.ownedBy ?? provider.ownedBy,
    capabilities: resolved.model.capabilities,
  }
}

const fallbacksOf = ({ fallbacks, contentPolicyFallbacks = [] }: ModelRoute) => [
  ...fallbacks,
  ...contentPolicyFallbacks,
]

function toTables({ providers, models, aliases, defaultModel }: RegistryOptions): NameTables {
  const routes = new Map(models.map((route) => [route.name, route]))
  const named = new Map(providers.map((provider) => [provider.name, provider]))
  const withDefault = new Map(aliases)
  if (defaultModel !== null && defaultModel !== 'default' && !routes.has('default') && !aliases.has('default')) {
    withDefault.set('default', defaultModel)
  }
  for (const alias of withDefault.keys()) refuseCircle(alias, withDefault)
  for (const route of models) {
    if (route.deployments.length === 0) throw new RangeError(`The model '${route.name}' needs a deployment.`)
    for (const { provider, weight } of route.deployments) {
      if (!named.has(provider))
        throw new RangeError(`The model '${route.name}' names no known provider: '${provider}'.`)
      if (!(weight > 0)) throw new RangeError(`A deployment of the model '${route.name}' needs a weight above 0.`)
    }
  }
  return { providers: named, routes, aliases: withDefault }
}

function refuseCircle(alias: string, aliases: ReadonlyMap<string, string>): void {
  const passed = new Set<string>()
  for (let name: string | undefined = alias; name !== undefined; name = aliases.get(name)) {
    if (passed.has(name)) throw new RangeError(`The alias '${alias}' leads back to '${name}'.`)
    passed.add(name)
  }
}
