/** Starts a server that can be measured, and its upstream, each in a process of its own. */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { baseEnv } from '../suites/start-process.ts'
import type { Measured } from './measured-server.ts'

export type MeasuredServer = {
  readonly url: string
  readonly apiKey: string
  readonly dataDir: string
  measure(): Promise<Measured>
  /** Ends both processes and removes the data. */
  [Symbol.asyncDispose](): Promise<void>
}

const scriptPath = (name: string) => fileURLToPath(new URL(`./${name}.ts`, import.meta.url))
const API_KEY = 'sk-test-of-the-load'
const QUIET = '--disable-warning=ExperimentalWarning'

export type MeasuredOptions = {
  /** With `/v1`; an upstream of the test's own in place of the one that is started. */
  readonly upstreamUrl?: string
  /** YAML between the braces of `limits`. */
  readonly limits?: string
}

/** The upstream is the provider `load`; requests and streams have no limit that matters. */
export async function openMeasuredServer(options: MeasuredOptions = {}): Promise<MeasuredServer> {
  const home = mkdtempSync(join(tmpdir(), 'antiphon-load-'))
  const dataDir = join(home, 'data')
  const upstream = options.upstreamUrl === undefined ? await startUpstream() : null
  const file = join(home, 'antiphon.yaml')
  writeFileSync(
    file,
    [
      'discovery: { enabled: false }',
      'observability: { log: { level: warn, format: json } }',
      `providers: { load: { type: openai_compatible, api_base: "${options.upstreamUrl ?? upstream?.url}", api_key: none } }`,
      `limits: { requests_per_minute: 0, streams: 20000, streams_per_project: 20000, ${options.limits ?? ''} }`,
      // A model that fails on purpose is called each time.
      'router: { allowed_fails: 1000, cooldown_time: 0s }\n',
    ].join('\n'),
  )
  const child = fork(scriptPath('measured-server'), [file], {
    env: { ...baseEnv(), ANTIPHON_API_KEY: API_KEY, ANTIPHON_DATA_DIR: dataDir },
    execArgv: ['--expose-gc', QUIET],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ask = (question: string): Promise<Measured> => {
    const answer = answerOf<Measured>(child)
    if (child.connected) child.send(question)
    return answer
  }
  const ready: { readonly url: string } = await answerOf(child)
  return {
    url: ready.url,
    apiKey: API_KEY,
    dataDir,
    measure: () => ask('measure'),
    async [Symbol.asyncDispose]() {
      await end(child, () => child.connected && child.send('end'))
      if (upstream !== null) await end(upstream.child, () => upstream.child.stdin.end())
      rmSync(home, { recursive: true })
    },
  }
}

/** Its next message. Rejects when it ends instead. */
async function answerOf<T>(child: ChildProcess): Promise<T> {
  if (child.exitCode !== null || child.signalCode !== null) throw new Error('the measured server has ended')
  const over = new AbortController()
  const { signal } = over
  const exit = once(child, 'exit', { signal }).then(([code, killedBy]) => {
    throw new Error(`the measured server ended with ${code ?? killedBy}`)
  })
  try {
    const [answer] = await Promise.race([once(child, 'message', { signal }), exit])
    return answer
  } finally {
    exit.catch(() => {})
    over.abort()
  }
}

async function startUpstream() {
  const child = spawn(process.execPath, [QUIET, scriptPath('load-upstream-main')], {
    env: baseEnv(),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [line] = await once(child.stdout, 'data')
  return { child, url: /READY (\S+)/.exec(String(line))?.[1] ?? '' }
}

const END_MS = 20_000

async function end(child: ChildProcess, ask: () => unknown): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  ask()
  const killer = setTimeout(() => child.kill('SIGKILL'), END_MS)
  await exited
  clearTimeout(killer)
}
