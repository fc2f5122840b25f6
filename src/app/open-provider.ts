/** Composition: one configured or detected connection -> a provider of models, by the API it is spoken to in. */
import type { WireApi } from '../config/known-providers.ts'
import type { ProviderConfig, ResolvedConfig } from '../config/resolved-config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { createUpstreamAgent, type UpstreamClocks } from '../lib/upstream-http.ts'
import { createAnthropicModel } from '../models/anthropic/anthropic-model.ts'
import { familyOf } from '../models/anthropic/family.ts'
import { ANTHROPIC_VERSION, withVersion } from '../models/anthropic/providers.ts'
import { createChatCompletionsModel } from '../models/chat-completions/chat-completions-model.ts'
import { createOpenAiEmbedder } from '../models/chat-completions/openai-embedder.ts'
import { quirksOf } from '../models/chat-completions/providers.ts'
import type { EmbedderLimits } from '../models/embedder.ts'
import { authHeaders, isVertex } from '../models/gemini/endpoint.ts'
import { createGeminiModel } from '../models/gemini/gemini-model.ts'
import type { Model, ModelCapabilities } from '../models/model.ts'
import type { ModelInfo } from '../models/model-info.ts'
import type { ModelProvider } from '../models/model-provider.ts'
import { createModelLister, fetchModels, type ListedModel, type ListKind } from '../models/provider-models.ts'
import { keyHeaders, responsesQuirksOf } from '../models/responses/providers.ts'
import { createResponsesModel } from '../models/responses/responses-model.ts'
import type { AdapterOptions } from '../models/upstream/adapter-options.ts'

export type ProviderDeps = { readonly clock: Clock; readonly ids: Ids }

/** Where nothing is known a model is believed to take what the API offers; its provider then refuses what it cannot. */
export const BELIEVED: ModelCapabilities = {
  contextWindow: null,
  maxOutputTokens: null,
  imageInput: true,
  fileInput: true,
  functionTools: true,
  customTools: false,
  structuredOutput: true,
  reasoning: true,
  logprobs: true,
}

/** `model`: the name the provider knows. */
type OpenOptions = AdapterOptions & { readonly model: string }

/** How an adapter is made, and how its provider's models are listed. */
type Wire = {
  open(options: OpenOptions, connection: ProviderConfig, info: ModelInfo): Model
  listKind(connection: ProviderConfig): ListKind
  /** The address as the adapter wants it, where a configured one may be written otherwise. */
  base?(connection: ProviderConfig): string
  /** Headers that let a list request in. */
  authorize(apiKey: string, connection: ProviderConfig): Readonly<Record<string, string>>
}

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

const ENGINE_LISTS: Readonly<Record<string, ListKind>> = {
  ollama: 'ollama',
  lmstudio: 'lmstudio',
  llamacpp: 'llamacpp',
}

const bearer = (apiKey: string) => ({ authorization: `Bearer ${apiKey}` })

const CHAT: Wire = {
  open(options, { type, quirks: switched }, info) {
    // Azure's Chat Completions are OpenAI's.
    const quirks = quirksOf(type === 'azure' ? 'openai' : type, switched)
    const capabilities: ModelCapabilities = {
      ...BELIEVED,
      customTools: quirks.customTools,
      structuredOutput: quirks.structuredOutput === 'json_schema',
      logprobs: quirks.logprobs,
      ...info,
    }
    return createChatCompletionsModel({ ...options, quirks, capabilities })
  },
  listKind: ({ type }) => ENGINE_LISTS[type] ?? 'openai',
  authorize: bearer,
}

const ANTHROPIC: Wire = {
  open(options, _connection, info) {
    const { thinking, structuredOutput } = familyOf(options.model)
    const believed = { ...BELIEVED, logprobs: false, reasoning: thinking !== 'none', structuredOutput }
    return createAnthropicModel({ ...options, capabilities: { ...believed, ...info } })
  },
  listKind: () => 'anthropic',
  base: ({ apiBase }) => withVersion(apiBase),
  authorize: (apiKey) => ({ 'x-api-key': apiKey, 'anthropic-version': ANTHROPIC_VERSION }),
}

const RESPONSES: Wire = {
  open(options, { type, hostedTools, quirks: switched }, info) {
    const quirks = responsesQuirksOf(type, switched)
    const capabilities: ModelCapabilities = { ...BELIEVED, customTools: quirks.customTools, hostedTools, ...info }
    return createResponsesModel({ ...options, quirks, capabilities, keyHeaders: (key) => keyHeaders(type, key) })
  },
  listKind: CHAT.listKind,
  base: withApiVersion,
  authorize: (apiKey, { type }) => keyHeaders(type, apiKey),
}

const GEMINI: Wire = {
  open: createGeminiModel,
  listKind: ({ apiBase }) => (isVertex({ baseUrl: apiBase }) ? 'none' : 'gemini'),
  authorize: (apiKey, { apiBase }) => authHeaders(apiKey, { baseUrl: apiBase }),
}

const WIRES: Readonly<Record<Exclude<WireApi, 'ai_sdk'>, Wire>> = {
  chat: CHAT,
  responses: RESPONSES,
  anthropic: ANTHROPIC,
  gemini: GEMINI,
}

export const clocksOf = ({ timeoutMs }: ProviderConfig, { limits }: ResolvedConfig): UpstreamClocks => ({
  connectMs: limits.upstreamConnectMs,
  firstByteMs: limits.upstreamFirstByteMs,
  idleMs: limits.upstreamIdleMs,
  wholeMs: timeoutMs,
})

/** Any connection that is spoken to in an API we know ourselves; for the others see `openBridge`. */
export function openProvider(connection: ProviderConfig, config: ResolvedConfig, deps: ProviderDeps) {
  const { name, apiKey, headers, wireApi } = connection
  if (wireApi === 'ai_sdk') throw new TypeError(`The provider '${name}' is reached through a package.`)
  const wire = WIRES[wireApi]
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

/** Only Azure's older endpoints have one. */
function withApiVersion({ apiBase, apiVersion }: ProviderConfig): string {
  return apiVersion === null ? apiBase : `${apiBase}?api-version=${encodeURIComponent(apiVersion)}`
}
