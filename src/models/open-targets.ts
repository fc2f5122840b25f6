/** Targets -> one `Model`: adapter, emulation, retry and fallback, each a `Model` around the other. */
import { type Clock, sleep } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { customToolsAsFunctions } from './custom-tools-as-functions.ts'
import { demandedCallsByPrompt } from './demanded-calls-by-prompt.ts'
import { createDeploymentHealth, type Deployment, type DeploymentHealth, fallback } from './fallback-model.ts'
import type { IsolatedChecks } from './isolated-checks.ts'
import { findListed } from './locate-model.ts'
import type { Model } from './model.ts'
import { knownModelInfo, type ModelInfo, mergeInfo } from './model-info.ts'
import type { ModelProvider, Target, Tiers } from './model-provider.ts'
import type { RetryBudget } from './retry-budget.ts'
import { MAX_ATTEMPTS, retrying } from './retrying-model.ts'
import { structuredOutputByPrompt } from './structured-output-by-prompt.ts'

/** How long opening a model waits for what its provider says about it. */
export const LIVE_INFO_WAIT_MS = 1000

export type RouterOptions = {
  /** Upstream calls of one turn to one tier, spread over its deployments; at least one each. */
  readonly maxAttempts?: number
  readonly allowedFails?: number
  readonly cooldownMs?: number
}

export type Opener = {
  /** `certain`: the provider was heard, so the capabilities will not change soon. */
  open(tiers: Tiers): Promise<{ readonly model: Model; readonly certain: boolean }>
  /** Adapter and emulation only, for capabilities. */
  openBare(provider: ModelProvider, upstreamModel: string, info: ModelInfo): Model
}

export type OpenerOptions = {
  readonly providers: ReadonlyMap<string, ModelProvider>
  readonly router: RouterOptions
  readonly budget: RetryBudget
  readonly checks: IsolatedChecks
  readonly clock: Clock
  readonly ids: Ids
}

export function createOpener(options: OpenerOptions): Opener {
  const { providers, router, budget, clock, ids } = options
  /** Outlives the opened models; only models of the configuration come here, so it is bounded. */
  const healths = new Map<string, DeploymentHealth>()

  const healthOf = (target: Target): DeploymentHealth => {
    const key = `${target.provider}/${target.upstreamModel}`
    const health = healths.get(key) ?? createDeploymentHealth({ clock, ...router })
    healths.set(key, health)
    return health
  }
  const openTarget = async (target: Target, maxAttempts: number) => {
    const provider = providers.get(target.provider)
    if (provider === undefined) throw new RangeError(`There is no provider '${target.provider}'.`)
    const live = await liveInfo(provider, target.upstreamModel, clock)
    const info = mergeInfo(live ?? {}, target.info)
    const model = emulate(provider, target.upstreamModel, info, options)
    return { model: retrying(model, { clock, ids, budget, maxAttempts }), certain: live !== null }
  }
  return {
    openBare: (provider, upstreamModel, info) => emulate(provider, upstreamModel, info, options),
    async open(tiers) {
      const attempts = (tier: readonly Target[]) =>
        Math.max(1, Math.floor((router.maxAttempts ?? MAX_ATTEMPTS) / tier.length))
      const opened = await Promise.all(
        tiers.map((tier) => Promise.all(tier.map((target) => openTarget(target, attempts(tier))))),
      )
      const certain = opened.flat().every((one) => one.certain)
      const only = opened.flat().length === 1 ? opened[0]?.[0] : undefined
      if (only !== undefined) return { model: only.model, certain }
      const deployments = tiers.map((tier, row) =>
        tier.flatMap((target, column): Deployment[] => {
          const model = opened[row]?.[column]?.model
          return model === undefined ? [] : [{ ...target, model, health: healthOf(target) }]
        }),
      )
      return { model: fallback({ clock, ids, tiers: deployments }), certain }
    },
  }
}

function emulate(provider: ModelProvider, upstreamModel: string, info: ModelInfo, options: OpenerOptions): Model {
  const adapter = provider.open(upstreamModel, mergeInfo(knownModelInfo(upstreamModel), info))
  const withTools = adapter.capabilities.customTools ? adapter : customToolsAsFunctions(adapter, options)
  return structuredOutputByPrompt(demandedCallsByPrompt(withTools, options), options)
}

/** What the provider says about a model; null when it does not say so in time. */
async function liveInfo(provider: ModelProvider, upstreamModel: string, clock: Clock): Promise<ModelInfo | null> {
  const answered = new AbortController()
  const listed = provider.listModels().then(
    (rows) => findListed(rows, upstreamModel)?.info ?? {},
    () => null,
  )
  try {
    return await Promise.race([listed, sleep(clock, LIVE_INFO_WAIT_MS, answered.signal).then(() => null)])
  } finally {
    answered.abort()
  }
}
