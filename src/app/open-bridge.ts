/** Composition: a connection that a package of the AI SDK reaches -> a provider of models, or why there is none. */
import type { BridgeConfig, DisabledProvider, ProviderConfig, ResolvedConfig } from '../config/resolved-config.ts'
import { createUpstreamAgent } from '../lib/upstream-http.ts'
import { createAiSdkModel } from '../models/ai-sdk/ai-sdk-model.ts'
import { createBridgeFetch } from '../models/ai-sdk/bridge-fetch.ts'
import { dialectOf } from '../models/ai-sdk/dialect.ts'
import { loadPackage, PackageError } from '../models/ai-sdk/load-package.ts'
import type { ModelCapabilities } from '../models/model.ts'
import type { ModelInfo } from '../models/model-info.ts'
import type { ModelProvider } from '../models/model-provider.ts'
import { sanitizeMessage } from '../models/upstream/sanitize-message.ts'
import { clocksOf, type ProviderDeps } from './open-provider.ts'
import { BELIEVED } from './wires/wire.ts'

export type OpenedProvider = { readonly provider: ModelProvider; close(): Promise<void> }

/** The package is loaded here, so that a missing one is told at start. Such providers have no list of models. */
export async function openBridge(
  connection: ProviderConfig & { readonly bridge: BridgeConfig },
  config: ResolvedConfig,
  deps: ProviderDeps,
): Promise<OpenedProvider | DisabledProvider> {
  const { name, bridge: source, headers } = connection
  const { packageName } = source
  const { clock } = deps
  const clocks = clocksOf(connection, config)
  const dispatcher = createUpstreamAgent(clocks)
  try {
    const bridge = createBridgeFetch({ dispatcher, clock, clocks })
    const model = (await loadPackage(source))({ ...settingsOf(connection), fetch: bridge.fetch })
    // Made once now, for what is wrong with the package or its settings to be told at start.
    model('any')
    const adapter = {
      provider: name,
      packageName,
      secrets: secretsOf(connection),
      headers,
      bridge,
      clock,
      clocks,
      model,
    }
    const provider: ModelProvider = {
      name,
      ownedBy: name,
      listModels: async () => [],
      open: (_model, info) => createAiSdkModel({ ...adapter, capabilities: bridgedCapabilities(packageName, info) }),
    }
    return { provider, close: () => dispatcher.destroy() }
  } catch (error) {
    await dispatcher.destroy()
    if (error instanceof PackageError) return { name, reason: error.message }
    const said = sanitizeMessage(error instanceof Error ? error.message : String(error), secretsOf(connection))
    return { name, reason: `its package ${packageName} does not start: ${said}` }
  }
}

export const bridgedCapabilities = (packageName: string, info: ModelInfo): ModelCapabilities => ({
  ...BELIEVED,
  logprobs: dialectOf(packageName).fields.top_logprobs === 'native',
  ...info,
})

/** Key, address and headers stand above what the operator's options say of the same. */
const settingsOf = ({ apiBase, apiKey, headers, bridge }: ProviderConfig) => ({
  ...bridge?.options,
  ...(apiKey !== null && { apiKey }),
  ...(apiBase !== '' && { baseURL: apiBase }),
  ...(Object.keys(headers).length > 0 && { headers }),
})

const SECRET_NAME = /key|token|secret|password|credential/i

function secretsOf({ apiKey, headers, bridge }: ProviderConfig): readonly string[] {
  return [...(apiKey === null ? [] : [apiKey]), ...Object.values(headers), ...secretsIn(bridge?.options, false)]
}

/** Texts under names that sound like secrets, at any depth. */
function secretsIn(value: unknown, named: boolean): readonly string[] {
  if (typeof value === 'string') return named ? [value] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => secretsIn(inner, named || SECRET_NAME.test(key)))
}
