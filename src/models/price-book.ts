/** PORT: what the models of providers cost. */
import type { PriceSheet } from '../protocol/cost.ts'

export interface PriceBook {
  /**
   * The prices of a call made now; null where they are unknown. A promise only while a price list is being loaded, which
   * happens once. `model`: the name the provider knows.
   */
  priceOf(provider: string, model: string): PriceSheet | null | Promise<PriceSheet | null>
}

/** For tests and library use. */
export const noPrices: PriceBook = { priceOf: () => null }
