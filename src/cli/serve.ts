/** `antiphon serve`: starts the server and stays until it is told to stop. */
import { existsSync } from 'node:fs'
import { isLoopback } from '../config/loopback.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import { type App, CommandError, type StartSummary } from './app-interface.ts'
import { choosePort, portInUse } from './choose-port.ts'
import { CONFIG_OPTIONS, type Command } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { type Host, wantsColour } from './host.ts'
import { loadConfig } from './load-config.ts'
import { keyFileOf, startScreen } from './start-screen.ts'

/** After the drain: for the last writes and the closing of the store. */
const CLOSE_MS = 5_000

export const serve: Command = {
  name: 'serve',
  doc: 'Start the server (the default command).',
  positionals: [],
  options: {
    ...CONFIG_OPTIONS,
    host: { value: 'HOST', doc: 'Address to listen on (127.0.0.1).', setting: 'server.host' },
    port: { value: 'PORT', short: 'p', doc: 'Port to listen on (8484, or the next free one).', setting: 'server.port' },
    'log-level': {
      value: 'LEVEL',
      doc: 'debug, info, warn, error or silent (info).',
      setting: 'observability.log.level',
    },
    'no-auth': { doc: 'Let every program on this computer in without a key. Loopback only.' },
    'no-detect': {
      doc: 'Do not look for keys in the environment and for local engines.',
      setting: 'discovery.enabled',
      gives: 'false',
    },
  },
  details: `The start screen goes to stdout and ends with the line READY URL; logs go to stderr, readable on a
terminal and as JSON lines otherwise. SIGTERM or Ctrl-C lets running responses end, a second one
stops at once.`,
  async run(input, host) {
    const wished = await loadConfig(input, serve.options, host)
    refuseOpenNetwork(wished)
    const config = await settlePort(wished)
    const { createApp } = await host.loadApp()
    await using app = await createApp(config)
    const { url } = await listen(app, config)
    const movedFrom = config.server.port === wished.server.port ? null : wished.server.port
    host.stdout.write(screen(await app.summarize(), config, { url, movedFrom }, host))
    await host.waitForStop()
    host.limitShutdown(config.server.drainTimeoutMs + CLOSE_MS)
    await app.drain()
    return EXIT.ok
  },
}

function refuseOpenNetwork({ authEnabled, server }: ResolvedConfig): void {
  if (authEnabled || isLoopback(server.host)) return
  const message = `--no-auth is allowed only on loopback, not on ${server.host}: anyone could use your providers`
  throw new CommandError(message, { exitCode: EXIT.usage })
}

async function settlePort(config: ResolvedConfig): Promise<ResolvedConfig> {
  const { host, port } = config.server
  const isDefault = config.origins.get('server.port')?.level === 'default'
  return { ...config, server: { ...config.server, port: await choosePort({ host, port, isDefault }) } }
}

/** Somebody may have taken the port since it was chosen. */
async function listen(app: App, { server }: ResolvedConfig): Promise<{ readonly url: string }> {
  try {
    return await app.listen()
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
    throw taken ? new CommandError(portInUse(server.host, server.port), { cause: error }) : error
  }
}

function screen(
  summary: StartSummary,
  config: ResolvedConfig,
  address: { readonly url: string; readonly movedFrom: number | null },
  host: Host,
): string {
  return startScreen({
    ...address,
    version: host.version,
    config,
    summary,
    home: host.home,
    hasKeyFile: existsSync(keyFileOf(config)),
    colour: wantsColour(host.stdout, host.env),
  })
}
