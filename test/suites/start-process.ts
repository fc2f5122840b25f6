/** Starting programs as a user does: a real process on a free port, an environment of its own, ended by its own id. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const MAX_KEPT_OUTPUT = 1_000_000
const STOP_MS = 15_000
/** For output that is still in the pipes when the process has ended. */
const OUTPUT_MS = 500

export type StartedProcess = {
  readonly pid: number
  /** What it wrote so far, both streams together. */
  output(): string
  /** Resolves when the output matches; rejects when the process ends or the time is over. */
  waitFor(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray>
  /** Its exit code once it has ended by itself; a signal counts as 128 and more. */
  readonly exited: Promise<number>
  /** SIGTERM to `pid`, the process itself by default, and SIGKILL to all of its group when that did not help in time. */
  stop(pid?: number, withinMs?: number): Promise<number>
}

export type StartOptions = {
  readonly cwd?: string
  /** The whole environment, nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
}

/** Of the environment, only what a program needs to run at all. */
export const baseEnv = (): Record<string, string> => ({
  PATH: process.env.PATH ?? '',
  HOME: process.env.HOME ?? '',
  ...(process.env.LANG === undefined ? {} : { LANG: process.env.LANG }),
})

/** Runs a program in a process group of its own, so that whatever it starts can be ended with it. */
export function startProcess(command: string, args: readonly string[], options: StartOptions): StartedProcess {
  const { cwd, env } = options
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let output = ''
  const keep = (text: string) => {
    output = (output + text).slice(-MAX_KEPT_OUTPUT)
  }
  child.stdout.setEncoding('utf8').on('data', keep)
  child.stderr.setEncoding('utf8').on('data', keep)
  const exited = exitOf(child)
  const isOver = () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null
  return {
    pid: child.pid ?? -1,
    output: () => output,
    exited,
    async waitFor(pattern, timeoutMs) {
      const end = performance.now() + timeoutMs
      for (;;) {
        const match = pattern.exec(output)
        if (match !== null) return match
        if (isOver() || performance.now() > end) {
          const what = isOver() ? 'the process ended' : `${timeoutMs} ms went by`
          throw new Error(`${what} before ${command} printed ${pattern}\n${output}`)
        }
        await sleep(10)
      }
    },
    async stop(pid, withinMs = STOP_MS) {
      if (!isOver()) signal(pid ?? child.pid, 'SIGTERM')
      const killer = setTimeout(() => killGroup(child), withinMs)
      const code = await exited
      clearTimeout(killer)
      return code
    },
  }
}

/** What the process left behind in its group goes with it, also when this process ends first. */
async function exitOf(child: ChildProcess): Promise<number> {
  const killWithUs = () => killGroup(child)
  process.once('exit', killWithUs)
  const [code] = await once(child, 'exit').catch(() => [127])
  process.off('exit', killWithUs)
  killGroup(child)
  await Promise.race([once(child, 'close'), sleep(OUTPUT_MS)])
  return typeof code === 'number' ? code : 128
}

const killGroup = (child: ChildProcess) => signal(child.pid === undefined ? undefined : -child.pid, 'SIGKILL')

function signal(pid: number | undefined, name: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, name)
  } catch {
    // It has ended already.
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  return address.port
}
