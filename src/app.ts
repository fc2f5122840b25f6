/**
 * The composition root: the only place that names concrete parts and puts them together. Everything below gets what it
 * needs as an argument; `overrides` lets a test bring its own clock, ids or listener of events.
 */
import { describeProviders, START_LIST_WAIT_MS } from './app/describe-providers.ts'
import { engineSettings } from './app/engine-settings.ts'
import { joinReplicas, refuseOtherPepper } from './app/join-replicas.ts'
import { openBackground } from './app/open-background.ts'
import { openBlobs } from './app/open-blobs.ts'
import { openCodeInterpreter } from './app/open-code-interpreter.ts'
import { openLog } from './app/open-log.ts'
import { type ModelParts, openModels } from './app/open-models.ts'
import { openPrices } from './app/open-prices.ts'
import { openRetrieval } from './app/open-retrieval.ts'
import { openServer } from './app/open-server.ts'
import { openSharedLimit } from './app/open-shared-limit.ts'
import { openStore } from './app/open-store.ts'
import { openTools } from './app/open-tools.ts'
import { openWebhooks } from './app/open-webhooks.ts'
import { createBadKeyLimit } from './auth/bad-key-limit.ts'
import { createKeyAuthenticator, createOpenAuthenticator } from './auth/key-authenticator.ts'
import { createKeyRing } from './auth/key-ring.ts'
import type { Authenticator } from './auth/principal.ts'
import { loadSealingKeys, type RotatedKeys, rotateSealingKeys } from './auth/sealing-keys.ts'
import { loadPepper, saveFirstKey } from './auth/secret-files.ts'
import {
  type App,
  type AppModule,
  CommandError,
  type KeyAdmin,
  type ModelOverview,
  type StartSummary,
} from './cli/app-interface.ts'
import { EXIT } from './cli/exit-codes.ts'
import type { ResolvedConfig } from './config/resolved-config.ts'
import { createIsolatedReader } from './documents/isolated-reader.ts'
import { createContainersApi } from './engine/containers.ts'
import { createEngine } from './engine/create-engine.ts'
import { createFileSource } from './engine/file-source.ts'
import { createHistoryCache } from './engine/history.ts'
import { createRunSlots } from './engine/run-slots.ts'
import { startExpiry } from './jobs/expire-responses.ts'
import { ORPHANED, startHealing } from './jobs/heal-orphans.ts'
import { startSweep } from './jobs/sweep-files.ts'
import { type Clock, systemClock } from './lib/clock.ts'
import { type DataDir, DataDirLocked, openDataDir } from './lib/data-dir.ts'
import { createRandomIds, type Ids } from './lib/ids.ts'
import { createOutboundGuard, type OutboundGuard, type Resolve } from './lib/outbound-guard.ts'
import { PROGRAM_VERSION } from './lib/own-files.ts'
import { createSealedBox } from './lib/sealed-box.ts'
import { countTokens } from './lib/tokenizer.ts'
import { LIST_TIMEOUT_MS } from './models/provider-models.ts'
import type { Store } from './store/store.ts'
import { combineTelemetry } from './telemetry/combine-telemetry.ts'
import { createMetrics } from './telemetry/metrics.ts'
import type { Telemetry } from './telemetry/telemetry.ts'

export type AppOverrides = {
  readonly clock?: Clock
  readonly ids?: Ids
  /** In the place of the log. */
  readonly telemetry?: Telemetry
  /** How the outbound guard looks up names. */
  readonly resolve?: Resolve
}

/** Chains that are kept ready for their next turn; together no more items than this. */
const HISTORY_CACHE = { maxChains: 2_000, maxItems: 200_000 }

/** Another replica may delete a response, and every chain that stands on it ends then. */
const NO_HISTORY_CACHE = { maxChains: 0, maxItems: 0 }

