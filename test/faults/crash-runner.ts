/**
 * The real process under load, killed and started again on the same data. The ledger is the truth: a line is appended
 * only after the client has read what it was told, and after the next start the server must stand by every line.
 */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { baseEnv, type StartedProcess, startProcess } from '../suites/start-process.ts'

const LAUNCHER = fileURLToPath(new URL('../../bin/antiphon.js', import.meta.url))
const START_MS = 30_000

export type Acknowledged =
  /** A stream said `response.created`: the response exists from then on. */
  | { readonly what: 'created'; readonly id: string }
  /** A JSON reply, or a terminal event: this is the response, from then on. */
  | { readonly what: 'ended'; readonly id: string; readonly response: unknown }
  /** Written before the request is sent: from then on the response may be there or not. */
  | { readonly what: 'deleting'; readonly id: string }
  | { readonly what: 'deleted'; readonly id: string }

export type RunningServer = {
  readonly url: string
  readonly apiKey: string
  readonly pid: number
  /** From the start of the process to its first answer. */
  readonly startMs: number
  output(): string
  /** SIGKILL to all of its processes; resolves when they are gone. */
  kill(): Promise<void>
  /** SIGTERM; answers the exit code. Killed, with 128, when it takes longer, 15 s by default. */
  stop(withinMs?: number): Promise<number>
}

export interface CrashRunner {
  readonly dataDir: string
  /** `prefix`: a command before the server's own. */
  start(env?: Readonly<Record<string, string>>, prefix?: readonly string[]): Promise<RunningServer>
  /** Synchronous: what it has returned from is on the ledger, whatever happens next. */
  acknowledge(entry: Acknowledged): void
  ledger(): readonly Acknowledged[]
  /** Removes the data. */
  dispose(): void
}

/** `config`: YAML, besides the switched off discovery. */
export function createCrashRunner(config: string): CrashRunner {
  const home = mkdtempSync(join(tmpdir(), 'antiphon-faults-'))
  const dataDir = join(home, 'data')
  const file = join(home, 'antiphon.yaml')
  const ledgerFile = join(home, 'ledger.jsonl')
  const apiKey = 'sk-test-of-the-fault-kit'
  writeFileSync(file, `discovery: { enabled: false }\n${config}`)
  writeFileSync(ledgerFile, '')
  return {
    dataDir,
    async start(env = {}, prefix = []) {
      const began = performance.now()
      const [command = '', ...args] = [...prefix, process.execPath, LAUNCHER, 'serve', '--config', file]
      const started = startProcess(command, args, {
        cwd: home,
        env: { ...baseEnv(), ANTIPHON_DATA_DIR: dataDir, ANTIPHON_API_KEY: apiKey, PORT: '0', ...env },
      })
      const [, url = ''] = await started.waitFor(/^READY (\S+)$/m, START_MS)
      return running(started, { url, apiKey, startMs: performance.now() - began })
    },
    acknowledge: (entry) => appendFileSync(ledgerFile, `${JSON.stringify(entry)}\n`),
    ledger: () =>
      readFileSync(ledgerFile, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
    dispose: () => rmSync(home, { recursive: true, force: true }),
  }
}

function running(started: StartedProcess, facts: Pick<RunningServer, 'url' | 'apiKey' | 'startMs'>): RunningServer {
  return {
    ...facts,
    pid: started.pid,
    output: started.output,
    async kill() {
      process.kill(-started.pid, 'SIGKILL')
      await started.exited
    },
    stop: (withinMs) => started.stop(undefined, withinMs),
  }
}
