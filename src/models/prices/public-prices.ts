/**
 * The price lists that providers publish, as the package keeps them. It finds the model behind a name, dated prices and
 * prices of the time of day; the arithmetic is ours (`protocol/cost.ts`), because one of its calculations takes longer
 * than everything else a request costs here. `public-prices.test.ts` holds the two against each other.
 *
 * Loading it takes a twentieth of a second and some megabytes, so it is loaded with the first call of a provider that
 * has a list, and not at all on a machine where none has.
 */
import type { Clock } from '../../lib/clock.ts'
import { createLruMap } from '../../lib/lru-map.ts'
import type { PriceSheet, Rate } from '../../protocol/cost.ts'
import type { PriceBook } from '../price-book.ts'

/** Held equal to the lock file by a test. */
export const PRICE_LIST = '@pydantic/genai-prices 0.1.8'

export type PricedProvider = {
  readonly name: string
  readonly apiBase: string
  /** The list to use wherever the provider is, as `openai`; null: by its address. */
  readonly priceList: string | null
}

export type PublicPricesOptions = { readonly providers: readonly PricedProvider[]; readonly clock: Clock }

type Package = Pick<typeof import('@pydantic/genai-prices'), 'calcPrice' | 'findProvider'>
type Kept = { readonly sheet: PriceSheet | null; readonly until: number }

/** Models whose prices are kept ready. */
const MAX_KEPT = 1_000
/** Prices change by the date and by the time of day. */
const FRESH_MS = 60_000

export function createPublicPrices({ providers, clock }: PublicPricesOptions): PriceBook {
  const listed = new Map(providers.filter(mayHaveList).map((provider) => [provider.name, provider]))
  const kept = createLruMap<string, Kept>(MAX_KEPT)
  let loaded: Package | null = null
  let loading: Promise<Package> | null = null

  const look = (provider: PricedProvider, model: string, { calcPrice, findProvider }: Package) => {
    const now = clock.monotonic()
    const key = `${provider.name}/${model}`
    const known = kept.get(key)
    if (known !== undefined && now < known.until) return known.sheet
    const where =
      provider.priceList === null ? { providerApiUrl: provider.apiBase } : { providerId: provider.priceList }
    const list = findProvider(where)
    const timestamp = new Date(clock.now())
    const found = list && calcPrice({ input_tokens: 1 }, model, { provider: list, timestamp })
    const sheet = found ? toSheet(found.model_price) : null
    kept.set(key, { sheet, until: now + FRESH_MS })
    return sheet
  }
  return {
    priceOf(name, model) {
      const provider = listed.get(name)
      if (provider === undefined) return null
      if (loaded !== null) return look(provider, model, loaded)
      loading ??= import('@pydantic/genai-prices')
      return loading.then((it) => {
        loaded = it
        return look(provider, model, it)
      })
    },
  }
}

/** Nobody publishes prices of what runs on this machine or in this network. */
function mayHaveList({ apiBase, priceList }: PricedProvider): boolean {
  if (priceList !== null) return priceList !== 'none'
  const host = URL.parse(apiBase)?.hostname ?? ''
  return host.includes('.') && !/^[\d.]+$|\.(local|internal|lan|home)$/.test(host)
}

type Prices = Readonly<Record<string, unknown>>

/** Null where text tokens have no price, as of models that are paid by the minute or the picture. */
function toSheet(prices: Prices): PriceSheet | null {
  const input = toRate(prices.input_mtok)
  if (input === null) return null
  return {
    input,
    cachedInput: toRate(prices.cache_read_mtok),
    cacheWrite: toRate(prices.cache_write_mtok),
    output: toRate(prices.output_mtok),
    perCall: (toRate(prices.requests_kcount)?.base ?? 0) / 1_000,
    source: PRICE_LIST,
  }
}

function toRate(price: unknown): Rate | null {
  if (typeof price === 'number') return { base: price, tiers: [] }
  if (!isTiered(price)) return null
  const tiers = price.tiers.map((tier) => ({ above: tier.start, price: tier.price }))
  return { base: price.base, tiers: tiers.sort((a, b) => a.above - b.above) }
}

type Tiered = { readonly base: number; readonly tiers: readonly { readonly start: number; readonly price: number }[] }

const isTiered = (value: unknown): value is Tiered =>
  typeof value === 'object' &&
  value !== null &&
  'base' in value &&
  typeof value.base === 'number' &&
  'tiers' in value &&
  Array.isArray(value.tiers)
