/**
 * A whole server on a free port, in this process: demo model and a strict Chat Completions upstream behind it.
 *
 * With `ANTIPHON_TEST_STORE=postgres` it keeps its data in the PostgreSQL of `ANTIPHON_TEST_POSTGRES`, in a schema of
 * its own, so that the same tests hold for both stores.
 */
import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PROVIDER_CATALOG } from '../../src/app/built-in-providers.ts'
import { createApp } from '../../src/app.ts'
import { sealingKeysFileOf } from '../../src/auth/sealing-keys.ts'
import { pepperFileOf } from '../../src/auth/secret-files.ts'
import { resolveConfig } from '../../src/config/resolve-config.ts'
import type { ResolvedConfig } from '../../src/config/resolved-config.ts'
import type { Clock } from '../../src/lib/clock.ts'
import type { Resolve } from '../../src/lib/outbound-guard.ts'
import { silentTelemetry, type Telemetry } from '../../src/telemetry/telemetry.ts'
import { type ChatUpstream, startChatUpstream } from '../fakes/chat-upstream.ts'
import { openSchema } from './postgres.ts'
import { startRecordingProxy } from './recording-proxy.ts'

export type TestServer = {
  /** Without a path. */
  readonly url: string
  /** As SDKs want it, with `/v1`. */
  readonly baseUrl: string
  readonly apiKey: string
  readonly upstream: ChatUpstream
  readonly dataDir: string
  /** For `openStore`, beside the server. */
  readonly storage: ResolvedConfig['storage']
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
  /** In the place of SQLite. */
  readonly databaseUrl?: string
  /** The data directory of a server on the same database, whose secrets this one takes over. */
  readonly secretsOf?: string
}

export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const upstream = options.upstream ?? (await startChatUpstream())
  const home = await mkdtemp(join(tmpdir(), 'antiphon-server-'))
  const file = join(home, 'antiphon.yaml')
  const provider = `upstream: { type: openai_compatible, api_base: "${upstream.url}", api_key: upstream-secret-key }`
  const lines = [provider, ...(options.providers ?? [])].map((line) => `  ${line}\n`)
  await writeFile(file, `providers:\n${lines.join('')}discovery: { enabled: false }\n${options.config ?? ''}`)
  const dataDir = join(home, 'data')
  if (options.secretsOf) await copySecrets(options.secretsOf, dataDir)
  const schema = process.env.ANTIPHON_TEST_STORE === 'postgres' && !options.databaseUrl ? await openSchema() : null
  const databaseUrl = options.databaseUrl ?? schema?.url
  const resolved = await resolveConfig({
    flags: new Map(),
    file,
    noAuth: false,
    env: {
      ...{ ANTIPHON_API_KEY: API_KEY, ANTIPHON_DATA_DIR: dataDir, PORT: '0' },
      ...(databaseUrl && { ANTIPHON_STORAGE__DATABASE_URL: databaseUrl }),
      ...options.env,
    },
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
    dataDir: resolved.config.storage.dataDir,
    storage: resolved.config.storage,
    async close() {
      await proxy?.close()
      await app[Symbol.asyncDispose]()
      await schema?.drop()
      if (!options.upstream) await upstream.close()
      await rm(home, { recursive: true })
      assert.deepEqual(faults, [], 'the server met no fault that it had not foreseen')
      if (proxy) assert.ok(proxy.check() > 0, 'replies were held against the types of the SDK')
    },
  }
}

/** Replicas share what keys are checked with and what is sealed with. */
export async function copySecrets(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 })
  for (const file of [pepperFileOf, sealingKeysFileOf]) await cp(file(from), file(to))
}
