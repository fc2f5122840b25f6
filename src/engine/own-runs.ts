/** Background runs that this process works on, so that cancelling one need not wait for its next heartbeat. */
import { RunAbort } from './engine.ts'

export interface OwnRuns {
  /** The returned function says that it is over. */
  add(responseId: string, abort: (reason: RunAbort) => void): () => void
  cancel(responseId: string): void
}

export function createOwnRuns(): OwnRuns {
  const runs = new Map<string, (reason: RunAbort) => void>()
  return {
    add(responseId, abort) {
      runs.set(responseId, abort)
      return () => {
        if (runs.get(responseId) === abort) runs.delete(responseId)
      }
    },
    cancel: (responseId) => runs.get(responseId)?.(new RunAbort('cancelled')),
  }
}
