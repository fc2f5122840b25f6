/** Which deployments a run asked, for its headers. */
import type { TakenRoute } from '../models/model.ts'
import type { RunReport } from './engine.ts'
import { lostReasoning, strangersTo } from './lost-reasoning.ts'
import type { RunPlan } from './plan-run.ts'

export interface RouteLog {
  add(route: TakenRoute): void
  report(): Pick<RunReport, 'provider' | 'upstreamModel' | 'fallbackFrom' | 'warnings'>
}

export function createRouteLog({
  resolved,
  reasoningOrigins,
}: Pick<RunPlan, 'resolved' | 'reasoningOrigins'>): RouteLog {
  let { provider, upstreamModel } = resolved
  let fallbackFrom: string | null = null
  const warnings = new Set<string>()
  return {
    add({ after, ...route }) {
      provider = route.provider
      upstreamModel = route.model
      if (after === null) return
      fallbackFrom ??= `${after.provider}/${after.model}`
      // Whoever was planned to be asked is warned of already.
      if (provider === resolved.provider) return
      for (const origin of strangersTo(provider, reasoningOrigins)) {
        warnings.add(`input: ${lostReasoning(origin, provider)}`)
      }
    },
    report: () => ({ provider, upstreamModel, fallbackFrom, warnings: [...warnings] }),
  }
}
