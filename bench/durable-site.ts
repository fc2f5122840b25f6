/** One real server, or two on a PostgreSQL, before the fake upstream. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCrashRunner, type RunningServer } from '../test/faults/crash-runner.ts'
import { openSchema, TEST_POSTGRES } from '../test/support/postgres.ts'
import { findPostgres, startPostgres } from '../test/support/postgres-server.ts'
import { copySecrets } from '../test/support/server.ts'

export type Site = {
  readonly servers: readonly Server[]
  close(): Promise<void>
}
type Server = {
  readonly port: number
  readonly pid: number
  readonly headers: Readonly<Record<string, string>>
}

/** A connection of the bench may ask as often as it likes. */
const LIMITS = `limits: { requests_per_minute: 0, requests_per_connection: 1000000, streams_per_project: 1000, background_running: 64, background_queued: 1000 }`

type SiteOptions = {
  /** Of the upstream. */
  readonly origin: string
  /** Null: SQLite. */
  readonly databaseUrl: string | null
  readonly replicas: number
}

export async function openSite({ origin, databaseUrl, replicas }: SiteOptions): Promise<Site> {
  const files = mkdtempSync(join(tmpdir(), 'antiphon-bench-files-'))
  const schema = databaseUrl === null ? null : await openSchema(databaseUrl)
  const config = `
providers: { bench: { type: openai_compatible, api_base: "${origin}/v1", api_key: none } }
storage: { files: "${files}" }
${LIMITS}`
  const runners = Array.from({ length: replicas }, () => createCrashRunner(config))
  const running: RunningServer[] = []
  for (const [index, runner] of runners.entries()) {
    if (index > 0 && runners[0]) await copySecrets(runners[0].dataDir, runner.dataDir)
    running.push(await runner.start(schema === null ? {} : { ANTIPHON_STORAGE__DATABASE_URL: schema.url }))
  }
  return {
    servers: running.map(({ url, pid, apiKey }) => ({
      ...{ port: Number(new URL(url).port), pid },
      headers: { authorization: `Bearer ${apiKey}` },
    })),
    async close() {
      for (const server of running) await server.stop()
      for (const runner of runners) runner.dispose()
      await schema?.drop()
      rmSync(files, { recursive: true })
    },
  }
}

/** The one that is given, or one of our own that waits for its disk; null where there is neither. */
export async function openPostgres(): Promise<{ readonly url: string; close(): Promise<void> } | null> {
  if (TEST_POSTGRES !== null) return { url: TEST_POSTGRES, close: async () => {} }
  const bin = findPostgres()
  if (bin === null) return null
  const server = await startPostgres(bin, { fsync: true })
  return { url: server.url, close: server.remove }
}
