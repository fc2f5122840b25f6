/** How busy and how quick a deployment is, as far as this process can tell. */
import type { Clock } from '../lib/clock.ts'

export interface DeploymentLoad {
  /** Calls under way. */
  inFlight(): number
  /** Milliseconds to the first batch, recent calls weighing more; null: not measured yet. */
  latencyMs(): number | null
  begin(): RunningCall
}

export interface RunningCall {
  accepted(): void
  /** Counts once. */
  end(): void
}

/** Weight of the newest measurement. */
const NEWEST_SHARE = 0.3

export function createDeploymentLoad(clock: Clock): DeploymentLoad {
  let inFlight = 0
  let latencyMs: number | null = null
  return {
    inFlight: () => inFlight,
    latencyMs: () => latencyMs,
    begin() {
      const startedAt = clock.monotonic()
      let running = true
      inFlight += 1
      return {
        accepted() {
          const took = clock.monotonic() - startedAt
          latencyMs = latencyMs === null ? took : latencyMs + (took - latencyMs) * NEWEST_SHARE
        },
        end() {
          if (running) inFlight -= 1
          running = false
        },
      }
    },
  }
}
