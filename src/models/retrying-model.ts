/** A model that repeats a failed call, as long as nothing of it was seen and the upstream cannot have accepted it. */
import { type Clock, sleep } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { abortedError } from './aborted-error.ts'
import { type Model, type ModelContext, ModelError, type ModelErrorKind } from './model.ts'
import type { RetryBudget } from './retry-budget.ts'
import { switchUntilFirst } from './switch-until-first.ts'

/** Upstream calls of one turn, the first included. */
export const MAX_ATTEMPTS = 3
export const BACKOFF_MS = 500
/** A longer `Retry-After` is not waited for. */
export const MAX_RETRY_AFTER_MS = 30_000
/** A 429 that asks for more goes to the client, who knows better how long it wants to wait. */
export const MAX_RATE_LIMIT_WAIT_MS = 2000

const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504, 529])
/** Kinds that a repetition can help. The status alone would not do: some engines answer 500 to a too long input. */
const RETRYABLE_KINDS: ReadonlySet<ModelErrorKind> = new Set(['rate_limit', 'unavailable', 'connection', 'timeout'])
/** Lost after it stood: the request may have been read. */
const LOST_CODES: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_CLOSED'])
const CONNECT_TIMEOUT_CODES: ReadonlySet<string> = new Set(['UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT'])
const MAX_CAUSE_DEPTH = 5

export type RetryOptions = {
  readonly clock: Clock
  readonly ids: Ids
  readonly budget: RetryBudget
  /** 1 switches retries off. */
  readonly maxAttempts?: number
}

/**
 * True for what says that the upstream did no work: a status of the list, or a connection that was never made. Our own
 * clocks and a connection lost on the way are not among them: the upstream may be at work, and would be paid twice.
 */
export function isRetryable(error: unknown): error is ModelError {
  if (!(error instanceof ModelError) || !RETRYABLE_KINDS.has(error.kind)) return false
  if (error.status !== null) return RETRYABLE_STATUSES.has(error.status)
  const codes = causeCodes(error)
  if (error.kind === 'timeout') return codes.some((code) => CONNECT_TIMEOUT_CODES.has(code))
  return error.kind === 'connection' && !codes.some((code) => LOST_CODES.has(code))
}

/** The system codes of what led to an error; several where several addresses were tried. */
function causeCodes(error: unknown, depth = 0): readonly string[] {
  if (!(error instanceof Error) || depth > MAX_CAUSE_DEPTH) return []
  const own = 'code' in error && typeof error.code === 'string' ? [error.code] : []
  const parts: readonly unknown[] = error instanceof AggregateError ? error.errors : []
  return [...own, ...parts.flatMap((part) => causeCodes(part, depth + 1)), ...causeCodes(error.cause, depth + 1)]
}

/** Milliseconds to wait before attempt `attempt + 1`, with full jitter; null when the upstream asks for too long. */
export function retryDelay(error: ModelError, attempt: number, random: number): number | null {
  const asked = error.retryAfterMs ?? 0
  const isRateLimit = error.kind === 'rate_limit' || error.status === 429
  if (asked > (isRateLimit ? MAX_RATE_LIMIT_WAIT_MS : MAX_RETRY_AFTER_MS)) return null
  return Math.max(asked, random * BACKOFF_MS * 2 ** attempt)
}

export function retrying(inner: Model, options: RetryOptions): Model {
  const { clock, ids, budget, maxAttempts = MAX_ATTEMPTS } = options

  /** Waits for the next attempt, or throws what the caller shall see. */
  const waitForNext = async (attempt: number, error: unknown, context: ModelContext): Promise<void> => {
    if (context.signal.aborted || attempt + 1 >= maxAttempts || !isRetryable(error)) throw error
    const delayMs = retryDelay(error, attempt, ids.random())
    if (delayMs === null || !budget.take()) throw error
    if (!(await sleep(clock, delayMs, context.signal))) throw abortedError()
  }
  return {
    capabilities: inner.capabilities,
    fields: inner.fields,
    countInputTokens: (turn, context) => inner.countInputTokens(turn, context),
    notCarried: (turn) => inner.notCarried?.(turn) ?? [],
    stream(turn, context) {
      return switchUntilFirst({
        open(attempt) {
          if (attempt === 0) budget.recordRequest()
          return inner.stream(turn, context)
        },
        onFailed: (attempt, error) => waitForNext(attempt, error, context),
      })
    },
  }
}
