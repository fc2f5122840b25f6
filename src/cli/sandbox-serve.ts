/** `antiphon sandbox serve`: lends the sandbox of this machine to servers on other ones. */
import { CommandError } from './app-interface.ts'
import { portInUse } from './choose-port.ts'
import { CONFIG_OPTIONS, type Command } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { line } from './host.ts'
import { loadConfig } from './load-config.ts'

const HOST = '127.0.0.1'
const PORT = 8485

export const sandboxServe: Command = {
  name: 'sandbox serve',
  doc: 'Run code for servers on other machines.',
  positionals: [],
  options: {
    host: { value: 'HOST', doc: `Address to listen on (${HOST}).` },
    port: { value: 'PORT', short: 'p', doc: `Port to listen on (${PORT}).` },
    ...CONFIG_OPTIONS,
  },
  details:
    'Needs a token: ANTIPHON_TOOLS__CODE_INTERPRETER__TOKEN, or tools.code_interpreter.token in the configuration;\n' +
    'servers have the same one beside tools.code_interpreter.url. Starts only when the self-test of this machine\n' +
    'reaches nothing. Code is not encrypted on its way: put TLS before it where the network is not your own.',
  async run(input, host) {
    const config = await loadConfig(input, sandboxServe.options, host)
    const port = portOf(input.values.get('port'))
    const app = await host.loadApp()
    await using worker = await app.openSandboxWorker(config)
    if (worker === null)
      throw new CommandError('there is no token: set ANTIPHON_TOOLS__CODE_INTERPRETER__TOKEN', { exitCode: EXIT.usage })
    const address = input.values.get('host') ?? HOST
    const { url } = await worker.listen(address, port).catch((error: unknown) => {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
      throw isTaken ? new CommandError(portInUse(address, port), { cause: error }) : error
    })
    line(host.stdout, `READY ${url}`)
    await host.waitForStop()
    return EXIT.ok
  },
}

function portOf(text: string | undefined): number {
  if (text === undefined) return PORT
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw new CommandError(`--port takes a number from 0 to 65535, not "${text}"`, { exitCode: EXIT.usage })
}
