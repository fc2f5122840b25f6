/** A clock that runs faster than the wall, so that what takes minutes in service takes a second in a test. */
import { type Clock, systemClock } from '../../src/lib/clock.ts'

export const scaledClock = (factor: number): Clock => ({
  now: () => systemClock.now(),
  monotonic: () => systemClock.monotonic() * factor,
  after: (ms, fn) => systemClock.after(ms / factor, fn),
})
