/** Composition for `antiphon models test`: asks deployments what they can do, and keeps the answers. */
import type { DeploymentTest, ModelTester } from '../cli/app-interface.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import { systemClock } from '../lib/clock.ts'
import { createRandomIds } from '../lib/ids.ts'
import type { DeploymentEntry } from '../models/catalog.ts'
import type { ModelInfo } from '../models/model-info.ts'
import { runProbes } from '../models/probe/run-probes.ts'
import { saveFinding } from './capability-findings.ts'
import { describeProviders } from './describe-providers.ts'
import { type ModelParts, openModels } from './open-models.ts'

/** What the adapter is told, so that it asks for everything. */
const EVERYTHING: ModelInfo = {
  imageInput: true,
  fileInput: true,
  functionTools: true,
  structuredOutput: true,
  reasoning: true,
  logprobs: true,
}

export async function openModelTester(config: ResolvedConfig): Promise<ModelTester> {
  const deps = { clock: systemClock, ids: createRandomIds() }
  const models = await openModels(config, deps)
  return {
    deployments: (name) => deploymentsOf(name, config, models),
    async test({ provider: providerName, upstreamModel }, { signal, onResult }): Promise<DeploymentTest> {
      const provider = models.providers.find(({ name }) => name === providerName)
      if (provider === undefined) throw new RangeError(`There is no provider '${providerName}'.`)
      const model = provider.open(upstreamModel, EVERYTHING)
      const { results, fields } = await runProbes(model, upstreamModel, { signal, onResult })
      const complete = results.every(({ outcome }) => outcome !== 'failed')
      if (complete) {
        const testedAt = new Date(systemClock.now()).toISOString()
        saveFinding(config.storage.dataDir, `${providerName}/${upstreamModel}`, { testedAt, fields })
      }
      return { results, fields, saved: complete }
    },
    [Symbol.asyncDispose]: () => models.close(),
  }
}

/** Without a name: all deployments of the configured models, else the one that is shown at start. */
async function deploymentsOf(
  name: string | null,
  config: ResolvedConfig,
  models: ModelParts,
): Promise<readonly DeploymentEntry[]> {
  const names = name === null ? await defaultNames(config, models) : [name]
  const entries = await Promise.all(names.map((one) => models.catalog.get(one)))
  const all = entries.flatMap((entry) => entry?.deployments ?? [])
  const seen = new Set<string>()
  return all.filter(({ provider, upstreamModel }) => {
    const key = `${provider}/${upstreamModel}`
    return !seen.has(key) && seen.add(key)
  })
}

async function defaultNames(config: ResolvedConfig, models: ModelParts): Promise<readonly string[]> {
  if (config.models.length > 0) return config.models.map(({ name }) => name)
  const { defaultModel } = await describeProviders(config, models, { clock: systemClock, waitMs: 5000 })
  return defaultModel === null ? [] : [defaultModel]
}
