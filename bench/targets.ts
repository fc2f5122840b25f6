/** The programs under test, started side by side: the fake upstream, both floors and Antiphon, each on its core. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startAntiphon } from '../test/suites/start-antiphon.ts'
import { baseEnv, type StartedProcess, startProcess } from '../test/suites/start-process.ts'
import { buildRequest, openConnection } from './raw-client.ts'

export type TargetName = 'floor' | 'floor-sqlite' | 'antiphon' | 'beside'

export type Target = {
  readonly name: TargetName
  readonly port: number
  readonly pid: number
  readonly headers: Readonly<Record<string, string>>
  /** Before the model's name; the fake upstream ignores it. */
  readonly modelPrefix: string
  /** From the start of the process to its first 200. */
  readonly startMs: number
  stop(): Promise<unknown>
}

export type Bench = {
  readonly upstreamPort: number
  /** Whether server and load have a core each. */
  readonly pinned: boolean
  start(name: TargetName): Promise<Target>
  close(): Promise<void>
}

const SERVER_CORE = '0'
const LOAD_CORE = '1'
const START_MS = 20_000
const FLAGS = ['--disable-warning=ExperimentalWarning']
const scriptPath = (name: string) => fileURLToPath(new URL(`./${name}.ts`, import.meta.url))

/** `beside`: the root of another checkout, whose server is the target of that name. */
export async function openBench(beside: string | null = null): Promise<Bench> {
  const pinned = pinSelf()
  const prefix = (core: string) => (pinned ? ['taskset', '-c', core] : [])
  const folder = mkdtempSync(join(tmpdir(), 'antiphon-bench-'))
  const upstream = startScript('upstream', [], prefix(LOAD_CORE))
  const upstreamPort = await portOf(upstream)
  const origin = `http://127.0.0.1:${upstreamPort}`
  let databases = 0
  return {
    upstreamPort,
    pinned,
    async start(name) {
      if (name === 'antiphon') return startServer(origin, prefix(SERVER_CORE), name)
      if (name === 'beside') return startServer(origin, prefix(SERVER_CORE), name, beside)
      const database = join(folder, `${databases++}.db`)
      return startFloor(name, [origin, database], prefix(SERVER_CORE))
    },
    async close() {
      await upstream.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The load generator is this process: it moves to its core. False where there is no second core or no `taskset`. */
function pinSelf(): boolean {
  try {
    execFileSync('taskset', ['-c', `${SERVER_CORE},${LOAD_CORE}`, 'true'], { stdio: 'ignore' })
    execFileSync('taskset', ['-a', '-c', '-p', LOAD_CORE, String(process.pid)], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function startScript(name: string, args: readonly string[], prefix: readonly string[]): StartedProcess {
  const [command = process.execPath, ...rest] = [...prefix, process.execPath, ...FLAGS, scriptPath(name), ...args]
  return startProcess(command, rest, { env: { ...baseEnv(), ...compileCache() } })
}

/** Both sides start from compiled code, as they do the second time. */
const compileCache = () => ({ NODE_COMPILE_CACHE: join(tmpdir(), 'antiphon-bench-compile-cache') })

async function portOf(started: StartedProcess): Promise<number> {
  const [, port] = await started.waitFor(/READY (\d+)/, START_MS)
  return Number(port)
}

async function startFloor(
  name: 'floor' | 'floor-sqlite',
  args: readonly string[],
  prefix: readonly string[],
): Promise<Target> {
  const begin = performance.now()
  const started = startScript(name, args, prefix)
  const port = await portOf(started)
  const connection = await openConnection(port)
  await connection.send(buildRequest('GET', '/v1/responses/none', {}))
  connection.close()
  const startMs = performance.now() - begin
  return { name, port, pid: started.pid, headers: {}, modelPrefix: '', startMs, stop: started.stop }
}

async function startServer(
  origin: string,
  prefix: readonly string[],
  name: 'antiphon' | 'beside',
  root: string | null = null,
): Promise<Target> {
  const config = [
    `providers: { bench: { type: openai_compatible, api_base: "${origin}/v1", api_key: none } }`,
    'limits: { streams_per_project: 10000, streams: 10000, requests_per_minute: 100000000, requests_per_connection: 1000000 }',
  ]
  const server = await startAntiphon({ config: `${config.join('\n')}\n`, root, prefix, env: compileCache() })
  return {
    name,
    port: server.port,
    pid: server.process.pid,
    headers: { authorization: `Bearer ${server.key}` },
    modelPrefix: 'bench/',
    startMs: server.startMs,
    stop: server.stop,
  }
}
