/**
 * Loaded into every test file's process (`--import`). A file fails when it leaves something behind:
 * - a promise rejected, or an error thrown, that no test waited for;
 * - a socket, server, timer, child or worker that keeps the process alive after the last test.
 *
 * A process whose tests are done and that holds nothing ends by itself. So being still alive when the grace time is
 * over is the leak, and the watching timer, which keeps nothing alive itself, only names it.
 */
import { after } from 'node:test'

/** For `after` hooks of the file itself, which run later than ours, and for connections that are closing. */
const GRACE_MS = Number(process.env.ANTIPHON_TEST_GRACE_MS ?? 5000)

/** The process's own standard streams, named like any other pipe or terminal. */
const STANDARD_STREAMS: ReadonlySet<string> = new Set(['PipeWrap', 'TTYWrap'])

/**
 * `NODE_TEST_CONTEXT` is set in the processes of test files, not in the one that runs them. What a test starts inherits
 * both that and, by `fork`, this preload; the mark keeps it from being taken for a test file.
 */
const MARK = 'ANTIPHON_TEST_PROCESS'
if (process.env.NODE_TEST_CONTEXT !== undefined && process.env[MARK] === undefined) watchThisFile()

function watchThisFile(): void {
  process.env[MARK] = String(process.pid)
  const strays: string[] = []
  process.on('uncaughtExceptionMonitor', (error, origin) => strays.push(`${origin}: ${error?.stack ?? String(error)}`))
  process.on('unhandledRejection', (reason) => strays.push(`unhandledRejection: ${describe(reason)}`))
  process.on('exit', () => {
    if (strays.length > 0) failFile('errors that no test waited for', strays)
  })
  after(() => nameLeaks(true))
}

/** A process that nothing holds is only slow, on a busy machine: it is given its time once more. */
function nameLeaks(mayBeSlow: boolean): void {
  const look = () => {
    const open = process.getActiveResourcesInfo().filter((it) => !STANDARD_STREAMS.has(it))
    if (open.length === 0 && mayBeSlow) return nameLeaks(false)
    failFile('still open after the last test', open)
    process.exit(1)
  }
  setTimeout(look, GRACE_MS).unref()
}

function failFile(what: string, details: readonly string[]): void {
  process.exitCode = 1
  console.error(`${what}:\n${details.map((it) => `  ${it}`).join('\n')}`)
}

const describe = (reason: unknown): string =>
  reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)
