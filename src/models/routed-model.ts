/**
 * A model made of deployments. A turn goes to one of the first tier; when that fails before its first batch it goes on
 * to the next, then to the next tier. A deployment that keeps failing rests, one at its limits is passed over.
 *
 * Invariant: when all who are left rest, one of them is asked at most. So an outage of everything costs one call per
 * turn, not one per deployment.
 */
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { commonCapabilities, commonFields } from './common-abilities.ts'
import { type DeploymentHealth, isDeploymentFailure } from './deployment-health.ts'
import { type DeploymentLimits, roughTokens } from './deployment-limits.ts'
import type { DeploymentLoad, RunningCall } from './deployment-load.ts'
import { type Model, type ModelContext, ModelError, type ModelTurn, type NotCarried, type TakenRoute } from './model.ts'
import { observeEnd } from './observe-end.ts'
import { newestOrigin } from './own-reasoning.ts'
import { orderTier, type Strategy } from './route-order.ts'
import { switchUntilFirst } from './switch-until-first.ts'
import { canServe } from './turn-needs.ts'

export type Deployment = {
  readonly model: Model
  readonly provider: string
  /** The name this deployment's provider knows; replaces `turn.model`. */
  readonly upstreamModel: string
  /** Share of the turns within its tier, above 0. */
  readonly weight: number
  readonly health: DeploymentHealth
  readonly load: DeploymentLoad
  /** Null: no limits of ours. */
  readonly limits: DeploymentLimits | null
}

export type RoutedOptions = {
  readonly clock: Clock
  readonly ids: Ids
  readonly strategy: Strategy
  /** In order of preference; the first tier is what the name stands for, the others are its fallbacks. */
  readonly tiers: readonly (readonly Deployment[])[]
  /** Asked after a refusal for reasons of content, and only then. */
  readonly contentPolicyTiers?: readonly (readonly Deployment[])[]
}

export interface RoutedModel extends Model {
  /**
   * The same with a deployment already chosen for a turn, and for those that follow it. Throws `ModelError`
   * (`rate_limit`) when all are at their limits.
   */
  choose(turn: ModelTurn): { readonly model: Model; readonly provider: string; readonly upstreamModel: string }
}

export function routed(options: RoutedOptions): RoutedModel {
  const primaries = options.tiers[0] ?? []
  if (primaries.length === 0) throw new RangeError('A model needs at least one deployment.')
  return {
    ...pinned(options, null),
    choose(turn) {
      const chosen = firstChoice(options, turn)
      return { provider: chosen.provider, upstreamModel: chosen.upstreamModel, model: pinned(options, chosen) }
    },
  }
}

/** `chosen`: tried first as long as it can be asked, and replaced by whoever had to stand in. */
function pinned(options: RoutedOptions, chosen: Deployment | null): Model {
  const primaries = options.tiers[0] ?? []
  const spoken = chosen === null ? primaries : [chosen]
  let preferred = chosen
  return {
    capabilities: commonCapabilities(spoken.map(({ model }) => model.capabilities)),
    fields: commonFields(spoken.map(({ model }) => model.fields)),
    notCarried: (turn) => spoken.flatMap((deployment) => notCarriedBy(deployment, turn)),
    stream(turn, context) {
      const route = createRoute(options, preferred, turn)
      const onAccepted = (deployment: Deployment) => {
        if (preferred !== null) preferred = deployment
      }
      return streamAlong(route, { turn, context, onAccepted, tracksLoad: options.strategy !== 'weighted' })
    },
    countInputTokens: (turn, context) => countFrom(order(options, preferred, turn), turn, context),
  }
}

const turnFor = (turn: ModelTurn, { upstreamModel }: Deployment): ModelTurn => ({ ...turn, model: upstreamModel })

const notCarriedBy = (deployment: Deployment, turn: ModelTurn): readonly NotCarried[] =>
  deployment.model.notCarried?.(turnFor(turn, deployment)) ?? []

// ---- who is asked, and in which order -----------------------------------------------------------------------------

/** All deployments that can carry the turn. */
function order(options: RoutedOptions, preferred: Deployment | null, turn: ModelTurn): readonly Deployment[] {
  const ordered = orderTiers(options.tiers, options, turn)
  if (preferred === null || !ordered.includes(preferred)) return ordered
  return [preferred, ...ordered.filter((deployment) => deployment !== preferred)]
}

function orderTiers(tiers: RoutedOptions['tiers'], { ids, strategy }: RoutedOptions, turn: ModelTurn) {
  const how = { strategy, random: () => ids.random(), key: turn.promptCacheKey, origin: newestOrigin(turn) }
  const ordered = tiers.flatMap((tier) => orderTier(tier, how))
  if (ordered.length < 2) return ordered
  const able = ordered.filter((deployment) => canServe(deployment.model, turnFor(turn, deployment)))
  // When none can, the first is asked what it thinks of it: planning has refused or reported what is lost.
  return able.length > 0 ? able : ordered
}

function firstChoice(options: RoutedOptions, turn: ModelTurn): Deployment {
  const ordered = order(options, null, turn)
  const tokens = estimate(ordered, turn)
  const open = ordered.filter(({ limits }) => (limits?.waitMs(tokens) ?? 0) === 0)
  const chosen = open.find(({ health }) => !health.isResting()) ?? open[0]
  if (chosen === undefined) throw atLimits(ordered, tokens)
  return chosen
}

