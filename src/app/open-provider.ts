/** Composition: one configured or detected connection -> a provider of models, by the API it is spoken to in. */
import type { WireApi } from '../config/known-providers.ts'
import type { ProviderConfig, ResolvedConfig } from '../config/resolved-config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { createUpstreamAgent, type UpstreamClocks } from '../lib/upstream-http.ts'
import { createOpenAiEmbedder } from '../models/chat-completions/openai-embedder.ts'
import type { EmbedderLimits } from '../models/embedder.ts'
import type { ModelProvider } from '../models/model-provider.ts'
import { createModelLister, fetchModels, type ListedModel } from '../models/provider-models.ts'
import { BELIEVED, type Wire } from './wires/wire.ts'

export type ProviderDeps = { readonly clock: Clock; readonly ids: Ids }

/** OpenAI's own bound, which those who copy its API share or stay below. */
const EMBEDDER_LIMITS: EmbedderLimits = { dimensions: null, maxInputs: 2048, maxInputTokens: null }

/** Who speaks in a way of their own has no `/embeddings` beside it. */
const hasEmbeddings = ({ wireApi }: ProviderConfig) => wireApi === 'chat' || wireApi === 'responses'

type SplitRows = { readonly models: readonly ListedModel[]; readonly embedders: readonly ListedModel[] }
const split = new WeakMap<readonly ListedModel[], SplitRows>()

/** Worked out once per list: the same rows are asked for with every request. */
function splitRows(rows: readonly ListedModel[]): SplitRows {
  const known = split.get(rows)
  if (known !== undefined) return known
  const made = {
    models: rows.filter(({ kind }) => kind === undefined),
    embedders: rows.filter(({ kind }) => kind === 'embedding'),
  }
  split.set(rows, made)
  return made
}

/** Each loaded when something speaks it: together they are a seventh of what a server loads. */
const WIRES: Readonly<Record<Exclude<WireApi, 'ai_sdk'>, () => Promise<Wire>>> = {
  chat: async () => (await import('./wires/chat-wire.ts')).CHAT,
  responses: async () => (await import('./wires/responses-wire.ts')).RESPONSES,
  anthropic: async () => (await import('./wires/anthropic-wire.ts')).ANTHROPIC,
  gemini: async () => (await import('./wires/gemini-wire.ts')).GEMINI,
}

export const clocksOf = ({ timeoutMs }: ProviderConfig, { limits }: ResolvedConfig): UpstreamClocks => ({
  connectMs: limits.upstreamConnectMs,
  firstByteMs: limits.upstreamFirstByteMs,
  idleMs: limits.upstreamIdleMs,
  wholeMs: timeoutMs,
})

/** Any connection that is spoken to in an API we know ourselves; for the others see `openBridge`. */
export async function openProvider(connection: ProviderConfig, config: ResolvedConfig, deps: ProviderDeps) {
  const { name, apiKey, headers, wireApi } = connection
  if (wireApi === 'ai_sdk') throw new TypeError(`The provider '${name}' is reached through a package.`)
  const wire = await WIRES[wireApi]()
  const baseUrl = wire.base?.(connection) ?? connection.apiBase
  const clocks = clocksOf(connection, config)
  const dispatcher = createUpstreamAgent(clocks)
  const list = createModelLister(
    () =>
      fetchModels({
        baseUrl,
        kind: wire.listKind(connection),
        headers: { ...(apiKey ? wire.authorize(apiKey, connection) : {}), ...headers },
        clock: deps.clock,
        dispatcher,
      }),
    deps.clock,
  )
  const adapter = { provider: name, baseUrl, apiKey, headers, clocks, dispatcher, ...deps }
  const provider: ModelProvider = {
    name,
    ownedBy: name,
    listModels: async (maxAgeMs) => splitRows(await list(maxAgeMs)).models,
    ...(hasEmbeddings(connection) && {
      openEmbedder: () => createOpenAiEmbedder({ ...adapter, limits: EMBEDDER_LIMITS }),
      listEmbedders: async () => splitRows(await list()).embedders,
    }),
    open: (model, info) => wire.open({ ...adapter, model, capabilities: { ...BELIEVED, ...info } }, connection, info),
  }
  return { provider, close: () => dispatcher.destroy() }
}
