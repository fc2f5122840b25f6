/** The operator's own prices, and behind them those of another book. */
import { flatRate, type PriceSheet } from '../../protocol/cost.ts'
import type { PriceBook } from '../price-book.ts'

/** US dollars per million tokens. */
export type ConfiguredPrice = {
  readonly input: number
  readonly cachedInput: number | null
  readonly cacheWrite: number | null
  readonly output: number
}

/** `prices`: by `provider/model`, as the provider knows the model. */
export function createConfiguredPrices(prices: ReadonlyMap<string, ConfiguredPrice>, behind: PriceBook): PriceBook {
  const sheets = new Map([...prices].map(([name, price]) => [name, toSheet(price)]))
  return {
    priceOf: (provider, model) => sheets.get(`${provider}/${model}`) ?? behind.priceOf(provider, model),
  }
}

const toSheet = ({ input, cachedInput, cacheWrite, output }: ConfiguredPrice): PriceSheet => ({
  input: flatRate(input),
  cachedInput: cachedInput === null ? null : flatRate(cachedInput),
  cacheWrite: cacheWrite === null ? null : flatRate(cacheWrite),
  output: flatRate(output),
  perCall: 0,
  source: 'configuration',
})
