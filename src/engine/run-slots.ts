/** How many of a kind may run at once, in all and for one project; more are refused, not queued. */
import { ApiError } from '../protocol/errors.ts'

export type RunSlotLimits = { readonly total: number; readonly perProject: number }

export interface RunSlots {
  /** Takes a place, or throws a 429. The returned function gives it back, once. */
  take(projectId: string): () => void
}

/** `what`: as a message counts them. */
export function createRunSlots(limits: RunSlotLimits, what = 'responses'): RunSlots {
  const running = new Map<string, number>()
  let total = 0
  return {
    take(projectId) {
      const ofProject = running.get(projectId) ?? 0
      if (ofProject >= limits.perProject) throw tooMany(what, `this project runs ${limits.perProject} ${what} already`)
      if (total >= limits.total) throw tooMany(what, `this server runs ${limits.total} ${what} already`)
      running.set(projectId, ofProject + 1)
      total += 1
      let held = true
      return () => {
        if (!held) return
        held = false
        total -= 1
        const left = (running.get(projectId) ?? 1) - 1
        if (left > 0) running.set(projectId, left)
        else running.delete(projectId)
      }
    },
  }
}

const tooMany = (what: string, why: string) =>
  new ApiError({
    status: 429,
    type: 'requests',
    code: 'rate_limit_exceeded',
    message: `Too many ${what} at once: ${why}. Wait for one to end and send the request again.`,
    headers: { 'retry-after': '1', 'x-should-retry': 'true' },
  })
