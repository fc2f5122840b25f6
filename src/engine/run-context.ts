/**
 * What every run has around it, also one that only compacts: the signal it ends by, and a ledger that hears of each
 * upstream call, as the telemetry does.
 */
import type { Clock } from '../lib/clock.ts'
import type { ModelAttempt, ModelContext, TakenRoute } from '../models/model.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { type Caller, RunAbort } from './engine.ts'
import type { EngineSettings } from './settings.ts'
import type { UsageLedger } from './usage-ledger.ts'

type Deps = {
  readonly clock: Clock
  readonly telemetry: Telemetry
  readonly settings: Pick<EngineSettings, 'wallClockMs'>
}

export type RunContext = {
  readonly ledger: UsageLedger
  readonly model: ModelContext
  /** The run is over: stops the wall clock. */
  dispose(): void
}

export function openRunContext(ledger: UsageLedger, caller: Caller, deps: Deps): RunContext {
  const { signal, dispose } = withWallClock(caller.signal, deps.settings.wallClockMs, deps.clock)
  const onAttempt = (attempt: ModelAttempt) => {
    ledger.add(attempt)
    deps.telemetry.modelAttempted({ requestId: caller.requestId, attempt })
  }
  const onRoute = ({ provider, model, after }: TakenRoute) => {
    if (after === null) return
    const { reason, ...from } = after
    deps.telemetry.fellBack({ requestId: caller.requestId, from, to: { provider, model }, reason })
  }
  return { ledger, model: { signal, onCall: ledger.start, onAttempt, onRoute }, dispose }
}

/** The caller's signal, or the wall clock of the run, whichever comes first. */
function withWallClock(signal: AbortSignal, wallClockMs: number, clock: Clock) {
  const controller = new AbortController()
  const onAbort = () => controller.abort(signal.reason)
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  const stop = clock.after(wallClockMs, () => controller.abort(new RunAbort('deadline')))
  return {
    signal: controller.signal,
    dispose() {
      stop()
      signal.removeEventListener('abort', onAbort)
    },
  }
}
