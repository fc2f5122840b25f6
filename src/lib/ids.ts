import { hash, randomFillSync } from 'node:crypto'
import { type Clock, systemClock } from './clock.ts'

/** The one source of ids and of other randomness. */
export interface Ids {
  /**
   * A new id: prefix, underscore, 12 hex digits of the millisecond it was made in, 36 random ones (144 bits).
   * Unguessable, and letters, digits, `_` only.
   */
  next(prefix: string): string
  /** A number in [0, 1), for jitter and sampling. Not for secrets. */
  random(): number
}

const TIME_DIGITS = 12
const RANDOM_BYTES = 18
const POOL_BYTES = RANDOM_BYTES * 256

/**
 * Cryptographic ids from a pool, because one system call per id shows at thousands of requests per second.
 *
 * They begin with the time, so that rows written together stand together in every index that holds their ids. Random
 * from the first digit on, each row would change a page of its own, and a commit would write them all to disk.
 */
export function createRandomIds(clock: Pick<Clock, 'now'> = systemClock): Ids {
  const pool = Buffer.allocUnsafe(POOL_BYTES)
  let offset = POOL_BYTES
  const take = (bytes: number): number => {
    if (offset + bytes > POOL_BYTES) {
      randomFillSync(pool)
      offset = 0
    }
    offset += bytes
    return offset - bytes
  }
  const time = { ms: Number.NaN, digits: '' }
  const timeDigits = (): string => {
    const ms = clock.now()
    if (ms === time.ms) return time.digits
    time.ms = ms
    time.digits = Math.floor(ms).toString(16).padStart(TIME_DIGITS, '0')
    return time.digits
  }
  return {
    next(prefix) {
      const start = take(RANDOM_BYTES)
      return `${prefix}_${timeDigits()}${pool.toString('hex', start, start + RANDOM_BYTES)}`
    },
    random: () => pool.readUInt32LE(take(4)) / 2 ** 32,
  }
}

/** Ids that repeat from run to run: `resp_000…01`. For tests and simulations. */
export function createCountingIds(): Ids {
  let count = 0
  return {
    next: (prefix) => `${prefix}_${(++count).toString(16).padStart(TIME_DIGITS + RANDOM_BYTES * 2, '0')}`,
    random: () => ((++count * 2654435761) % 2 ** 32) / 2 ** 32,
  }
}

/**
 * Ids that follow from `seed`, an id itself, and from how many of a prefix were taken: the same work takes the same ones
 * again. As unguessable as the seed, which must be told to nobody.
 */
export function createSeededIds(seed: string): Ids {
  const taken = new Map<string, number>()
  const time = seed.slice(seed.indexOf('_') + 1).slice(0, TIME_DIGITS)
  const digits = (prefix: string): string => {
    const count = taken.get(prefix) ?? 0
    taken.set(prefix, count + 1)
    return hash('sha256', `${seed}\n${prefix}\n${count}`, 'hex')
  }
  return {
    next: (prefix) => `${prefix}_${time}${digits(prefix).slice(0, RANDOM_BYTES * 2)}`,
    random: () => Number.parseInt(digits('').slice(0, 8), 16) / 2 ** 32,
  }
}
