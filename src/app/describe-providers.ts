/** Composition: what a person is told about the providers at start and by `antiphon models`. */

import type { ModelOverview, ProviderSummary } from '../cli/app-interface.ts'
import type { ProviderConfig, ResolvedConfig } from '../config/resolved-config.ts'
import { type Clock, sleep } from '../lib/clock.ts'
import type { ModelProvider } from '../models/model-provider.ts'
import type { ListedModel } from '../models/provider-models.ts'
import type { ModelParts } from './open-models.ts'

/** How long a start waits to hear what models a provider has; a slow one is shown without a count. */
export const START_LIST_WAIT_MS = 400
const MAX_EXAMPLES = 3
const UNHEARD = 'unheard'

type Heard = { readonly provider: ModelProvider; readonly rows: readonly ListedModel[] | typeof UNHEARD | Error }

export async function describeProviders(
  config: ResolvedConfig,
  models: ModelParts,
  options: { readonly clock: Clock; readonly waitMs: number },
): Promise<Pick<ModelOverview, 'providers' | 'defaultModel'>> {
  const heard = await Promise.all(models.providers.map((provider) => hear(provider, options)))
  return {
    providers: [
      ...heard.filter((it) => !isUnused(it, models.connections)).map((it) => summaryOf(it, models.connections)),
      ...models.engines.filter(({ needsKey }) => needsKey).map(({ name, baseUrl }) => lockedEngine(name, baseUrl)),
      ...[...config.disabledProviders, ...models.disabled].map(({ name, reason }) => off(name, reason)),
    ],
    defaultModel: config.defaults.model ?? firstModel(heard, models.connections),
  }
}

async function hear(provider: ModelProvider, { clock, waitMs }: { clock: Clock; waitMs: number }): Promise<Heard> {
  const done = new AbortController()
  const rows = provider
    .listModels()
    .catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))))
  const late = sleep(clock, waitMs, done.signal).then(() => UNHEARD as typeof UNHEARD)
  try {
    return { provider, rows: await Promise.race([rows, late]) }
  } finally {
    done.abort()
  }
}

function summaryOf({ provider, rows }: Heard, connections: readonly ProviderConfig[]): ProviderSummary {
  const connection = connections.find(({ name }) => name === provider.name)
  const base = { name: provider.name, source: connection?.source ?? 'built in' }
  if (rows instanceof Error)
    return { ...base, state: 'unreachable', modelCount: null, examples: [], note: rows.message }
  if (rows === UNHEARD) return { ...base, state: 'ready', modelCount: null, examples: [], note: null }
  const examples = rows.slice(0, MAX_EXAMPLES).map(({ id }) => id)
  const note = connection === undefined ? 'works offline' : null
  return { ...base, state: 'ready', modelCount: rows.length, examples, note }
}

/** Everybody has a folder for local models; who has pulled none need not hear of it. */
const isUnused = ({ provider, rows }: Heard, connections: readonly ProviderConfig[]) =>
  Array.isArray(rows) && rows.length === 0 && connections.some(({ name, local }) => name === provider.name && local)

const off = (name: string, note: string): ProviderSummary => ({
  name,
  state: 'off',
  source: '',
  modelCount: null,
  examples: [],
  note,
})

const lockedEngine = (name: string, baseUrl: string) =>
  off(name, `runs at ${baseUrl} but wants a key: name it under providers in antiphon.yaml`)

/**
 * The model of the example at start, when none is configured. One that runs on this machine comes first: it is there
 * for sure and costs nothing to try; then what a provider says it has; at last the demo model.
 */
function firstModel(heard: readonly Heard[], connections: readonly ProviderConfig[]): string | null {
  const isLocal = ({ provider }: Heard) =>
    connections.some(({ name, apiBase }) => name === provider.name && onLoopback(apiBase))
  const ordered = [...heard.filter(isLocal), ...heard.filter((it) => !isLocal(it))]
  for (const { provider, rows } of ordered) {
    if (!Array.isArray(rows)) continue
    const [first] = rows
    if (first) return provider.name === first.id ? first.id : `${provider.name}/${first.id}`
  }
  return null
}

const onLoopback = (url: string) => /^(127\.|localhost$|\[::1\]$)/.test(URL.parse(url)?.hostname ?? '')
