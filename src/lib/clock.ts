/** Time as an argument. Core code never reads the platform's clock; a test or a simulation brings its own. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. May jump. */
  now(): number
  /** Milliseconds since an arbitrary start. Never jumps; for durations. */
  monotonic(): number
  /** Runs `fn` once after `ms`; the returned function cancels it. Does not keep the process alive unless told to. */
  after(ms: number, fn: () => void, options?: { readonly keepsAlive: boolean }): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, fn, options) {
    const timer = setTimeout(fn, ms)
    if (options?.keepsAlive !== true) timer.unref()
    return () => clearTimeout(timer)
  },
}

/** Wall clock in whole seconds, the unit of every `*_at` field of the API. */
export const seconds = (clock: Clock) => Math.floor(clock.now() / 1000)

/** Waits `ms`, or less when the signal aborts; never rejects. Answers whether the whole time passed. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve(false)
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve(true)
    })
    const onAbort = () => {
      cancel()
      resolve(false)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
