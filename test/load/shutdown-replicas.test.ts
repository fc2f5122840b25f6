/**
 * SIGTERM to one of two replicas on a PostgreSQL, while many streams run and background runs are under way on both: each
 * stream is told how it ended, the process ends well and in time, and the background runs go on at the other.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitUntil } from '../fakes/chat-upstream.ts'
import {
  type Begun,
  beginRun,
  checkRun,
  resume,
  type Started,
  waitForEnd,
  writesOf,
} from '../faults/background-load.ts'
import { openReplicaBed, type ReplicaBed } from '../faults/replica-bed.ts'
import { announceSeed, isFull, seededRandom, withinMs } from '../faults/seed.ts'
import { send } from '../support/http.ts'
import { NO_POSTGRES } from '../support/postgres.ts'
import { openExchange, terminalOf } from './exchange.ts'
import { printFigures } from './figures.ts'
import { type LoadUpstream, modelOf, startLoadUpstream } from './load-upstream.ts'

const STREAMS = isFull ? 500 : 40
const DRAIN_MS = isFull ? 29_000 : 4_000
const MAX_EXIT_MS = withinMs(35_000)
/** From the signal, for all of it: the rest of a step here, and of the run there. */
const MAX_GONE_ON_MS = withinMs(30_000)
const BACKGROUND = 12
/** So that it is the streams that are many, and not their tokens. */
const GAP_MS = isFull ? 1_000 : 100
const MAX_OPEN_MS = 120_000
/** Every tenth ends by itself while the server drains. */
const isShort = (index: number) => index % 10 === 0

test(`SIGTERM to one of two replicas with ${STREAMS} streams: each ends, and background runs go on at the other`, {
  skip: NO_POSTGRES,
  timeout: 300_000,
}, async (t) => {
  const random = seededRandom(announceSeed(t))
  const load = await startLoadUpstream()
  const bed = await openReplicaBed(random, {
    providers: `load: { type: openai_compatible, api_base: "${load.url}", api_key: none }`,
    config: `server: { drain_timeout: ${DRAIN_MS}ms }\nlimits: { streams_per_project: 1000, requests_per_minute: 0 }`,
  })
  t.after(async () => {
    await bed.close()
    await load.close()
  })
  const [leaving, staying] = [bed.replicas[0].server(), bed.replicas[1].server()]
  const streams = await openStreams(leaving, load)
  const endless = await queueEndless(leaving)
  const begun = await Promise.all(
    Array.from({ length: BACKGROUND }, (_, n) =>
      beginRun(n % 3 === 0 ? staying : leaving, `run-${n}`, bed.writer.url, n % 2 === 0),
    ),
  )
  await waitUntil(() => bed.writer.calls.length > 0)

  const began = performance.now()
  const exited = leaving.stop(MAX_EXIT_MS).then((code) => ({ code, ms: performance.now() - began }))
  const goneOnMs = await checkBackground(bed, begun, began)
  const { code, ms } = await exited
  assert.equal(code, 0, leaving.output())
  assert.ok(ms < MAX_EXIT_MS, `the process took ${ms} ms to end`)
  await checkStreams(streams)
  // Its step was longer than the drain: it is made again at the other, which can end it.
  const cancelled = await send(staying, 'POST', `/v1/responses/${endless}/cancel`)
  assert.equal(cancelled.json.status, 'cancelled')
  const open = await bed.schema.query("select id from responses where status in ('queued', 'in_progress')")
  assert.deepEqual(open, [])
  assert.equal(await staying.stop(), 0)
  printFigures(t, 'shutdown of one of two replicas', {
    streams: STREAMS,
    'background runs': BACKGROUND,
    'all gone on with after ms': goneOnMs,
    'drain ms': DRAIN_MS,
    'exit after ms': ms,
  })
})

const loadModel = (tokens: number) => `load/${modelOf({ tokens, gapMs: GAP_MS })}`

type Streams = readonly ReturnType<typeof openExchange>[]

async function openStreams(server: { url: string; apiKey: string }, { calls }: LoadUpstream): Promise<Streams> {
  const streams = Array.from({ length: STREAMS }, (_, index) =>
    openExchange(server, { model: loadModel(isShort(index) ? 12 : 3_000), input: `stream ${index}`, stream: true }),
  )
  await waitUntil(
    () => streams.every((it) => it.text().includes('output_text.delta')) && calls.length === STREAMS,
    MAX_OPEN_MS,
  )
  return streams
}

async function checkStreams(streams: Streams): Promise<void> {
  const ends = await Promise.all(streams.map(({ ended }) => ended))
  assert.deepEqual(new Set(ends), new Set(['whole']))
  for (const [index, exchange] of streams.entries()) {
    const { type, response } = terminalOf(exchange.text())
    assert.equal(type, isShort(index) ? 'response.completed' : 'response.failed', exchange.story())
    if (!isShort(index)) assert.match(JSON.stringify(response.error), /shutting down/)
  }
}

async function queueEndless(server: { url: string; apiKey: string }): Promise<string> {
  const body = { model: loadModel(3_000), input: 'on and on', background: true }
  const { status, json } = await send(server, 'POST', '/v1/responses', body)
  assert.equal(status, 200)
  return String(json.id)
}

/** All of them are completed at the one that stays, and nothing was written twice or not at all. Answers when, after `began`. */
async function checkBackground(bed: ReplicaBed, begun: readonly (Begun | null)[], began: number): Promise<number> {
  const staying = bed.replicas[1].server()
  const runs: Started[] = []
  for (const it of begun) {
    assert.ok(it)
    await it.reading
    const run = it.run()
    assert.ok(run)
    // Whose server left reads on here.
    if (run.told) await resume(staying, run.id, run.told)
    runs.push(run)
  }
  const responses = await Promise.all(runs.map(({ id }) => waitForEnd(staying, id, began + MAX_GONE_ON_MS)))
  const ms = performance.now() - began
  for (const [index, run] of runs.entries()) {
    const response = responses[index] ?? {}
    assert.equal(response.status, 'completed', JSON.stringify(response.error))
    await checkRun(staying, run, response)
  }
  const writes = writesOf(bed.writer)
  assert.deepEqual(
    [...writes.values()].filter((count) => count > 1),
    [],
  )
  assert.equal(writes.size, 2 * BACKGROUND)
  return ms
}
