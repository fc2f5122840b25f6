/** Two real server processes on one PostgreSQL, with the same secrets and files, that can be killed and started again. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChatUpstream } from '../fakes/chat-upstream.ts'
import type { FakeMcp } from '../fakes/mcp-server.ts'
import { openSchema, type TestSchema } from '../support/postgres.ts'
import { copySecrets } from '../support/server.ts'
import { answerOf, startWriter } from './background-load.ts'
import { createCrashRunner, type RunningServer } from './crash-runner.ts'

export type ReplicaBed = {
  readonly replicas: readonly [ReplicaSlot, ReplicaSlot]
  readonly writer: FakeMcp
  readonly schema: TestSchema
  /** Of each response, the ids of the events that told its end to a webhook. */
  readonly toldEnds: ReadonlyMap<string, ReadonlySet<string>>
  /** SIGTERM to both; answers their exit codes. */
  stop(): Promise<readonly [number, number]>
  /** Whatever state they are in. */
  close(): Promise<void>
}

/** The place of one of the two, whichever process has it. */
export type ReplicaSlot = {
  /** The process that runs now, or ran last. */
  server(): RunningServer
  start(): Promise<void>
}

/** A run takes a second or two, so that most kills meet some. */
const PACE_MS = 60
const EVENTS = ['completed', 'failed', 'cancelled', 'incomplete'].map((end) => `response.${end}`).join(', ')

export type ReplicaOptions = {
  /** A flow mapping of YAML, besides `upstream`, which answers as `answerOf` says. */
  readonly providers?: string
  /** Further lines of YAML, for both. */
  readonly config?: string
}

export async function openReplicaBed(random: () => number, options: ReplicaOptions = {}): Promise<ReplicaBed> {
  const upstream = await startChatUpstream({ script: (request) => answerOf(request, random, PACE_MS), record: false })
  const [writer, hook, schema] = [await startWriter(random), await startReceiver(), await openSchema()]
  const files = mkdtempSync(join(tmpdir(), 'antiphon-replicas-'))
  const yaml = `
providers: { upstream: { type: openai_compatible, api_base: "${upstream.url}", api_key: k }, ${options.providers ?? ''} }
security: { allow_private_hosts: ["${writer.host}", "${new URL(hook.url).host}"] }
webhooks: { all: { url: "${hook.url}", secret: a-secret-of-the-test, events: [${EVENTS}] } }
storage: { files: "${files}" }
${options.config ?? ''}`
  const runners = [createCrashRunner(yaml), createCrashRunner(yaml)] as const
  const env = { ANTIPHON_STORAGE__DATABASE_URL: schema.url }
  const slotOf = async (runner: (typeof runners)[number]): Promise<ReplicaSlot> => {
    let server = await runner.start(env)
    return {
      server: () => server,
      async start() {
        server = await runner.start(env)
      },
    }
  }
  const first = await slotOf(runners[0])
  await copySecrets(runners[0].dataDir, runners[1].dataDir)
  const second = await slotOf(runners[1])
  return {
    replicas: [first, second],
    ...{ writer, schema, toldEnds: hook.toldEnds },
    stop: () => Promise.all([first.server().stop(), second.server().stop()]),
    async close() {
      for (const slot of [first, second]) await slot.server().stop()
      for (const runner of runners) runner.dispose()
      await upstream.close()
      await writer.close()
      hook.close()
      await schema.drop()
      rmSync(files, { recursive: true })
    },
  }
}

async function startReceiver() {
  const toldEnds = new Map<string, Set<string>>()
  const http = createServer(async (request, reply) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { id, data } = JSON.parse(Buffer.concat(chunks).toString())
    toldEnds.set(data.id, (toldEnds.get(data.id) ?? new Set()).add(id))
    reply.writeHead(200).end()
  }).listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    toldEnds,
    close() {
      http.closeAllConnections()
      http.close()
    },
  }
}
