/**
 * An abort that waits. A run that is made again tells first, number by number, what its log already holds: one that ended
 * in the middle of that would put its end before what has been told.
 */
export interface HeldAbort {
  /** Aborts with the given one, but not before the release. */
  hold(signal: AbortSignal): AbortSignal
  release(): void
}

export function createHeldAbort(): HeldAbort {
  let isReleased = false
  const onRelease: (() => void)[] = []
  return {
    hold(signal) {
      const held = new AbortController()
      const pass = () => {
        if (isReleased && signal.aborted) held.abort(signal.reason)
      }
      signal.addEventListener('abort', pass, { once: true })
      onRelease.push(pass)
      pass()
      return held.signal
    },
    release() {
      isReleased = true
      for (const pass of onRelease.splice(0)) pass()
    },
  }
}
