import { randomFillSync } from 'node:crypto'

/** The one source of ids and of other randomness. */
export interface Ids {
  /** A new id: prefix, underscore, 48 hex digits (192 random bits): unguessable, and letters, digits, `_` only. */
  next(prefix: string): string
  /** A number in [0, 1), for jitter and sampling. Not for secrets. */
  random(): number
}

const ID_BYTES = 24
const POOL_BYTES = ID_BYTES * 256

/** Cryptographic ids from a pool, because one system call per id shows at thousands of requests per second. */
export function createRandomIds(): Ids {
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
  return {
    next(prefix) {
      const start = take(ID_BYTES)
      return `${prefix}_${pool.toString('hex', start, start + ID_BYTES)}`
    },
    random: () => pool.readUInt32LE(take(4)) / 2 ** 32,
  }
}

/** Ids that repeat from run to run: `resp_000…01`. For tests and simulations. */
export function createCountingIds(): Ids {
  let count = 0
  return {
    next: (prefix) => `${prefix}_${(++count).toString(16).padStart(ID_BYTES * 2, '0')}`,
    random: () => ((++count * 2654435761) % 2 ** 32) / 2 ** 32,
  }
}
