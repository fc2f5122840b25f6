/** `antiphon models`: what the providers offer. */
import type { ModelEntry } from '../models/catalog.ts'
import { CONFIG_OPTIONS, type Command, JSON_OPTION } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { line } from './host.ts'
import { loadConfig } from './load-config.ts'
import { tableText } from './table-text.ts'

export const models: Command = {
  name: 'models',
  doc: 'List the models that requests can name.',
  positionals: [],
  options: { ...JSON_OPTION, ...CONFIG_OPTIONS },
  async run(input, host) {
    const config = await loadConfig(input, models.options, host)
    const { describeModels } = await host.loadApp()
    const overview = await describeModels(config)
    if (input.switches.has('json')) {
      const json = { default: overview.defaultModel, models: overview.models, providers: overview.providers }
      line(host.stdout, JSON.stringify(json, null, 2))
      return EXIT.ok
    }
    for (const { name, state, note } of overview.providers.filter(({ state }) => state !== 'ready')) {
      line(host.stderr, `${name} is ${state}${note === null ? '' : `: ${note}`}`)
    }
    line(host.stdout, listText(overview.models, overview.defaultModel))
    return EXIT.ok
  },
}

function listText(entries: readonly ModelEntry[], defaultModel: string | null): string {
  const rows = entries.map(({ id, ownedBy, capabilities }) => [
    plain(id),
    plain(ownedBy),
    capabilities.contextWindow === null ? '' : String(capabilities.contextWindow),
    id === defaultModel ? 'default' : '',
  ])
  return tableText(['MODEL', 'PROVIDER', 'CONTEXT', ''], rows)
}

/** Names come from providers. */
const plain = (text: string) => text.replace(/\p{Cc}/gu, '?')
