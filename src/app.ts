/**
 * The composition root: the only place that names concrete parts and puts them together. Everything below gets what it
 * needs as an argument; `overrides` lets a test bring its own clock, ids or listener of events.
 */
import { readFileSync } from 'node:fs'
import { describeProviders, START_LIST_WAIT_MS } from './app/describe-providers.ts'
import { openMcp, secretsOf } from './app/open-mcp.ts'
import { type ModelParts, openModels } from './app/open-models.ts'
import { openPrices } from './app/open-prices.ts'
import { openWebSearch } from './app/open-web-search.ts'
import { createBadKeyLimit } from './auth/bad-key-limit.ts'
import { createKeyAuthenticator, createOpenAuthenticator } from './auth/key-authenticator.ts'
import { createKeyRing } from './auth/key-ring.ts'
import type { Authenticator } from './auth/principal.ts'
import { loadSealingKeys, type RotatedKeys, rotateSealingKeys } from './auth/sealing-keys.ts'
import { loadPepper, saveFirstKey } from './auth/secret-files.ts'
import { type App, CommandError, type KeyAdmin, type ModelOverview, type StartSummary } from './cli/app-interface.ts'
import { EXIT } from './cli/exit-codes.ts'
import type { ResolvedConfig } from './config/resolved-config.ts'
import { createEngine } from './engine/create-engine.ts'
import { createHistoryCache } from './engine/history.ts'
import { createRunSlots } from './engine/run-slots.ts'
import type { EngineSettings } from './engine/settings.ts'
import { createHttpServer, type HttpServer } from './http/http-server.ts'
import { startExpiry } from './jobs/expire-responses.ts'
import { startRunWorker } from './jobs/run-worker.ts'
import { type Clock, systemClock } from './lib/clock.ts'
import { type DataDir, DataDirLocked, openDataDir } from './lib/data-dir.ts'
import { createRandomIds, type Ids } from './lib/ids.ts'
import { createOutboundGuard } from './lib/outbound-guard.ts'
import { createSealedBox } from './lib/sealed-box.ts'
import { countTokens } from './lib/tokenizer.ts'
import { LIST_TIMEOUT_MS } from './models/provider-models.ts'
import { validateChatCompletion } from './protocol/chat/validate-chat.ts'
import { validateEmbeddings } from './protocol/embeddings.ts'
import { validateCompact, validateCountInputTokens, validateCreateResponse } from './protocol/validate.ts'
import {
  validateAddConversationItems,
  validateCreateConversation,
  validateUpdateConversation,
} from './protocol/validate-conversation.ts'
import { validateCreatePrompt, validateUpdatePrompt } from './protocol/validate-prompt.ts'
import { createSqliteStore } from './store/sql/sqlite/sqlite-store.ts'
import type { Store } from './store/store.ts'
import { combineTelemetry } from './telemetry/combine-telemetry.ts'
import { createLog } from './telemetry/log.ts'
import { createMetrics, type Metrics } from './telemetry/metrics.ts'
import type { Telemetry } from './telemetry/telemetry.ts'
import { createFunctionTool } from './tools/function/function-tool.ts'

export type AppOverrides = {
  readonly clock?: Clock
  readonly ids?: Ids
  /** In the place of the log. */
  readonly telemetry?: Telemetry
}

/** Chains that are kept ready for their next turn; together no more items than this. */
const HISTORY_CACHE = { maxChains: 2_000, maxItems: 200_000 }

export const VERSION: string = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version

