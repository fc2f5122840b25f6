/** Chance that is the same for the same seed. */
import { hash } from 'node:crypto'

export type Chance = {
  /** In [0, 1). */
  next(): number
  /** A whole number from 0 and below `limit`. */
  below(limit: number): number
  happens(probability: number): boolean
  pick<T>(values: readonly T[]): T
}

export function createChance(seed: number): Chance {
  let count = 0
  const next = () => hash('sha256', `${seed}/${count++}`, 'buffer').readUInt32LE(0) / 2 ** 32
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    next,
    below,
    happens: (probability) => next() < probability,
    pick(values) {
      const value = values[below(values.length)]
      if (value === undefined) throw new RangeError('there is nothing to pick from')
      return value
    },
  }
}
