/**
 * A model made of deployments. A turn goes to one of the first tier, chosen by weight; when that fails before its
 * first batch it goes to the next, then to the next tier. A deployment that keeps failing is left out for a while.
 */
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import {
  type FieldSupport,
  type FieldTable,
  type Model,
  type ModelCapabilities,
  type ModelContext,
  ModelError,
  type ModelErrorKind,
  type ModelTurn,
  type NotCarried,
  TURN_FIELDS,
  type TurnField,
} from './model.ts'
import { switchUntilFirst } from './switch-until-first.ts'
import { canServe } from './turn-needs.ts'

/** Failures in a row after which a deployment is left out. */
export const ALLOWED_FAILS = 3
export const COOLDOWN_MS = 30_000

export type Deployment = {
  readonly model: Model
  /** The name this deployment's provider knows; replaces `turn.model`. */
  readonly upstreamModel: string
  /** Share of the turns within its tier, above 0. */
  readonly weight: number
  readonly health: DeploymentHealth
}

export type FallbackOptions = {
  readonly clock: Clock
  readonly ids: Ids
  /** In order of preference; the first tier is what the name stands for, the others are its fallbacks. */
  readonly tiers: readonly (readonly Deployment[])[]
}

/** Failures that say something about the deployment: another one may do better. */
const DEPLOYMENT_FAILURES: ReadonlySet<ModelErrorKind> = new Set([
  'rate_limit',
  'quota',
  'unavailable',
  'connection',
  'timeout',
  'auth',
  'model_not_found',
])
/** `context_length` moves on too, since another model may have a larger window, but it is no sign of ill health. */
const isMovable = (error: unknown): error is ModelError =>
  error instanceof ModelError && (error.kind === 'context_length' || DEPLOYMENT_FAILURES.has(error.kind))

export interface DeploymentHealth {
  isCooling(): boolean
  succeeded(): void
  failed(): void
}

/** The memory of one deployment. It outlives the models built around it. */
export function createDeploymentHealth(options: {
  readonly clock: Clock
  readonly allowedFails?: number
  readonly cooldownMs?: number
}): DeploymentHealth {
  const { clock, allowedFails = ALLOWED_FAILS, cooldownMs = COOLDOWN_MS } = options
  let fails = 0
  let coolUntil = Number.NEGATIVE_INFINITY
  return {
    isCooling: () => clock.monotonic() < coolUntil,
    succeeded() {
      fails = 0
      coolUntil = Number.NEGATIVE_INFINITY
    },
    failed() {
      fails += 1
      if (fails >= allowedFails) coolUntil = clock.monotonic() + cooldownMs
    },
  }
}

export function fallback(options: FallbackOptions): Model {
  const primaries = options.tiers[0] ?? []
  if (primaries.length === 0) throw new RangeError('A model needs at least one deployment.')
  return {
    capabilities: commonCapabilities(primaries.map((deployment) => deployment.model.capabilities)),
    fields: commonFields(primaries.map((deployment) => deployment.model.fields)),
    stream: (turn, context) => streamFrom(order(options, turn), turn, context),
    notCarried: (turn) => primaries.flatMap(({ model, upstreamModel }) => notCarriedBy(model, turn, upstreamModel)),
    countInputTokens: (turn, context) => countFrom(order(options, turn), turn, context),
  }
}

const notCarriedBy = (model: Model, turn: ModelTurn, upstreamModel: string): readonly NotCarried[] =>
  model.notCarried?.({ ...turn, model: upstreamModel }) ?? []

function streamFrom(deployments: readonly Deployment[], turn: ModelTurn, context: ModelContext) {
  let firstError: unknown
  return switchUntilFirst({
    open(attempt) {
      const deployment = deployments[attempt]
      if (deployment === undefined) throw firstError
      return deployment.model.stream({ ...turn, model: deployment.upstreamModel }, context)
    },
    onAccepted: (attempt) => deployments[attempt]?.health.succeeded(),
    async onFailed(attempt, error) {
      firstError ??= error
      if (error instanceof ModelError && DEPLOYMENT_FAILURES.has(error.kind)) deployments[attempt]?.health.failed()
      if (!isMovable(error) || context.signal.aborted) throw error
      // The caller asked for the first one: its failure tells more than that of the last resort.
      if (attempt + 1 >= deployments.length) throw firstError
    },
  })
}

async function countFrom(deployments: readonly Deployment[], turn: ModelTurn, context: ModelContext): Promise<number> {
  let firstError: unknown
  for (const { model, upstreamModel } of deployments) {
    try {
      return await model.countInputTokens({ ...turn, model: upstreamModel }, context)
    } catch (error) {
      firstError ??= error
      if (!isMovable(error) || context.signal.aborted) throw error
    }
  }
  throw firstError
}

/** All deployments that can carry the turn, in the order to try them; the cooling ones last, never left out. */
function order({ tiers, ids }: FallbackOptions, turn: ModelTurn): readonly Deployment[] {
  const shuffled = tiers.flatMap((tier) => shuffleByWeight(tier, ids))
  const able = shuffled.filter((deployment) => canServe(deployment.model.capabilities, turn))
  const candidates = able.length > 0 ? able : shuffled
  return [
    ...candidates.filter((deployment) => !deployment.health.isCooling()),
    ...candidates.filter((deployment) => deployment.health.isCooling()),
  ]
}

/** Each next one is drawn with a chance in proportion to its weight. */
function shuffleByWeight(tier: readonly Deployment[], ids: Ids): readonly Deployment[] {
  const rest = [...tier]
  const drawn: Deployment[] = []
  while (rest.length > 1) {
    let point = ids.random() * rest.reduce((total, deployment) => total + deployment.weight, 0)
    const found = rest.findIndex((deployment) => {
      point -= deployment.weight
      return point < 0
    })
    drawn.push(...rest.splice(found === -1 ? rest.length - 1 : found, 1))
  }
  return [...drawn, ...rest]
}

const WORST_LAST: readonly FieldSupport[] = ['native', 'emulated', 'ignored', 'refused']

/** How a field fares where it fares worst. */
function commonFields(all: readonly FieldTable[]): FieldTable {
  const worst = (field: TurnField) => Math.max(...all.map((fields) => WORST_LAST.indexOf(fields[field] ?? 'native')))
  return Object.fromEntries(TURN_FIELDS.map((field) => [field, WORST_LAST[worst(field)]]))
}

/** What every one of them can do, since nobody knows which one it will be. */
function commonCapabilities(all: readonly ModelCapabilities[]): ModelCapabilities {
  const smallest = (field: 'contextWindow' | 'maxOutputTokens') => {
    const known = all.map((capabilities) => capabilities[field]).filter((value) => value !== null)
    return known.length === 0 ? null : Math.min(...known)
  }
  const every = (field: Exclude<keyof ModelCapabilities, 'contextWindow' | 'maxOutputTokens' | 'hostedTools'>) =>
    all.every((capabilities) => capabilities[field])
  return {
    contextWindow: smallest('contextWindow'),
    maxOutputTokens: smallest('maxOutputTokens'),
    imageInput: every('imageInput'),
    fileInput: every('fileInput'),
    functionTools: every('functionTools'),
    customTools: every('customTools'),
    structuredOutput: every('structuredOutput'),
    reasoning: every('reasoning'),
    logprobs: every('logprobs'),
    hostedTools: (all[0]?.hostedTools ?? []).filter((tool) => all.every((it) => it.hostedTools?.includes(tool))),
  }
}
