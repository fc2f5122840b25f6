/** What every command has that is a client of a running server. */
import type { ResolvedConfig } from '../config/resolved-config.ts'
import { type AppModule, CommandError, type FileServer } from './app-interface.ts'
import { CONFIG_OPTIONS, type Command, type CommandInput, JSON_OPTION } from './command.ts'
import { EXIT } from './exit-codes.ts'
import type { Host } from './host.ts'
import { loadConfig } from './load-config.ts'

export const SERVER_OPTIONS = {
  url: { value: 'URL', doc: 'The server, as http://host:port (the one of the configuration).' },
  ...JSON_OPTION,
  ...CONFIG_OPTIONS,
} as const

export const KEY_NOTE = 'The key is ANTIPHON_API_KEY, else the first one of the configuration or of the data directory.'

type Reached = { readonly app: AppModule; readonly config: ResolvedConfig; readonly server: FileServer }

export async function reachServer(input: CommandInput, command: Command, host: Host): Promise<Reached> {
  const config = await loadConfig(input, command.options, host)
  const app = await host.loadApp()
  const url = input.values.get('url')?.replace(/\/+(v1\/*)?$/, '') ?? null
  if (url !== null && !/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw new CommandError('--url takes an address as http://127.0.0.1:8484', { exitCode: EXIT.usage })
  }
  return { app, config, server: { url, key: host.env.ANTIPHON_API_KEY?.trim() || null } }
}
