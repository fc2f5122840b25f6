/** What a call cost, with its arithmetic: tokens times prices. Pure; where prices come from is another's business. */
import type { Usage } from './response.ts'

/** US dollars per million tokens. */
export type Rate = {
  readonly base: number
  /** With more input tokens than `above`, the price of the whole call; ascending. */
  readonly tiers: readonly { readonly above: number; readonly price: number }[]
}

export type PriceSheet = {
  readonly input: Rate
  /** Null: as other input. */
  readonly cachedInput: Rate | null
  /** Null: as other input. */
  readonly cacheWrite: Rate | null
  /** Null: unknown, or there is no output, as of embeddings. */
  readonly output: Rate | null
  /** Dollars for the call itself. */
  readonly perCall: number
  /** Who says so: a price list with its version, or the configuration. */
  readonly source: string
}

export type CostUnit = 'input' | 'cached_input' | 'cache_write' | 'output' | 'call'

/** `quantity` tokens at `price` dollars per million; of the unit `call`, one call at `price` dollars. */
export type CostLine = {
  readonly unit: CostUnit
  readonly quantity: number
  readonly price: number
  readonly usd: number
}

export type Cost = {
  readonly usd: number
  readonly lines: readonly CostLine[]
  readonly source: string
  /** The day of the prices, UTC, as `2027-01-31`. */
  readonly date: string
}

const PER_MILLION = 1e6

/** Null where a price that is needed is unknown: a cost that leaves something out would be a wrong one. */
export function costOf(usage: Usage, sheet: PriceSheet, date: string): Cost | null {
  if (sheet.output === null && usage.output_tokens > 0) return null
  // What used nothing was refused, and is not charged for the call either.
  if (usage.total_tokens === 0) return { usd: 0, lines: [], source: sheet.source, date }
  const { cached_tokens: cached, cache_write_tokens: written } = usage.input_tokens_details
  const at = (rate: Rate | null) => priceAt(rate ?? sheet.input, usage.input_tokens)
  const lines = [
    tokenLine('input', Math.max(0, usage.input_tokens - cached - written), at(sheet.input)),
    tokenLine('cached_input', cached, at(sheet.cachedInput)),
    tokenLine('cache_write', written, at(sheet.cacheWrite)),
    tokenLine('output', usage.output_tokens, at(sheet.output)),
    { unit: 'call' as const, quantity: 1, price: sheet.perCall, usd: sheet.perCall },
  ].filter(({ unit, quantity, price }) => (unit === 'call' ? price > 0 : quantity > 0))
  return { usd: lines.reduce((sum, line) => sum + line.usd, 0), lines, source: sheet.source, date }
}

const tokenLine = (unit: CostUnit, quantity: number, price: number): CostLine => ({
  unit,
  quantity,
  price,
  usd: (quantity * price) / PER_MILLION,
})

function priceAt({ base, tiers }: Rate, inputTokens: number): number {
  let price = base
  for (const tier of tiers) if (inputTokens > tier.above) price = tier.price
  return price
}

export const flatRate = (base: number): Rate => ({ base, tiers: [] })

const DAY_MS = 86_400_000
const DAY_CHARS = 10
let lastDay = { number: Number.NaN, text: '' }

/** `nowMs`: since the epoch. A day is written out once: every call of it asks. */
export function dayOf(nowMs: number): string {
  const number = Math.floor(nowMs / DAY_MS)
  if (lastDay.number !== number) lastDay = { number, text: new Date(nowMs).toISOString().slice(0, DAY_CHARS) }
  return lastDay.text
}
