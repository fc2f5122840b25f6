/** A server as a user starts it: the launcher, an own data directory, a config file, a known key. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { baseEnv, freePort, type StartedProcess, startProcess } from './start-process.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const START_MS = 30_000

export type StartedServer = {
  readonly process: StartedProcess
  readonly port: number
  /** With `/v1`, as clients want it. */
  readonly baseUrl: string
  readonly key: string
  /** From the start of the process to the first 200. */
  readonly startMs: number
  /** Ends the server and removes its data. Answers the exit code. */
  stop(): Promise<number>
}

export type ServerOptions = {
  /** YAML; discovery is always off. */
  readonly config?: string
  readonly env?: Readonly<Record<string, string>>
  /** A command before the server's own, as `taskset -c 0`. */
  readonly prefix?: readonly string[]
  /** Of the checkout whose server is started; null or absent: this one. */
  readonly root?: string | null
}

export async function startAntiphon(options: ServerOptions = {}): Promise<StartedServer> {
  const folder = mkdtempSync(join(tmpdir(), 'antiphon-server-'))
  const config = join(folder, 'antiphon.yaml')
  writeFileSync(config, `discovery: { enabled: false }\n${options.config ?? ''}`)
  const port = await freePort()
  const key = `sk-antiphon-test-${process.hrtime.bigint().toString(36)}`
  const env = {
    ...baseEnv(),
    ANTIPHON_DATA_DIR: join(folder, 'data'),
    ANTIPHON_API_KEY: key,
    PORT: String(port),
    ...options.env,
  }
  const [command = process.execPath, ...args] = [
    ...(options.prefix ?? []),
    process.execPath,
    join(options.root ?? ROOT, 'bin', 'antiphon.js'),
    'serve',
    '--config',
    config,
  ]
  const begin = performance.now()
  const started = startProcess(command, args, { env, cwd: folder })
  const stop = async () => {
    const code = await started.stop()
    rmSync(folder, { recursive: true, force: true })
    return code
  }
  try {
    await waitUntilHealthy(port, started)
  } catch (error) {
    await stop()
    throw error
  }
  const startMs = performance.now() - begin
  return { process: started, port, baseUrl: `http://127.0.0.1:${port}/v1`, key, startMs, stop }
}

/** Asks for `/health` until it answers 200. */
export async function waitUntilHealthy(port: number, started: StartedProcess, timeoutMs = START_MS): Promise<void> {
  const end = performance.now() + timeoutMs
  let ended = false
  void started.exited.then(() => {
    ended = true
  })
  for (;;) {
    if (await isHealthy(port)) return
    if (ended) throw new Error(`the server ended while starting:\n${started.output()}`)
    if (performance.now() > end) throw new Error(`the server was not up after ${timeoutMs} ms:\n${started.output()}`)
    await sleep(5)
  }
}

async function isHealthy(port: number): Promise<boolean> {
  try {
    const reply = await fetch(`http://127.0.0.1:${port}/health`)
    await reply.arrayBuffer()
    return reply.status === 200
  } catch {
    return false
  }
}