/** Opens everything but the port. Throws what `openDataDir` and `openStore` throw. */
export async function createApp(config: ResolvedConfig, overrides: AppOverrides = {}): Promise<App> {
  const clock = overrides.clock ?? systemClock
  const deps = { clock, ids: overrides.ids ?? createRandomIds(clock) }
  await using opened = new AsyncDisposableStack()
  const base = await openBase(config, overrides, { ...deps, opened })
  const { store, models, metrics, telemetry, blobs, documents, guard, shared } = base
  const { transfersPerProject: perProject } = config.limits
  const transfers = createRunSlots({ total: Number.MAX_SAFE_INTEGER, perProject }, 'uploads')
  const source = createFileSource({ store, blobs, telemetry })
  const code = opened.adopt(openCodeInterpreter(config, { ...deps, source }), (it) => it.close())
  const background = openBackground(config)
  const retrieval = await openRetrieval(config, {
    ...shared,
    replicated: base.replicated,
    blobs,
    documents,
    embedders: models.embedders,
    createEmbeddings: (request, caller) => engine.createEmbeddings(request, caller),
    opened,
  })
  const { webhooks, wake } = await openWebhooks(config, { ...shared, guard, version: PROGRAM_VERSION, opened })
  const { searcher } = retrieval
  const toolParts = { ...base, clock, version: PROGRAM_VERSION, searcher, source, opened, code }
  const engine = createEngine({
    ...shared,
    catalog: models.catalog,
    tools: await openTools(config, toolParts),
    cache: createHistoryCache(base.replicated !== null ? NO_HISTORY_CACHE : HISTORY_CACHE),
    countTokens,
    onWebhookEvent: wake,
    embedders: models.embedders,
    prices: openPrices(config, models.connections, deps.clock),
    slots: createRunSlots({ total: config.limits.streams, perProject: config.limits.streamsPerProject }),
    detached: background.detached,
    blobs,
    documents,
    guard,
    transfers,
  })
  retrieval.start()
  const rateLimiter = await openSharedLimit(config, { clock, telemetry, opened })
  const authenticator = openAuthenticator(config, store, base.pepper, deps.clock)
  const server = openServer(config, {
    ...deps,
    engine,
    vectorStores: retrieval.vectorStores,
    webhooks,
    containers: createContainersApi({ ...shared, containers: code.containers, source, transfers }),
    models,
    authenticator,
    rateLimiter,
    telemetry,
    metrics,
    store,
    version: PROGRAM_VERSION,
  })
  opened.adopt(server, (it) => it.close())
  const worker = opened.use(background.start({ jobs: store.jobs, engine, clock, telemetry }))
  const parts = opened.move()
  return {
    summarize: () => summarize(config, models, { clock: deps.clock, firstKey: base.firstKey, healed: base.healed }),
    listen: () => server.listen(config.server.host, config.server.port),
    drain: () => drain([server, worker], config.server.drainTimeoutMs),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

/** Side by side: a reader of a background response leaves when its run was let go. */
async function drain(parts: readonly { drain(ms: number): Promise<void> }[], ms: number): Promise<void> {
  await Promise.all(parts.map((part) => part.drain(ms)))
}

const openGuard = ({ security }: ResolvedConfig, { resolve }: AppOverrides): OutboundGuard =>
  createOutboundGuard({ ...security, ...(resolve && { resolve }) })

type BaseParts = { readonly clock: Clock; readonly ids: Ids; readonly opened: AsyncDisposableStack }

/** What everything else stands on: the data, the models, and who is told of what happens. */
async function openBase(config: ResolvedConfig, overrides: AppOverrides, { clock, ids, opened }: BaseParts) {
  const dataDir = opened.use(lockDataDir(config.storage.dataDir))
  const pepper = loadPepper(dataDir.path)
  const { store, replicated } = await openStore(config.storage, clock)
  opened.defer(() => store.close())
  if (replicated !== null) await joinReplicas(replicated, pepper, config)
  const healed = replicated === null ? await store.failOrphans(ORPHANED) : 0
  const guard = opened.adopt(openGuard(config, overrides), (it) => it.close())
  const models = opened.adopt(await openModels(config, { clock, ids, guard }), (it) => it.close())
  const metrics = createMetrics({ version: PROGRAM_VERSION, isKnownModel: knownModel(models) })
  for (const { name } of models.providers) metrics.providerUp(name, true)
  const telemetry = combineTelemetry(metrics, overrides.telemetry ?? openLog(config, opened))
  opened.use(startExpiry({ store, clock, telemetry }))
  if (replicated !== null) opened.use(startHealing({ store, clock, telemetry, leaseMs: replicated.replicaLeaseMs }))
  const blobs = opened.adopt(openBlobs(config, clock), (it) => it.close())
  opened.use(startSweep({ store, blobs, clock, telemetry, writeTimeMs: config.limits.uploadTimeMs }))
  const firstKey = await makeFirstKey(config, store, pepper, dataDir.path, clock)
  const documents = opened.adopt(createIsolatedReader(clock), (it) => it.close())
  const sealedBox = createSealedBox(loadSealingKeys(dataDir.path), 'sealed content')
  const shared = { clock, ids, store, telemetry, sealedBox, settings: engineSettings(config) }
  return { pepper, store, replicated, healed, models, metrics, telemetry, blobs, firstKey, guard, shared, documents }
}

/** A second server on the same data would write beside the first; it is told who holds the directory. */
function lockDataDir(path: string): DataDir {
  try {
    return openDataDir(path)
  } catch (error) {
    if (error instanceof DataDirLocked)
      throw new CommandError(error.message, { exitCode: EXIT.dataInUse, cause: error })
    throw error
  }
}

function openAuthenticator(config: ResolvedConfig, store: Store, pepper: Buffer, clock: Clock): Authenticator {
  if (!config.authEnabled) return createOpenAuthenticator()
  return createKeyAuthenticator({
    keys: store.keys,
    pepper,
    clock,
    staticKeys: config.keys.map(({ alias, key, projectId, scopes, expiresAt }) => ({
      key,
      principal: { projectId, keyId: alias, scopes: new Set(scopes) },
      expiresAt,
    })),
    badKeyLimit: createBadKeyLimit(clock, config.limits.badKeysPerMinute),
  })
}

/** The first start makes a key where none is configured; null on every later one. */
async function makeFirstKey(config: ResolvedConfig, store: Store, pepper: Buffer, dataDir: string, clock: Clock) {
  if (!config.authEnabled || config.keys.length > 0 || (await store.keys.list()).length > 0) return null
  const ring = createKeyRing(store.keys, pepper, clock)
  const { key } = await ring.create({ name: 'first', scopes: ['responses', 'files', 'read', 'admin'], expiresAt: null })
  saveFirstKey(dataDir, key)
  return key
}

/** Only names of the configuration and of the demo model become labels: a client must not be able to make new ones. */
function knownModel({ catalog }: ModelParts): (model: string) => boolean {
  const known = new Set<string>()
  const refresh = () =>
    catalog.list().then(
      (entries) => {
        for (const { id } of entries) known.add(id)
      },
      () => {},
    )
  void refresh()
  return (model) => known.has(model)
}

async function summarize(
  config: ResolvedConfig,
  models: ModelParts,
  parts: { readonly clock: Clock; readonly firstKey: string | null; readonly healed: number },
): Promise<StartSummary> {
  const described = await describeProviders(config, models, { clock: parts.clock, waitMs: START_LIST_WAIT_MS })
  const healed = `${parts.healed} responses were cut off when the server last stopped; they are marked as failed.`
  return {
    ...described,
    models: [],
    firstKey: parts.firstKey,
    warnings: [...models.problems, ...(await models.catalog.problems()), ...(parts.healed > 0 ? [healed] : [])],
  }
}

/** For `antiphon models`: everything the providers list, however long they take within their own clocks. */
export async function describeModels(config: ResolvedConfig): Promise<ModelOverview> {
  const models = await openModels(config, { clock: systemClock, ids: createRandomIds() })
  try {
    const described = await describeProviders(config, models, { clock: systemClock, waitMs: LIST_TIMEOUT_MS })
    return { ...described, models: await models.catalog.list() }
  } finally {
    await models.close()
  }
}

// What one command needs is loaded by it, not by every start of the server.
export const openPrune: AppModule['openPrune'] = async (...args) =>
  (await import('./app/open-prune.ts')).openPrune(...args)
export const openPull: AppModule['openPull'] = async (...args) => (await import('./app/open-pull.ts')).openPull(...args)
export const openFiles: AppModule['openFiles'] = async (...args) =>
  (await import('./app/open-files.ts')).openFiles(...args)
export const openVectorStores: AppModule['openVectorStores'] = async (...args) =>
  (await import('./app/open-vector-stores.ts')).openVectorStores(...args)
export const openUsage: AppModule['openUsage'] = async (...args) =>
  (await import('./app/open-usage.ts')).openUsage(...args)
export const openModelTester: AppModule['openModelTester'] = async (...args) =>
  (await import('./app/test-models.ts')).openModelTester(...args)
export const openBackup: AppModule['openBackup'] = async (...args) =>
  (await import('./app/open-backup.ts')).openBackup(...args)
export const openSandboxWorker: AppModule['openSandboxWorker'] = async (...args) =>
  (await import('./app/open-sandbox.ts')).openSandboxWorker(...args)

/** For `antiphon keys rotate-sealing`. */
export const rotateSealing = ({ storage }: ResolvedConfig): RotatedKeys => rotateSealingKeys(storage.dataDir)

/** For `antiphon keys`: the store alone, without the lock that only servers take. */
export async function openKeys(config: ResolvedConfig): Promise<KeyAdmin> {
  const pepper = loadPepper(config.storage.dataDir)
  const { store, replicated } = await openStore(config.storage)
  if (replicated !== null) await refuseOtherPepper(replicated, pepper)
  const ring = createKeyRing(store.keys, pepper, systemClock)
  return { ...ring, [Symbol.asyncDispose]: () => store.close() }
}
