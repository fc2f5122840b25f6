/** One seed for a whole run of the fault tests, from `ANTIPHON_SEED` or new, and numbers that follow from it. */
import type { TestContext } from 'node:test'

const SEED = Number(process.env.ANTIPHON_SEED ?? Math.floor(Math.random() * 2 ** 31))

let announced = false

/** Every fault and every hostile text in full number; otherwise a selection that is quick enough for each test run. */
export const isFull = process.env.ANTIPHON_FAULTS === 'full'

/**
 * A limit of time. The full form holds the figure, and wants the machine for itself; the short form runs beside other
 * tests on machines that may be busy, and only tells soon from never.
 */
export const withinMs = (figure: number): number => (isFull ? figure : Math.max(20 * figure, 30_000))

/** The seed, printed (a runner may keep only one of the two ways), so that a run that failed can be repeated. */
export function announceSeed(t: Pick<TestContext, 'diagnostic'>): number {
  t.diagnostic(`seed: ANTIPHON_SEED=${SEED}`)
  if (!announced) console.log(`ANTIPHON_SEED=${SEED}`)
  announced = true
  return SEED
}

/** Numbers in [0, 1) by xorshift: the same seed, the same numbers. */
export function seededRandom(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