/** Costs a walk over the turn, so only where somebody counts. */
const estimate = (deployments: readonly Deployment[], turn: ModelTurn): number =>
  deployments.some(({ limits }) => limits !== null) ? roughTokens(turn) : 0

function atLimits(deployments: readonly Deployment[], tokens: number): ModelError {
  const waits = deployments.map(({ limits }) => limits?.waitMs(tokens) ?? 0)
  const message = 'Every deployment of this model is at its limit of requests or tokens per minute.'
  return new ModelError('rate_limit', message, { retryAfterMs: Math.min(...waits) })
}

type Failed = { readonly deployment: Deployment; readonly error: ModelError }

interface Route {
  readonly tokens: number
  /** The next to ask, null when nobody is left. `after`: what happened before. */
  next(after: Failed | null): Deployment | null
  /** The failure of a turn for which nobody could be asked. */
  nobody(): ModelError
}

function createRoute(options: RoutedOptions, preferred: Deployment | null, turn: ModelTurn): Route {
  const all = order(options, preferred, turn)
  const tokens = estimate(all, turn)
  let waiting = all
  let smallest = 0
  const hasRoom = ({ limits }: Deployment) => (limits?.waitMs(tokens) ?? 0) === 0
  /** A window that is known to be no larger than one that was too small is not worth a call. */
  const fits = ({ model }: Deployment) => (model.capabilities.contextWindow ?? Number.POSITIVE_INFINITY) > smallest
  return {
    tokens,
    next(after) {
      if (after?.error.kind === 'content_policy') waiting = orderTiers(options.contentPolicyTiers ?? [], options, turn)
      if (after?.error.kind === 'context_length') {
        smallest = Math.max(smallest, after.deployment.model.capabilities.contextWindow ?? 0)
      }
      const open = waiting.filter((deployment) => fits(deployment) && hasRoom(deployment))
      const found = open.find(({ health }) => !health.isResting()) ?? (after === null ? open[0] : undefined)
      waiting = waiting.filter((deployment) => deployment !== found)
      return found ?? null
    },
    nobody: () => atLimits(all, tokens),
  }
}

// ---- asking -------------------------------------------------------------------------------------------------------

type Asking = {
  readonly turn: ModelTurn
  readonly context: ModelContext
  readonly onAccepted: (deployment: Deployment) => void
  readonly tracksLoad: boolean
}

/** `context_length` and `content_policy` move on too, but they are no sign of ill health. */
const isMovable = (error: unknown): error is ModelError =>
  error instanceof ModelError &&
  (error.kind === 'context_length' || error.kind === 'content_policy' || isDeploymentFailure(error))

function streamAlong(route: Route, { turn, context, onAccepted, tracksLoad }: Asking) {
  let deployment = route.next(null)
  let after: TakenRoute['after'] = null
  let call: Call | null = null
  let firstError: unknown
  const stream = switchUntilFirst({
    open() {
      if (deployment === null) throw route.nobody()
      const { provider, upstreamModel, model } = deployment
      context.onRoute?.({ provider, model: upstreamModel, after })
      call = beginCall(deployment, route.tokens, tracksLoad)
      return model.stream(turnFor(turn, deployment), watched(context, deployment, call))
    },
    onAccepted() {
      if (deployment === null) return
      deployment.health.succeeded()
      call?.accepted()
      onAccepted(deployment)
    },
    async onFailed(_attempt, error) {
      if (deployment === null) throw error
      const failed = deployment
      call?.end()
      judge(failed.health, error)
      firstError ??= error
      if (!isMovable(error) || context.signal.aborted) throw error
      deployment = route.next({ deployment: failed, error })
      // The caller asked for the first one: its failure tells more than that of the last resort.
      if (deployment === null) throw firstError
      after = { provider: failed.provider, model: failed.upstreamModel, reason: error.kind }
    },
  })
  return tracksLoad ? observeEnd(stream, () => call?.end()) : stream
}

function judge(health: DeploymentHealth, error: unknown): void {
  if (!(error instanceof ModelError) || error.kind === 'aborted') health.left()
  else if (isDeploymentFailure(error)) health.failed(error)
  else health.succeeded()
}

type Call = RunningCall & { readonly settle: ((tokens: number) => void) | null }

/** What nobody orders by is not measured. */
const UNMEASURED: RunningCall = { accepted() {}, end() {} }

function beginCall({ health, load, limits }: Deployment, tokens: number, tracksLoad: boolean): Call {
  health.asked()
  return { ...(tracksLoad ? load.begin() : UNMEASURED), settle: limits?.take(tokens).settle ?? null }
}

/** Several attempts of one call, as of a repair, cost their sum, and count as so many requests. */
function watched(context: ModelContext, { limits }: Deployment, { settle }: Call): ModelContext {
  if (settle === null) return context
  let spent = 0
  let attempts = 0
  return {
    ...context,
    onAttempt(attempt) {
      attempts += 1
      if (attempts > 1) limits?.take(0)
      spent += attempt.usage?.total_tokens ?? 0
      if (spent > 0) settle(spent)
      context.onAttempt?.(attempt)
    },
  }
}

async function countFrom(deployments: readonly Deployment[], turn: ModelTurn, context: ModelContext): Promise<number> {
  let firstError: unknown
  for (const deployment of deployments) {
    try {
      return await deployment.model.countInputTokens(turnFor(turn, deployment), context)
    } catch (error) {
      firstError ??= error
      if (!isMovable(error) || context.signal.aborted) throw error
    }
  }
  throw firstError
}
