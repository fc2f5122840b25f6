/**
 * The circuit breaker of one deployment. Closed, it is asked like any other. After some failures in a row, or when its
 * provider says when to come back, it opens: the deployment rests. When the rest is over one call is let through; that
 * one closes it again or opens it anew.
 */
import type { Clock } from '../lib/clock.ts'
import type { ModelError, ModelErrorKind } from './model.ts'

/** Failures in a row after which a deployment rests. */
export const ALLOWED_FAILS = 3
export const COOLDOWN_MS = 30_000
/** A provider that asks for a longer rest is tried after this all the same. */
export const MAX_COOLDOWN_MS = 600_000

/** Failures that say something about the deployment: another one may do better. */
const FAILURES: ReadonlySet<ModelErrorKind> = new Set([
  'rate_limit',
  'quota',
  'unavailable',
  'connection',
  'timeout',
  'auth',
  'model_not_found',
])
export const isDeploymentFailure = ({ kind }: ModelError): boolean => FAILURES.has(kind)

export interface DeploymentHealth {
  /** True while it rests. Also true when its rest is over but the one call that finds out is under way. */
  isResting(): boolean
  /** A call begins. */
  asked(): void
  /** The call was answered, be it with a refusal. */
  succeeded(): void
  failed(error: ModelError): void
  /** The call ended without saying anything about the deployment. */
  left(): void
}

/** The memory of one deployment. It outlives the models built around it. */
export function createDeploymentHealth(options: {
  readonly clock: Clock
  readonly allowedFails?: number
  /** 0: it never rests by itself. */
  readonly cooldownMs?: number
}): DeploymentHealth {
  const { clock, allowedFails = ALLOWED_FAILS, cooldownMs = COOLDOWN_MS } = options
  let fails = 0
  /** Null: closed. */
  let openUntil: number | null = null
  /** Until when the probing call is waited for; one that never ends must not keep the deployment out for ever. */
  let probingUntil = Number.NEGATIVE_INFINITY

  const open = (ms: number) => {
    openUntil = clock.monotonic() + Math.min(ms, MAX_COOLDOWN_MS)
  }
  return {
    isResting: () => openUntil !== null && (clock.monotonic() < openUntil || clock.monotonic() < probingUntil),
    asked() {
      if (openUntil !== null) probingUntil = clock.monotonic() + Math.max(cooldownMs, COOLDOWN_MS)
    },
    succeeded() {
      fails = 0
      openUntil = null
      probingUntil = Number.NEGATIVE_INFINITY
    },
    failed({ retryAfterMs }) {
      fails += 1
      probingUntil = Number.NEGATIVE_INFINITY
      if (retryAfterMs !== null && retryAfterMs > 0) open(retryAfterMs)
      else if (fails >= allowedFails && cooldownMs > 0) open(cooldownMs)
    },
    left() {
      probingUntil = Number.NEGATIVE_INFINITY
    },
  }
}
