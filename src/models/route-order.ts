/** In which order the deployments of a tier are tried. Pure: what changes is read from what it is given. */
import { hashUnit } from '../lib/hash-unit.ts'
import type { DeploymentLoad } from './deployment-load.ts'

export const STRATEGIES = ['weighted', 'least_busy', 'latency'] as const
export type Strategy = (typeof STRATEGIES)[number]

export type Placed = {
  readonly provider: string
  readonly upstreamModel: string
  /** Above 0. */
  readonly weight: number
  readonly load: Pick<DeploymentLoad, 'inFlight' | 'latencyMs'>
}

export type OrderOptions = {
  readonly strategy: Strategy
  /** In [0, 1). */
  readonly random: () => number
  /** What ties a turn to a place: turns with the same key share a provider's prompt cache. Null: nothing. */
  readonly key: string | null
  /** The provider whose reasoning state the turn carries, and which alone can read it. */
  readonly origin: string | null
}

export function orderTier<T extends Placed>(tier: readonly T[], options: OrderOptions): readonly T[] {
  if (tier.length < 2) return tier
  const ordered = options.key === null ? byStrategy(tier, options) : byKey(tier, options.key)
  if (options.origin === null) return ordered
  return [
    ...ordered.filter(({ provider }) => provider === options.origin),
    ...ordered.filter(({ provider }) => provider !== options.origin),
  ]
}

/** The shuffle underneath decides between equals. */
function byStrategy<T extends Placed>(tier: readonly T[], { strategy, random }: OrderOptions): readonly T[] {
  const shuffled = shuffleByWeight(tier, random)
  if (strategy === 'weighted') return shuffled
  const cost = strategy === 'least_busy' ? busyness : latencyCost(tier)
  return [...shuffled].sort((a, b) => cost(a) - cost(b))
}

const busyness = ({ load, weight }: Placed) => load.inFlight() / weight

/** Of the quickest: what is not measured yet is taken for a little better, so that it gets measured. */
const UNMEASURED_SHARE = 0.9

/** Calls under way keep a quick or unmeasured deployment from a stampede. */
function latencyCost(tier: readonly Placed[]): (place: Placed) => number {
  const measured = tier.flatMap(({ load }) => timeOf(load) ?? [])
  const unmeasured = measured.length === 0 ? 1 : Math.min(...measured) * UNMEASURED_SHARE
  const latency = ({ load }: Placed) => timeOf(load) ?? unmeasured
  return (place) => (latency(place) * (place.load.inFlight() + 1)) / place.weight
}

function timeOf(load: Placed['load']): number | null {
  const latencyMs = load.latencyMs()
  return latencyMs === null ? null : Math.max(1, latencyMs)
}

/** Each next one is drawn with a chance in proportion to its weight. */
function shuffleByWeight<T extends Placed>(tier: readonly T[], random: () => number): readonly T[] {
  const rest = [...tier]
  const drawn: T[] = []
  while (rest.length > 1) {
    let point = random() * rest.reduce((total, { weight }) => total + weight, 0)
    const found = rest.findIndex(({ weight }) => {
      point -= weight
      return point < 0
    })
    drawn.push(...rest.splice(found === -1 ? rest.length - 1 : found, 1))
  }
  return [...drawn, ...rest]
}

/**
 * Rendezvous hashing: each place gets a number from the key and its own name, the highest comes first. When a place is
 * added or left out only its own keys move. The logarithm makes shares follow the weights.
 */
function byKey<T extends Placed>(tier: readonly T[], key: string): readonly T[] {
  const score = ({ provider, upstreamModel, weight }: T) =>
    -weight / Math.log(hashUnit(`${provider}/${upstreamModel}\n${key}`))
  return tier
    .map((place) => ({ place, score: score(place) }))
    .sort((a, b) => b.score - a.score)
    .map(({ place }) => place)
}
