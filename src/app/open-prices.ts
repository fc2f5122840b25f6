/** Composition: the operator's prices, and behind them the lists that providers publish. */
import type { ProviderConfig, ResolvedConfig } from '../config/resolved-config.ts'
import type { Clock } from '../lib/clock.ts'
import type { PriceBook } from '../models/price-book.ts'
import { type ConfiguredPrice, createConfiguredPrices } from '../models/prices/configured-prices.ts'
import { createPublicPrices } from '../models/prices/public-prices.ts'

export function openPrices(
  { models }: Pick<ResolvedConfig, 'models'>,
  connections: readonly ProviderConfig[],
  clock: Clock,
): PriceBook {
  const configured = models.flatMap(({ deployments }) =>
    deployments.flatMap(({ provider, upstreamModel, price }): [string, ConfiguredPrice][] =>
      price === null ? [] : [[`${provider}/${upstreamModel}`, price]],
    ),
  )
  return createConfiguredPrices(new Map(configured), createPublicPrices({ providers: connections, clock }))
}
