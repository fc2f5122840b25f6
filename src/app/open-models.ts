/** Composition: from configured and detected connections to the catalog of models. */

import { withoutDisabled } from '../config/resolve-config.ts'
import type { DisabledProvider, ModelConfig, ProviderConfig, ResolvedConfig } from '../config/resolved-config.ts'
import type { Clock } from '../lib/clock.ts'
import type { OutboundGuard } from '../lib/outbound-guard.ts'
import { createDemoEmbedder, DEMO_EMBEDDER } from '../models/demo/demo-embedder.ts'
import { createDemoModel } from '../models/demo/demo-model.ts'
import { DEFAULT_ENGINE_PLACES, type DetectedEngine, detectEngines } from '../models/detect-engines.ts'
import type { EmbedderCatalog } from '../models/embedder.ts'
import { createEmbedderRegistry } from '../models/embedder-registry.ts'
import type { Model } from '../models/model.ts'
import type { ModelInfo } from '../models/model-info.ts'
import type { ModelProvider, ModelRoute } from '../models/model-provider.ts'
import { createRegistry, type Registry } from '../models/registry.ts'
import { readFoundCapabilities, toFindings } from './capability-findings.ts'
import type { OpenedProvider } from './open-bridge.ts'
import { type ProviderDeps as Deps, openProvider } from './open-provider.ts'

export type ModelParts = {
  readonly catalog: Registry
  readonly embedders: EmbedderCatalog
  readonly providers: readonly ModelProvider[]
  readonly engines: readonly DetectedEngine[]
  /** Where each provider was found; the demo model has no entry. */
  readonly connections: readonly ProviderConfig[]
  /** What of the configuration or the data directory could not be used, one sentence each. */
  readonly problems: readonly string[]
  /** Those whose package is missing or does not fit. */
  readonly disabled: readonly DisabledProvider[]
  close(): Promise<void>
}

export const DEMO_MODEL = 'demo'

/** `guard`: for what providers do not fetch themselves; absent where nothing is asked of a model. */
export async function openModels(
  config: ResolvedConfig,
  { guard, ...deps }: Deps & { readonly guard?: OutboundGuard },
): Promise<ModelParts> {
  const engines = await findEngines(config, deps.clock)
  const detected = engines.flatMap((engine) => {
    const candidate = config.engineCandidates.find(({ name }) => name === engine.name)
    return candidate && !engine.needsKey ? [{ ...candidate, apiBase: engine.baseUrl, source: engine.baseUrl }] : []
  })
  const pulled = config.pulledModels === null ? [] : [config.pulledModels]
  const connections = [...config.providers, ...detected, ...pulled].filter(({ type }) => type !== DEMO_MODEL)
  const results = await Promise.all(connections.map((connection) => openOne(connection, config, deps)))
  const opened = results.filter((it) => 'provider' in it)
  const disabled = results.filter((it) => 'reason' in it)
  const providers = [...opened.map(({ provider }) => provider), demoProvider(deps)]
  const found = readFoundCapabilities(config.storage.dataDir)
  const models = withoutDisabled(config.models, disabled).map(toRoute)
  const embedders = createEmbedderRegistry({
    providers,
    models,
    aliases: config.aliases,
    maxAttempts: config.router.numRetries + 1,
    ...deps,
  })
  const catalog = createRegistry({
    providers,
    findings: toFindings(found),
    models,
    aliases: config.aliases,
    defaultModel: config.defaults.model,
    router: {
      strategy: config.router.strategy,
      maxAttempts: config.router.numRetries + 1,
      allowedFails: config.router.allowedFails,
      cooldownMs: config.router.cooldownTimeMs,
    },
    ...(guard && {
      fetching: {
        guard,
        clock: deps.clock,
        maxBytes: { image: config.limits.imageBytes, file: config.limits.urlFilesBytes },
        timeoutMs: config.limits.urlTimeMs,
      },
    }),
    ...deps,
  })
  return {
    catalog,
    embedders,
    providers,
    engines,
    connections,
    problems: found.problem === null ? [] : [found.problem],
    disabled,
    async close() {
      await catalog.close()
      await Promise.all(opened.map(({ close }) => close()))
    },
  }
}

const openOne = async (
  connection: ProviderConfig,
  config: ResolvedConfig,
  deps: Deps,
): Promise<OpenedProvider | DisabledProvider> => {
  const { bridge, local } = connection
  // Few servers have either, so neither is loaded with every start.
  if (local) return (await import('./open-local.ts')).openLocal(connection, local, deps)
  if (bridge) return (await import('./open-bridge.ts')).openBridge({ ...connection, bridge }, config, deps)
  return openProvider(connection, config, deps)
}

/** Engines are looked for where the configuration expects them; a port that answers as something else is left alone. */
async function findEngines(config: ResolvedConfig, clock: Clock): Promise<readonly DetectedEngine[]> {
  const places = DEFAULT_ENGINE_PLACES.flatMap((place) => {
    const candidate = config.engineCandidates.find(({ name }) => name === place.name)
    return candidate ? [{ name: place.name, root: candidate.apiBase.replace(/\/v1$/, '') }] : []
  })
  if (places.length === 0) return []
  return detectEngines({ places, clock, timeoutMs: config.discovery.timeoutMs })
}

/** An operator may give the demo model a smaller window, to see what happens at its end. */
function demoProvider(deps: Deps): ModelProvider {
  const model = createDemoModel(deps)
  const embedder = createDemoEmbedder(deps)
  const embedderRows = [{ id: DEMO_EMBEDDER, created: null, ownedBy: 'antiphon', info: {} }]
  const windows = new Map([[model.capabilities.contextWindow, model]])
  const open = (contextWindow: number | null): Model => {
    const known = windows.get(contextWindow)
    if (known !== undefined || contextWindow === null) return known ?? model
    const made = createDemoModel({ ...deps, contextWindow })
    windows.set(contextWindow, made)
    return made
  }
  const rows = [{ id: DEMO_MODEL, created: null, ownedBy: 'antiphon', info: model.capabilities }]
  return {
    name: DEMO_MODEL,
    ownedBy: 'antiphon',
    exactList: true,
    listModels: async () => rows,
    openEmbedder: (name) => (name === DEMO_EMBEDDER ? embedder : null),
    listEmbedders: async () => embedderRows,
    open: (_model, info) => open(info.contextWindow ?? null),
  }
}

/** What the operator says of a model stands above what is known or asked. */
function toRoute(model: ModelConfig): ModelRoute {
  const { supports } = model
  const info: ModelInfo = {
    ...(model.contextWindow === null ? {} : { contextWindow: model.contextWindow }),
    ...(model.maxOutputTokens === null ? {} : { maxOutputTokens: model.maxOutputTokens }),
    ...(supports && {
      imageInput: supports.includes('images'),
      fileInput: supports.includes('files'),
      functionTools: supports.includes('tools'),
      customTools: supports.includes('custom_tools'),
      structuredOutput: supports.includes('json_schema'),
      reasoning: supports.includes('reasoning'),
      logprobs: supports.includes('logprobs'),
    }),
  }
  const { name, deployments, fallbacks, contentPolicyFallbacks, fields } = model
  return { name, deployments, fallbacks, contentPolicyFallbacks, fields, info }
}
