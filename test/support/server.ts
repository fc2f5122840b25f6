/** A whole server on a free port, in this process: demo model and a strict Chat Completions upstream behind it. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PROVIDER_CATALOG } from '../../src/app/built-in-providers.ts'
import { createApp } from '../../src/app.ts'
import { resolveConfig } from '../../src/config/resolve-config.ts'
import type { Clock } from '../../src/lib/clock.ts'
import type { Resolve } from '../../src/lib/outbound-guard.ts'
import { silentTelemetry, type Telemetry } from '../../src/telemetry/telemetry.ts'
import { type ChatUpstream, startChatUpstream } from '../fakes/chat-upstream.ts'
import { startRecordingProxy } from './recording-proxy.ts'

export type TestServer = {
  /** Without a path. */
  readonly url: string
  /** As SDKs want it, with `/v1`. */
  readonly baseUrl: string
  readonly apiKey: string
  readonly upstream: ChatUpstream
  readonly dataDir: string
  close(): Promise<void>
}

export const API_KEY = 'sk-test-of-the-whole-server'
export const UPSTREAM_MODEL = 'upstream/gpt-test'

/** What every real client is run against. */
export const BACKENDS = [
  { name: 'the demo model', model: 'demo' },
  { name: 'a Chat Completions upstream', model: UPSTREAM_MODEL },
] as const

export type ServerOptions = {
  /** Lines of YAML besides the providers. */
  readonly config?: string
  /** Further providers, one line of YAML each. */
  readonly providers?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly telemetry?: Telemetry
  /** In the place of the system's. */
  readonly clock?: Clock
  /** How the outbound guard looks up names. */
  readonly resolve?: Resolve
  /** Told of faults, which are then allowed. */
  readonly onFault?: (error: unknown) => void
  /** Hold everything this server sends to the official SDK's types, when it closes. */
  readonly checked?: boolean
  /** An upstream of the caller's own; it stays open. */
  readonly upstream?: ChatUpstream
}

export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const upstream = options.upstream ?? (await startChatUpstream())
  const home = await mkdtemp(join(tmpdir(), 'antiphon-server-'))
  const file = join(home, 'antiphon.yaml')
  const provider = `upstream: { type: openai_compatible, api_base: "${upstream.url}", api_key: upstream-secret-key }`
  const lines = [provider, ...(options.providers ?? [])].map((line) => `  ${line}\n`)
  await writeFile(file, `providers:\n${lines.join('')}discovery: { enabled: false }\n${options.config ?? ''}`)
  const resolved = await resolveConfig({
    flags: new Map(),
    file,
    noAuth: false,
    env: { ANTIPHON_API_KEY: API_KEY, ANTIPHON_DATA_DIR: join(home, 'data'), PORT: '0', ...options.env },
    providers: PROVIDER_CATALOG,
    cwd: home,
    home,
  })
  if (resolved.type === 'problems') throw new Error(resolved.problems.map(({ message }) => message).join('\n'))
  const faults: unknown[] = []
  const onFault = options.onFault ?? ((error) => faults.push(error))
  const telemetry: Telemetry = { ...silentTelemetry, ...options.telemetry, failed: ({ error }) => onFault(error) }
  const { clock, resolve } = options
  const app = await createApp(resolved.config, { telemetry, ...(clock && { clock }), ...(resolve && { resolve }) })
  const { url: own } = await app.listen()
  const proxy = options.checked ? await startRecordingProxy(own) : null
  const url = proxy?.url ?? own
  return {
    url,
    baseUrl: `${url}/v1`,
    apiKey: API_KEY,
    upstream,
    dataDir: join(home, 'data'),
    async close() {
      await proxy?.close()
      await app[Symbol.asyncDispose]()
      if (!options.upstream) await upstream.close()
      await rm(home, { recursive: true })
      assert.deepEqual(faults, [], 'the server met no fault that it had not foreseen')
      if (proxy) assert.ok(proxy.check() > 0, 'replies were held against the types of the SDK')
    },
  }
}
