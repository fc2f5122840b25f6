/** Promises that say that something may have changed, and nothing else. */
import { type Clock, sleep } from './clock.ts'

export interface WakeUps {
  /** Resolves at the next `wake` of this name. */
  next(name: string): Promise<void>
  wake(name: string): void
}

export function createWakeUps(): WakeUps {
  const waiting = new Map<string, { readonly promise: Promise<void>; readonly resolve: () => void }>()
  return {
    next(name) {
      const known = waiting.get(name)
      if (known) return known.promise
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.set(name, { promise, resolve })
      return promise
    },
    wake(name) {
      waiting.get(name)?.resolve()
      waiting.delete(name)
    },
  }
}

/** Resolves with `woken`, after `ms`, or when one of the signals aborts, whichever comes first. */
export async function wokenWithin(
  ms: number,
  woken: Promise<void>,
  { clock, signals }: { readonly clock: Clock; readonly signals: readonly AbortSignal[] },
): Promise<void> {
  const over = new AbortController()
  try {
    await Promise.race([woken, sleep(clock, ms, AbortSignal.any([over.signal, ...signals]))])
  } finally {
    over.abort()
  }
}
