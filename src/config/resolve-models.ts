/** Models and aliases, with every name they use checked against what there is. */

import { TURN_FIELDS } from '../lib/field-support.ts'
import { type Placed, reportRepeated } from './compound-kinds.ts'
import type { aliases as aliasesKind, models as modelsKind } from './entities.ts'
import type { Read, ReadContext } from './kinds.ts'
import type { DeploymentConfig, ModelConfig, PriceConfig } from './resolved-config.ts'
import { didYouMean } from './suggest.ts'

type WrittenModel = Read<ReturnType<typeof modelsKind>>[number]
type WrittenAliases = Read<ReturnType<typeof aliasesKind>>

export type ModelResult = {
  readonly models: readonly ModelConfig[]
  readonly aliases: ReadonlyMap<string, string>
}

/** `providers`: the names that a deployment may use, also of engines that are looked for at start. */
export function resolveModels(
  written: readonly WrittenModel[],
  aliases: WrittenAliases | null,
  providers: readonly string[],
  context: ReadContext,
): ModelResult {
  reportRepeated(
    written.map(({ model_name }) => model_name),
    'the model',
    context,
  )
  const models = written.map((model) => resolveModel(model, providers, context))
  reportTwoPrices(models, written, context)
  const names = models.map(({ name }) => name)
  const fallbacksOf = (model: WrittenModel) => [...(model.fallbacks ?? []), ...(model.content_policy_fallbacks ?? [])]
  for (const fallback of written.flatMap(fallbacksOf)) {
    checkModelName(fallback, [...names, ...(aliases?.keys() ?? [])], context)
  }
  return { models, aliases: resolveAliases(aliases, names, context) }
}

function resolveModel(written: WrittenModel, providers: readonly string[], context: ReadContext): ModelConfig {
  const info = written.model_info
  return {
    name: written.model_name.value,
    deployments: written.deployments.map(({ model, weight, rpm, tpm, model_info: own }) => ({
      ...splitName(model, providers, context),
      weight: weight ?? 1,
      rpm,
      tpm,
      price: priceOf(own, context) ?? priceOf(info, context),
    })),
    fallbacks: (written.fallbacks ?? []).map(({ value }) => value),
    contentPolicyFallbacks: (written.content_policy_fallbacks ?? []).map(({ value }) => value),
    fields: saidFields(info?.fields ?? null),
    contextWindow: info?.context_window ?? null,
    maxOutputTokens: info?.max_output_tokens ?? null,
    supports: info?.supports ?? null,
  }
}

type WrittenPrices = Pick<
  NonNullable<WrittenModel['model_info']>,
  'input_cost_per_mtok' | 'cached_input_cost_per_mtok' | 'cache_write_cost_per_mtok' | 'output_cost_per_mtok' | 'place'
>

/** A price that is half said would make half of the costs wrong. */
function priceOf(written: WrittenPrices | null, context: ReadContext): PriceConfig | null {
  if (written === null) return null
  const { input_cost_per_mtok: input, output_cost_per_mtok: output } = written
  const { cached_input_cost_per_mtok: cachedInput, cache_write_cost_per_mtok: cacheWrite } = written
  if (input !== null && output !== null) return { input, cachedInput, cacheWrite, output }
  if ([input, output, cachedInput, cacheWrite].some((price) => price !== null)) {
    context.error(written.place, 'prices need both "input_cost_per_mtok" and "output_cost_per_mtok"')
  }
  return null
}

/** One upstream model has one price, whatever names lead to it: a call knows only where it went. */
function reportTwoPrices(models: readonly ModelConfig[], written: readonly WrittenModel[], context: ReadContext): void {
  const known = new Map<string, string>()
  for (const [index, { deployments }] of models.entries()) {
    for (const { provider, upstreamModel, price } of deployments) {
      if (price === null) continue
      const name = `${provider}/${upstreamModel}`
      const said = JSON.stringify(price)
      const place = written[index]?.place
      if (place && known.has(name) && known.get(name) !== said)
        context.error(place, `"${name}" has two different prices`)
      known.set(name, said)
    }
  }
}

type WrittenFields = NonNullable<WrittenModel['model_info']>['fields']

function saidFields(written: WrittenFields): ModelConfig['fields'] {
  const said = TURN_FIELDS.flatMap((field) => (written?.[field] ? [[field, written[field]] as const] : []))
  return Object.fromEntries(said)
}

function splitName(
  { value, place }: Placed<string>,
  providers: readonly string[],
  context: ReadContext,
): Pick<DeploymentConfig, 'provider' | 'upstreamModel'> {
  const slash = value.indexOf('/')
  const provider = value.slice(0, slash)
  if (!providers.includes(provider)) {
    const hint = didYouMean(provider, providers) || ` (add it under "providers", or set the variable of its key)`
    context.error(place, `there is no provider "${provider}"${hint}`)
  }
  return { provider, upstreamModel: value.slice(slash + 1) }
}

/** A name with a slash is looked up at its provider; any other must be defined here. */
function checkModelName({ value, place }: Placed<string>, names: readonly string[], context: ReadContext): void {
  if (value.includes('/') || names.includes(value)) return
  context.error(place, `there is no model "${value}"${didYouMean(value, names)}`)
}

function resolveAliases(
  written: WrittenAliases | null,
  models: readonly string[],
  context: ReadContext,
): ReadonlyMap<string, string> {
  const aliases = written ?? new Map<string, Placed<string>>()
  for (const [alias, target] of aliases) {
    if (models.includes(alias)) context.error(target.place, `"${alias}" is a model already and cannot be an alias too`)
    if (endsInItself(alias, aliases)) context.error(target.place, `the alias "${alias}" leads back to itself`)
  }
  return new Map([...aliases].map(([alias, { value }]) => [alias, value]))
}

function endsInItself(alias: string, aliases: ReadonlyMap<string, Placed<string>>): boolean {
  let name = aliases.get(alias)?.value
  for (let steps = 0; steps <= aliases.size && name !== undefined; steps += 1) {
    if (name === alias) return true
    name = aliases.get(name)?.value
  }
  return false
}
