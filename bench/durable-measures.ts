/** What is measured of background runs. Each takes one round at a site and checks what came back. */
import type { Site } from './durable-site.ts'
import { runLoad } from './load.ts'
import { cpuMicros } from './process-cost.ts'
import { buildRequest, openConnection, type Reply } from './raw-client.ts'
import { PLAIN_TEXT } from './replies.ts'
import { checkPlain, checkResponse, checkStream } from './requests.ts'

export type Window = {
  readonly durationMs: number
  readonly jobs: number
  /** About so many events has the log that is read. */
  readonly logEvents: number
}

const STREAMS = 64
const REQUESTS = 64
/** Requests that queue runs at the same time. */
const QUEUEING = 16
const INPUT = 'Say something about a river.'
const POLL_MS = 5
const perSecond = (count: number, ms: number) => (count / ms) * 1000

const create = (headers: Readonly<Record<string, string>>, reply: string, fields: object) =>
  buildRequest('POST', '/v1/responses', headers, { model: `bench/${reply}`, input: INPUT, ...fields })

const eventsIn = (body: string) => body.split('\nevent: ').length

/** Events a second that readers of all streams were told, and what one costs the server. */
export async function measureStreams({ servers: [server] }: Site, { durationMs }: Window, background: boolean) {
  if (!server) throw new Error('a site without a server')
  let events = 0
  const check = (reply: Reply) => {
    checkStream(reply)
    events += eventsIn(reply.body)
  }
  const request = create(server.headers, 'stream', { stream: true, background })
  const before = cpuMicros(server.pid)
  const { elapsedMs } = await runLoad({ port: server.port, concurrency: STREAMS, durationMs, request, check })
  return [perSecond(events, elapsedMs), (cpuMicros(server.pid) - before) / events]
}

/** A log is written once, and then read from its start by one reader. */
export async function measureResume({ servers: [server] }: Site, { logEvents }: Window) {
  if (!server) throw new Error('a site without a server')
  const connection = await openConnection(server.port)
  const fields = { stream: true, background: true }
  const written = await connection.send(create(server.headers, `long-${logEvents}`, fields))
  const id = /"id":"(resp_\w+)"/.exec(written.body)?.[1]
  const read = buildRequest('GET', `/v1/responses/${id}?stream=true`, server.headers)
  const began = performance.now()
  const { status, body } = await connection.send(read)
  const ms = performance.now() - began
  connection.close()
  const events = eventsIn(body)
  if (status !== 200 || !body.endsWith('data: [DONE]\n\n') || events < logEvents)
    throw new Error(`${status}, ${events} events`)
  return [ms, perSecond(events, ms)]
}

/** Runs a second, from the first request to the end of the last run, spread over all servers. */
export async function measureJobs({ servers }: Site, { jobs }: Window) {
  const began = performance.now()
  let left = jobs
  const queued = await Promise.all(
    Array.from({ length: QUEUEING }, async (_, n) => {
      const server = servers[n % servers.length]
      if (!server) throw new Error('a site without a server')
      const connection = await openConnection(server.port)
      const request = create(server.headers, 'plain', { background: true })
      const ids: string[] = []
      while (left-- > 0) ids.push(JSON.parse((await connection.send(request)).body).id)
      return { connection, headers: server.headers, ids }
    }),
  )
  await Promise.all(
    queued.map(async ({ connection, headers, ids }) => {
      for (const id of ids) await waitForEnd(() => connection.send(buildRequest('GET', `/v1/responses/${id}`, headers)))
      connection.close()
    }),
  )
  return [perSecond(jobs, performance.now() - began)]
}

async function waitForEnd(ask: () => Promise<Reply>): Promise<void> {
  for (;;) {
    const { status, body } = await ask()
    const response = JSON.parse(body)
    if (status === 200 && response.status !== 'queued' && response.status !== 'in_progress') {
      checkResponse(response, PLAIN_TEXT)
      return
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

export async function measureRequests({ servers }: Site, { durationMs }: Window) {
  const loads = servers.map(({ port, headers }) =>
    runLoad({
      ...{ port, durationMs, concurrency: REQUESTS / servers.length },
      request: create(headers, 'plain', { store: true }),
      check: checkPlain,
    }),
  )
  const results = await Promise.all(loads)
  return [results.reduce((sum, { requests, elapsedMs }) => sum + perSecond(requests, elapsedMs), 0)]
}
