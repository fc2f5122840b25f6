/** The clocks of one call of a provider. */
import type { Clock } from './clock.ts'
import { type UpstreamClockName, UpstreamHttpError } from './upstream-error.ts'

/** Milliseconds. */
export type UpstreamClocks = {
  readonly connectMs: number
  readonly firstByteMs: number
  readonly idleMs: number
  readonly wholeMs: number
}

export type UpstreamWatch = {
  /** The call is alive: silence counts from now, and from now on by the idle clock. */
  progress(): void
  /** Our caller waits for bytes, or is busy with those it has. */
  waiting(on: boolean): void
  stop(): void
}

/**
 * Tells `onExpired` when the first of the clocks runs out, once.
 *
 * One timer runs at a time and is not moved by progress: it looks again when it fires. Invariant: it never sleeps for
 * longer than the idle clock, so progress may shorten the wait.
 */
export function watchUpstream(
  { clock, clocks }: { readonly clock: Clock; readonly clocks: UpstreamClocks },
  onExpired: (error: UpstreamHttpError) => void,
): UpstreamWatch {
  const wholeEnds = clock.monotonic() + clocks.wholeMs
  let silence: 'first-byte' | 'idle' = 'first-byte'
  let since = clock.monotonic()
  let busySince: number | null = null

  const limitOf = () => (silence === 'idle' ? clocks.idleMs : clocks.firstByteMs)
  const check = () => {
    const now = clock.monotonic()
    const silenceLeft = busySince === null ? limitOf() - (now - since) : limitOf()
    if (now >= wholeEnds) onExpired(expired('whole', clocks.wholeMs))
    else if (silenceLeft <= 0) onExpired(expired(silence, limitOf()))
    else sleep(Math.min(silenceLeft, wholeEnds - now))
  }
  const sleep = (ms: number) => {
    cancel = clock.after(Math.ceil(Math.min(ms, clocks.idleMs)), check)
  }
  let cancel = () => {}
  sleep(Math.min(clocks.firstByteMs, clocks.wholeMs))

  return {
    progress() {
      since = clock.monotonic()
      if (busySince !== null) busySince = since
      silence = 'idle'
    },
    waiting(on) {
      if (!on) busySince = clock.monotonic()
      else if (busySince !== null) {
        since += clock.monotonic() - busySince
        busySince = null
      }
    },
    stop: () => cancel(),
  }
}

const WHAT_EXPIRED: Readonly<Record<UpstreamClockName, (ms: number) => string>> = {
  connect: (ms) => `no connection within ${ms / 1000} s`,
  'first-byte': (ms) => `no reply within ${ms / 1000} s`,
  idle: (ms) => `nothing new for ${ms / 1000} s`,
  whole: (ms) => `the reply took longer than ${ms / 1000} s`,
}

const expired = (name: UpstreamClockName, ms: number) => new UpstreamHttpError('timeout', WHAT_EXPIRED[name](ms), name)
