/**
 * The ledger of one run: a row for every upstream call, opened while it lasts (`open-calls.ts`) and closed however it ends
 * (law 18), with what it cost.
 *
 * Invariant: a row is closed once. Calls of one run follow each other, so at most one is open.
 */
import { type Clock, seconds } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { ModelAttempt, ModelCall } from '../models/model.ts'
import type { PriceBook } from '../models/price-book.ts'
import { type Cost, costOf, dayOf, type PriceSheet } from '../protocol/cost.ts'
import type { Usage } from '../protocol/response.ts'
import { NO_USAGE, plainUsage } from '../protocol/usage.ts'
import type { ProjectStore, UsageRow } from '../store/store.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { OpenCalls } from './open-calls.ts'

export interface UsageLedger {
  /** A call is about to be made. */
  start(call: ModelCall): void
  /** It has ended. */
  add(attempt: ModelAttempt): void
  readonly attempts: readonly ModelAttempt[]
  /** US dollars of all calls, once they are closed; null before, and where the cost of one of them is unknown. */
  costUsd(): number | null
  /** The closed rows; the same however often they are asked for. `estimate`: what a call used whose provider did not say; asked only for such a call. */
  close(estimate: () => Usage): Promise<readonly UsageRow[]>
}

export type LedgerDeps = {
  readonly ids: Ids
  readonly clock: Clock
  readonly prices: PriceBook
  readonly openCalls: OpenCalls
  readonly telemetry: Telemetry
}

export type LedgerOf = {
  readonly store: Pick<ProjectStore, 'projectId' | 'openUsage'>
  readonly responseId: string
  readonly keyId: string
  readonly requestId: string
  /** What the input comes to, roughly: for a row that nobody will close. */
  readonly estimateInput: () => Usage
}

type Entry = {
  readonly id: string
  readonly call: ModelCall
  readonly createdAt: number
  readonly prices: ReturnType<PriceBook['priceOf']>
  attempt: ModelAttempt | null
}

export function createUsageLedger(deps: LedgerDeps, of: LedgerOf): UsageLedger {
  const entries: Entry[] = []
  const attempts: ModelAttempt[] = []
  let open: { readonly entry: Entry; readonly hasEnded: () => void } | null = null
  let costUsd: number | null = null
  let closed: Promise<readonly UsageRow[]> | null = null
  const failed = (error: unknown) => deps.telemetry.failed({ requestId: of.requestId, where: 'record-usage', error })

  const begin = (call: ModelCall): Entry => {
    const { provider, model } = call
    const prices = deps.prices.priceOf(provider, model)
    const entry: Entry = { id: deps.ids.next('use'), call, createdAt: seconds(deps.clock), prices, attempt: null }
    // A list that cannot be loaded is told when it is needed.
    if (prices instanceof Promise) prices.catch(() => {})
    entries.push(entry)
    return entry
  }
  const pricesOf = async ({ prices }: Entry): Promise<PriceSheet | null> => {
    try {
      return await prices
    } catch (error) {
      failed(error)
      return null
    }
  }
  const base = ({ id, call, createdAt }: Entry) => ({
    id,
    keyId: of.keyId,
    responseId: of.responseId,
    provider: call.provider,
    model: call.model,
    createdAt,
  })
  const openRow = (entry: Entry): UsageRow => {
    const usage = of.estimateInput()
    const cost = entry.prices instanceof Promise ? null : costAt(usage, entry.prices, deps.clock)
    return { ...base(entry), outcome: 'running', usage, estimated: true, durationMs: 0, cost }
  }
  const closedRow = (
    entry: Entry,
    attempt: ModelAttempt,
    sheet: PriceSheet | null,
    estimate: () => Usage,
  ): UsageRow => {
    const used = usageOf(attempt, estimate)
    const { outcome } = attempt
    const durationMs = Math.round(attempt.durationMs)
    return { ...base(entry), outcome, ...used, durationMs, cost: costAt(used.usage, sheet, deps.clock) }
  }
  return {
    attempts,
    costUsd: () => costUsd,
    start(call) {
      const entry = begin(call)
      const startedAt = deps.clock.monotonic()
      const row = () => openRow(entry)
      open = { entry, hasEnded: deps.openCalls.add({ store: of.store, startedAt, row, onFailure: failed }) }
    },
    add(attempt) {
      const entry = open?.entry ?? begin(attempt)
      open?.hasEnded()
      open = null
      entry.attempt = attempt
      attempts.push(attempt)
    },
    close(estimate) {
      closed ??= closeAll(estimate)
      return closed
    },
  }

  async function closeAll(estimate: () => Usage): Promise<readonly UsageRow[]> {
    const rows: UsageRow[] = []
    for (const entry of entries) {
      if (entry.attempt === null) continue
      const sheet = entry.prices instanceof Promise ? await pricesOf(entry) : entry.prices
      const row = closedRow(entry, entry.attempt, sheet, estimate)
      rows.push(row)
      const { provider, model, cost, usage } = row
      deps.telemetry.callPriced({ provider, model, costUsd: cost?.usd ?? null, usage })
    }
    costUsd = totalOf(rows)
    return rows
  }
}

/** Null where the cost of one call is unknown; one that used nothing cost nothing, whatever its price. */
function totalOf(rows: readonly UsageRow[]): number | null {
  let total = 0
  for (const { cost, usage } of rows) {
    if (cost !== null) total += cost.usd
    else if (usage.total_tokens > 0) return null
  }
  return rows.length === 0 ? null : total
}

const costAt = (usage: Usage, sheet: PriceSheet | null, clock: Clock): Cost | null =>
  sheet === null ? null : costOf(usage, sheet, dayOf(clock.now()))

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

/** The characters of all texts of a value, without writing it out. */
export function textChars(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 0
  let chars = 0
  for (const part of Object.values(value)) chars += textChars(part)
  return chars
}
