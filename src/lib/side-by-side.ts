/** Several generators at work at once. */

export type SideBySideOptions = {
  /** How many may be at work at the same time; the next one begins when one has ended. */
  readonly limit: number
  readonly signal: AbortSignal
}

type Step<T> = { readonly index: number; readonly result: IteratorResult<T, void> }

/**
 * Yields what any of them yields, as it comes; each goes on only when what it yielded was taken.
 *
 * An abort is thrown at once, also while a generator sits in a wait that does not hear of it: it is told to return, and
 * nobody waits for that. What one of them throws is thrown here, and ends the others the same way.
 */
export async function* sideBySide<T>(
  starts: readonly (() => AsyncGenerator<T, void>)[],
  { limit, signal }: SideBySideOptions,
): AsyncGenerator<T, void> {
  const running = new Map<number, AsyncGenerator<T, void>>()
  const steps = new Map<number, Promise<Step<T>>>()
  const aborted = whenAborted(signal)
  let next = 0
  const advance = (index: number, generator: AsyncGenerator<T, void>) => {
    const step = generator.next().then((result) => ({ index, result }))
    // Nobody may be waiting any more when it fails.
    step.catch(() => {})
    steps.set(index, step)
  }
  try {
    for (;;) {
      for (; running.size < limit && next < starts.length; next += 1) {
        const generator = starts[next]?.()
        if (!generator) continue
        running.set(next, generator)
        advance(next, generator)
      }
      if (steps.size === 0) return
      const { index, result } = await Promise.race([...steps.values(), aborted.promise])
      steps.delete(index)
      const generator = running.get(index)
      if (result.done || !generator) running.delete(index)
      else {
        yield result.value
        advance(index, generator)
      }
    }
  } finally {
    aborted.forget()
    for (const generator of running.values()) generator.return().catch(() => {})
  }
}

function whenAborted(signal: AbortSignal) {
  const { promise, reject } = Promise.withResolvers<never>()
  promise.catch(() => {})
  const onAbort = () => reject(signal.reason)
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  return { promise, forget: () => signal.removeEventListener('abort', onAbort) }
}
