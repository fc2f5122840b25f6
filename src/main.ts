/** The process: command line -> configuration -> app -> wait for a signal -> end. The only file that reads `process`. */
import { homedir } from 'node:os'
import { PROVIDER_CATALOG } from './app/built-in-providers.ts'
import { EXIT } from './cli/exit-codes.ts'
import type { Host, Output } from './cli/host.ts'
import { runCli } from './cli/run-cli.ts'
import { waitForStop } from './cli/stop-signals.ts'
import { PROGRAM_VERSION } from './lib/own-files.ts'
import { errorFields } from './telemetry/error-fields.ts'
import { createRedactor } from './telemetry/redact.ts'

function outputOf(stream: NodeJS.WriteStream): Output {
  // A reader that has gone, for example `antiphon keys list | head -1`, is no fault of ours.
  stream.on('error', () => {})
  return { write: (text) => stream.write(text), isTerminal: stream.isTTY === true }
}

/** For what the log cannot say, because it is not open or no longer trusted; in the log's two forms. */
function say(stderr: Output, level: 'info' | 'error', msg: string, fields: object = {}): void {
  const line = { time: new Date().toISOString(), level, msg, ...fields }
  stderr.write(stderr.isTerminal ? `antiphon: ${msg}\n` : `${JSON.stringify(line)}\n`)
}

/** A fault nobody foresaw: what the process holds can no longer be trusted, so it says why and ends. */
function endOnFault(stderr: Output): void {
  const end = (what: string) => (thrown: unknown) => {
    const error = errorFields(thrown, createRedactor())
    say(stderr, 'error', stderr.isTerminal ? `${what}: ${error.stack ?? error.message}` : what, { error })
    process.exit(EXIT.internal)
  }
  process.on('uncaughtException', end('uncaught exception'))
  process.on('unhandledRejection', end('unhandled rejection'))
}

function createHost(): Host {
  const [stdout, stderr] = [outputOf(process.stdout), outputOf(process.stderr)]
  endOnFault(stderr)
  return {
    env: process.env,
    cwd: process.cwd(),
    home: homedir(),
    version: PROGRAM_VERSION,
    stdout,
    stderr,
    providers: PROVIDER_CATALOG,
    now: () => Date.now(),
    loadApp: () => import('./app.ts'),
    waitForStop: () =>
      waitForStop(process, { hasTerminal: stdout.isTerminal, say: (text) => say(stderr, 'info', text) }),
    limitShutdown(ms) {
      const timer = setTimeout(() => {
        say(stderr, 'error', 'could not end in time')
        process.exit(EXIT.internal)
      }, ms)
      timer.unref()
    },
  }
}

process.exitCode = await runCli(process.argv.slice(2), createHost())
process.channel?.unref()