/** Opens everything but the port. Throws what `openDataDir` and `createSqliteStore` throw. */
export async function createApp(config: ResolvedConfig, overrides: AppOverrides = {}): Promise<App> {
  const clock = overrides.clock ?? systemClock
  const deps = { clock, ids: overrides.ids ?? createRandomIds(clock) }
  await using opened = new AsyncDisposableStack()
  const dataDir = opened.use(lockDataDir(config.storage.dataDir))
  const pepper = loadPepper(dataDir.path)
  const store = opened.adopt(await createSqliteStore({ path: config.storage.databasePath, clock: deps.clock }), (it) =>
    it.close(),
  )
  const healed = await store.failOrphans({
    code: 'server_error',
    message: 'The server stopped while this response ran.',
  })
  const models = opened.adopt(await openModels(config, deps), (it) => it.close())
  const metrics = createMetrics({ version: VERSION, isKnownModel: knownModel(models) })
  for (const { name } of models.providers) metrics.providerUp(name, true)
  const telemetry = combineTelemetry(metrics, overrides.telemetry ?? openLog(config, opened))
  opened.use(startExpiry({ store, clock: deps.clock, telemetry }))
  const firstKey = await makeFirstKey(config, store, pepper, dataDir.path, deps.clock)
  const guard = opened.adopt(createOutboundGuard(config.security), (it) => it.close())
  const webSearch = opened.adopt(openWebSearch(config, { clock, guard, telemetry }), (it) => it.close())
  const detached = new AbortController()
  const engine = createEngine({
    ...deps,
    store,
    telemetry,
    catalog: models.catalog,
    tools: [
      ...webSearch.tools,
      createFunctionTool(),
      ...openMcp(config, { clock: deps.clock, guard, version: VERSION, opened }),
    ],
    cache: createHistoryCache(HISTORY_CACHE),
    sealedBox: createSealedBox(loadSealingKeys(dataDir.path), 'sealed content'),
    countTokens,
    settings: engineSettings(config),
    embedders: models.embedders,
    prices: openPrices(config, models.connections, deps.clock),
    slots: createRunSlots({ total: config.limits.streams, perProject: config.limits.streamsPerProject }),
    detached: detached.signal,
  })
  const authenticator = openAuthenticator(config, store, pepper, deps.clock)
  const server = createServer(config, { ...deps, engine, models, authenticator, telemetry, metrics, store })
  opened.adopt(server, (it) => it.close())
  const worker = opened.use(
    startRunWorker({
      jobs: store.jobs,
      engine,
      clock,
      telemetry,
      limits: { perProject: config.limits.backgroundRunning, total: config.limits.background },
      onLetGo: () => detached.abort(),
    }),
  )
  const parts = opened.move()
  return {
    summarize: () => summarize(config, models, { clock: deps.clock, firstKey, healed }),
    listen: () => server.listen(config.server.host, config.server.port),
    async drain() {
      const { drainTimeoutMs } = config.server
      await Promise.all([server.drain(drainTimeoutMs), worker.drain(drainTimeoutMs)])
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

/** Logs go to stderr; what the configuration holds as a secret can appear in no line. */
function openLog(
  { observability, providers, keys, webSearch, mcp }: ResolvedConfig,
  opened: AsyncDisposableStack,
): Telemetry {
  const { level, format } = observability.log
  const isTerminal = process.stderr.isTTY === true
  const log = createLog({
    level,
    format: format === 'auto' ? (isTerminal ? 'pretty' : 'json') : format,
    colour: isTerminal && !process.env.NO_COLOR,
    secrets: [
      ...providers.flatMap(({ apiKey, headers }) => [apiKey ?? '', ...Object.values(headers)]),
      ...keys.map(({ key }) => key),
      ...webSearch.engines.flatMap(({ apiKey }) => apiKey ?? []),
      ...[...mcp.servers.values()].flatMap(secretsOf),
    ],
  })
  opened.defer(() => log.flush())
  return log
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

const toSeconds = (ms: number) => Math.floor(ms / 1000)

function engineSettings({ defaults, limits, projects, retention }: ResolvedConfig): EngineSettings {
  return {
    defaultModel: defaults.model,
    storeByDefault: defaults.store,
    truncationByDefault: defaults.truncation,
    maxOutputTokensByDefault: defaults.maxOutputTokens,
    maxToolCallsByDefault: defaults.maxToolCalls,
    unsupportedParams: defaults.unsupportedParams === 'auto' ? null : defaults.unsupportedParams,
    responseTtlSeconds: toSeconds(retention.responsesMs),
    projects: new Map(
      [...projects].map(([id, { zeroRetention, retentionMs }]) => [
        id,
        { zero: zeroRetention, responseTtlSeconds: toSeconds(retentionMs) },
      ]),
    ),
    chainLimits: { maxResponses: limits.chainResponses, maxBytes: limits.chainBytes },
    background: { maxQueued: limits.backgroundQueued, logTtlSeconds: toSeconds(retention.backgroundEventsMs) },
    wallClockMs: limits.responseTimeMs,
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

type ServerParts = {
  readonly clock: Clock
  readonly ids: Ids
  readonly engine: ReturnType<typeof createEngine>
  readonly models: ModelParts
  readonly authenticator: Authenticator
  readonly telemetry: Telemetry
  readonly metrics: Metrics
  readonly store: Store
}

function createServer(config: ResolvedConfig, parts: ServerParts): HttpServer {
  const { limits, server } = config
  const policy = config.defaults.unsupportedParams
  const unknownParams = policy === 'auto' ? 'warn' : policy
  const laterTools = policy === 'warn' || policy === 'drop' ? 'leave-out' : 'refuse'
  const publicHost = server.publicUrl === null ? [] : [new URL(server.publicUrl).hostname]
  return createHttpServer({
    ...parts,
    catalog: parts.models.catalog,
    embedders: parts.models.embedders,
    validate: {
      createResponse: (body) => validateCreateResponse(body, { unknownParams, laterTools }),
      chatCompletion: (body) => validateChatCompletion(body, { unknownParams }),
      embeddings: (body) => validateEmbeddings(body, { unknownParams }),
      countInputTokens: (body) => validateCountInputTokens(body, { unknownParams }),
      compact: (body) => validateCompact(body, { unknownParams }),
      createPrompt: validateCreatePrompt,
      updatePrompt: validateUpdatePrompt,
      createConversation: (body) => validateCreateConversation(body, { unknownParams }),
      updateConversation: (body) => validateUpdateConversation(body, { unknownParams }),
      addConversationItems: (body) => validateAddConversationItems(body, { unknownParams }),
    },
    limits: {
      bodyBytes: limits.jsonBodyBytes,
      jsonDepth: limits.jsonDepth,
      jsonNodes: limits.jsonNodes,
      urlBytes: limits.urlBytes,
      headerBytes: limits.headersBytes,
      headerCount: limits.headerCount,
      headersTimeoutMs: limits.headerTimeMs,
      requestTimeoutMs: limits.bodyTimeMs,
      connections: limits.connections,
      requestsPerConnection: limits.requestsPerConnection,
      idleConnectionMs: limits.idleConnectionMs,
      keepAliveMs: limits.streamKeepAliveMs,
      streamBufferBytes: limits.streamBufferBytes,
      stallMs: limits.streamStallMs,
      webSocketsPerProject: limits.websocketsPerProject,
      webSocketMessageBytes: limits.websocketMessageBytes,
      webSocketLifeMs: limits.websocketTimeMs,
      requestsPerMinute: limits.requestsPerMinute,
    },
    settings: {
      allowedHosts: [...server.allowedHosts, ...publicHost],
      allowedOrigins: server.cors,
      openMetrics: !config.observability.metrics.auth,
    },
    // Loaded when asked for: it takes as long to make as the rest of the edge, and few ever read it.
    openapiDocument: async () => {
      const { buildOpenApi } = await import('./protocol/openapi.ts')
      return buildOpenApi({ version: VERSION, serverUrl: server.publicUrl ?? '/' })
    },
    metrics: async () => ({ contentType: parts.metrics.contentType, body: await parts.metrics.render() }),
    readiness: async () => {
      const failure = await parts.store.ping().then(
        () => null,
        () => 'the store cannot be read or written',
      )
      return { ready: failure === null, reasons: failure === null ? [] : [failure] }
    },
    version: VERSION,
  })
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

export { openPrune } from './app/open-prune.ts'
export { openPull } from './app/open-pull.ts'
export { openUsage } from './app/open-usage.ts'
export { openModelTester } from './app/test-models.ts'

/** For `antiphon keys rotate-sealing`. */
export const rotateSealing = ({ storage }: ResolvedConfig): RotatedKeys => rotateSealingKeys(storage.dataDir)

/** For `antiphon keys`: the store alone, without the lock that only servers take. */
export async function openKeys(config: ResolvedConfig): Promise<KeyAdmin> {
  const pepper = loadPepper(config.storage.dataDir)
  const store = await createSqliteStore({ path: config.storage.databasePath, clock: systemClock })
  const ring = createKeyRing(store.keys, pepper, systemClock)
  return { ...ring, [Symbol.asyncDispose]: () => store.close() }
}
