/** What runs background responses: the worker, and the moment from which their readers have to go elsewhere. */
import type { ResolvedConfig } from '../config/resolved-config.ts'
import { type RunWorker, type RunWorkerParts, startRunWorker } from '../jobs/run-worker.ts'

export type Background = {
  /** Aborted when this process has let its runs go. */
  readonly detached: AbortSignal
  start(parts: Omit<RunWorkerParts, 'limits' | 'onLetGo'>): RunWorker
}

export function openBackground({ limits }: ResolvedConfig): Background {
  const detached = new AbortController()
  return {
    detached: detached.signal,
    start: (parts) =>
      startRunWorker({
        ...parts,
        limits: { perProject: limits.backgroundRunning, total: limits.background },
        onLetGo: () => detached.abort(),
      }),
  }
}
