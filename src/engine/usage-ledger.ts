/** Collects what each upstream call of a run cost, for the rows that every call leaves, also an aborted one (law 18). */
import { type Clock, seconds } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { ModelAttempt } from '../models/model.ts'
import type { ResponseObject, Usage } from '../protocol/response.ts'
import { NO_USAGE, plainUsage } from '../protocol/usage.ts'
import type { UsageRow } from '../store/store.ts'

export interface UsageLedger {
  add(attempt: ModelAttempt): void
  readonly attempts: readonly ModelAttempt[]
  /** `estimate`: what a call cost whose provider did not say; asked only for such a call, because it is not cheap. */
  rows(response: ResponseObject, keyId: string, estimate: () => Usage): UsageRow[]
}

export function createUsageLedger(deps: { ids: Ids; clock: Clock }): UsageLedger {
  const attempts: ModelAttempt[] = []
  return {
    attempts,
    add(attempt) {
      attempts.push(attempt)
    },
    rows: (response, keyId, estimate) =>
      attempts.map((attempt) => ({
        id: deps.ids.next('use'),
        keyId,
        responseId: response.id,
        provider: attempt.provider,
        model: attempt.model,
        outcome: attempt.outcome,
        ...usageOf(attempt, estimate),
        durationMs: Math.round(attempt.durationMs),
        createdAt: seconds(deps.clock),
      })),
  }
}

/** A call that was refused or never reached the provider cost nothing; any other without a report is estimated. */
function usageOf(attempt: ModelAttempt, estimate: () => Usage): Pick<UsageRow, 'usage' | 'estimated'> {
  if (attempt.usage) return { usage: attempt.usage, estimated: false }
  const refused = attempt.outcome === 'failed' && attempt.firstEventMs === null
  return refused ? { usage: NO_USAGE, estimated: false } : { usage: estimate(), estimated: true }
}

const CHARS_PER_TOKEN = 4

/**
 * A rough count for calls that ended before the provider reported: four characters a token. Good enough to see that
 * money was spent, cheap enough for a disconnect storm; the row says `estimated`.
 */
export const roughUsage = (inputChars: number, outputChars: number): Usage =>
  plainUsage(Math.ceil(inputChars / CHARS_PER_TOKEN), Math.ceil(outputChars / CHARS_PER_TOKEN))
