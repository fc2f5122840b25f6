/** Composition for `antiphon pull`: the folder of models alone; a running server sees what comes into it. */
import type { PullAdmin } from '../cli/app-interface.ts'
import { LOCAL } from '../config/known-providers.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import { systemClock } from '../lib/clock.ts'
import { type PullOptions, pullModel } from '../models/local/pull/pull-model.ts'

/** `hub`: where models are, and what lets us in. */
export function openPull(
  { providers, pulledModels }: Pick<ResolvedConfig, 'providers' | 'pulledModels'>,
  { hub }: Pick<PullOptions, 'hub'>,
): PullAdmin | null {
  const provider = providers.find(({ type }) => type === LOCAL) ?? pulledModels
  const dir = provider?.local?.dir
  if (provider === null || dir === undefined) return null
  return {
    provider: provider.name,
    pull: (source, options) => pullModel(source, { dir, hub, clock: systemClock, ...options }),
  }
}
