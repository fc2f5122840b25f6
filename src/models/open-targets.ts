/** Targets -> one `Model`: adapter, emulation, retry and routing, each a `Model` around the other. */
import { type Clock, sleep } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { createDeploymentHealth, type DeploymentHealth } from './deployment-health.ts'
import { createDeploymentLimits, type DeploymentLimits } from './deployment-limits.ts'
import { createDeploymentLoad, type DeploymentLoad } from './deployment-load.ts'
import { emulate } from './emulate.ts'
import type { Fetching } from './inline-urls.ts'
import type { IsolatedChecks } from './isolated-checks.ts'
import { findListed } from './locate-model.ts'
import type { FieldTable, Model } from './model.ts'
import { knownModelInfo, type ModelInfo, mergeInfo } from './model-info.ts'
import type { ModelProvider, Target, Tiers } from './model-provider.ts'
import { infoOfFields } from './overridden-fields.ts'
import { ownReasoning } from './own-reasoning.ts'
import type { RetryBudget } from './retry-budget.ts'
import { MAX_ATTEMPTS, retrying } from './retrying-model.ts'
import type { Strategy } from './route-order.ts'
import { type Deployment, type RoutedModel, routed } from './routed-model.ts'

/** How long opening a model waits for what its provider says about it. */
export const LIVE_INFO_WAIT_MS = 1000

export type RouterOptions = {
  readonly strategy?: Strategy
  /** Upstream calls of one turn to one tier, spread over its deployments; at least one each. */
  readonly maxAttempts?: number
  readonly allowedFails?: number
  readonly cooldownMs?: number
}

/** What a probe found out about a deployment; null: it was not probed. */
export type Findings = (
  provider: string,
  upstreamModel: string,
) => { readonly testedAt: string; readonly fields: FieldTable } | null

export type Opened = {
  readonly model: Model
  /** Absent: there is nothing to choose. */
  readonly choose?: RoutedModel['choose']
  /** The provider was heard, so the capabilities will not change soon. */
  readonly certain: boolean
  /** What the name stands for, one by one. */
  readonly deployments: readonly (Target & { readonly model: Model; readonly testedAt: string | null })[]
}

export type Opener = {
  open(tiers: Tiers): Promise<Opened>
  /** Adapter and emulation only, for capabilities. */
  openBare(provider: ModelProvider, upstreamModel: string, info: ModelInfo): Model
}

export type OpenerOptions = {
  readonly providers: ReadonlyMap<string, ModelProvider>
  readonly router: RouterOptions
  readonly findings: Findings
  readonly budget: RetryBudget
  readonly checks: IsolatedChecks
  readonly fetching?: Fetching
  readonly clock: Clock
  readonly ids: Ids
}

export function createOpener(options: OpenerOptions): Opener {
  const { router, clock, ids } = options
  const memory = createMemory(options)
  return {
    openBare: (provider, upstreamModel, live) =>
      bareModel({ provider, upstreamModel, live, info: {}, fields: {} }, options),
    async open({ primary, fallbacks, contentPolicy }) {
      const openTier = (tier: readonly Target[]) => {
        const maxAttempts = Math.max(1, Math.floor((router.maxAttempts ?? MAX_ATTEMPTS) / tier.length))
        return Promise.all(tier.map((target) => openTarget(target, maxAttempts, options)))
      }
      const tiers = await Promise.all([primary, ...fallbacks].map(openTier))
      const policyTiers = await Promise.all(contentPolicy.map(openTier))
      const deployments = tiers[0] ?? []
      const certain = tiers.flat().every((one) => one.certain)
      const only =
        tiers.length === 1 && policyTiers.length === 0 && deployments.length === 1 ? deployments[0] : undefined
      if (only !== undefined && only.rpm === null && only.tpm === null) {
        return { model: only.model, certain, deployments }
      }
      const model = routed({
        clock,
        ids,
        strategy: router.strategy ?? 'weighted',
        tiers: tiers.map((tier) => tier.map(memory.remembered)),
        contentPolicyTiers: policyTiers.map((tier) => tier.map(memory.remembered)),
      })
      return { model, choose: model.choose, certain, deployments }
    },
  }
}

type OpenTarget = Target & { readonly model: Model; readonly certain: boolean; readonly testedAt: string | null }

async function openTarget(target: Target, maxAttempts: number, options: OpenerOptions): Promise<OpenTarget> {
  const { providers, budget, clock, ids } = options
  const provider = providers.get(target.provider)
  if (provider === undefined) throw new RangeError(`There is no provider '${target.provider}'.`)
  const live = await liveInfo(provider, target.upstreamModel, clock)
  const bare = bareModel({ ...target, provider, live: live ?? {} }, options)
  const model = retrying(ownReasoning(bare, provider.name), { clock, ids, budget, maxAttempts })
  const testedAt = options.findings(target.provider, target.upstreamModel)?.testedAt ?? null
  return { ...target, model, certain: live !== null, testedAt }
}

type Bare = {
  readonly provider: ModelProvider
  readonly upstreamModel: string
  /** What the provider says. */
  readonly live: ModelInfo
  /** What the operator says. */
  readonly info: ModelInfo
  readonly fields: FieldTable
}

/** Later ones know better: the name, the provider, a probe, the operator. */
function bareModel({ provider, upstreamModel, live, info, fields }: Bare, options: OpenerOptions): Model {
  const found = options.findings(provider.name, upstreamModel)?.fields ?? {}
  const known = mergeInfo(knownModelInfo(upstreamModel), live, infoOfFields(found), info, infoOfFields(fields))
  const sees = known.imageInput === true && { seesImages: true }
  return emulate(provider.open(upstreamModel, { ...known, ...sees }), { ...found, ...fields }, options)
}

/** What is remembered of deployments outlives the models opened for them; only configured ones come here, so it is bounded. */
function createMemory({ clock, router }: OpenerOptions) {
  const places = new Map<string, { readonly health: DeploymentHealth; readonly load: DeploymentLoad }>()
  const limits = new Map<string, DeploymentLimits>()
  const placeOf = (key: string) => {
    const place = places.get(key) ?? {
      health: createDeploymentHealth({ clock, ...router }),
      load: createDeploymentLoad(clock),
    }
    places.set(key, place)
    return place
  }
  const limitsOf = (target: Target): DeploymentLimits | null => {
    if (target.rpm === null && target.tpm === null) return null
    const found = limits.get(target.id) ?? createDeploymentLimits(target, clock)
    limits.set(target.id, found)
    return found
  }
  return {
    remembered: (target: OpenTarget): Deployment => ({
      ...target,
      ...placeOf(`${target.provider}/${target.upstreamModel}`),
      limits: limitsOf(target),
    }),
  }
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
