/** Who leaves stops paying: whenever and however a client goes, its upstream call ends and is on the bill. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { waitUntil } from '../fakes/chat-upstream.ts'
import type { RunningServer } from '../faults/crash-runner.ts'
import { announceSeed, isFull, seededRandom, withinMs } from '../faults/seed.ts'
import { idIn, openExchange } from './exchange.ts'
import { printFigures, quantile } from './figures.ts'
import { openLoadBed } from './load-bed.ts'
import { type LoadUpstream, modelOf } from './load-upstream.ts'
import { readRows, unfinished } from './stored-rows.ts'

const DISCONNECTS = isFull ? 300 : 60
const AT_ONCE = 20
const MAX_CLOSE_P99_MS = withinMs(1_000)
const MAX_CLOSE_MS = withinMs(2_000)
/** Neither a reply nor its beginning comes before the client has gone, however long that takes. */
const ENDLESS_TOKENS = 10_000_000
const ENDLESS_MS = 3_600_000

const MOMENTS = ['before headers', 'at the first bytes', 'between chunks', 'at any time'] as const
type Moment = (typeof MOMENTS)[number]

type Left = {
  readonly moment: Moment
  readonly model: string
  readonly stream: boolean
  readonly leftAt: number
  readonly id: string
  readonly status: number
}

test(`${DISCONNECTS} clients leave at random moments and nobody pays for them any longer`, async (t) => {
  const random = seededRandom(announceSeed(t))
  await using bed = await openLoadBed('limits: { requests_per_minute: 0 }')
  const { upstream } = bed
  const server = await bed.start()
  const left: Left[] = []
  let next = 0
  const client = async () => {
    while (next < DISCONNECTS) left.push(await leaveOnce({ server, upstream }, next++, random))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, client))
  await waitUntil(() => upstream.calls.every(({ endedAt }) => endedAt !== null))
  const billed = () => readRows(bed.dataDir).usage.map(({ model }) => model)
  const allBilled = () => {
    const known = new Set(billed())
    return upstream.calls.every(({ model }) => known.has(model))
  }
  await waitUntil(allBilled)
  assert.equal(await server.stop(), 0)

  const leftAt = new Map(left.map((it) => [it.model, it.leftAt]))
  const closings = upstream.calls.map(({ model, endedAt }) => Math.max(0, (endedAt ?? 0) - (leftAt.get(model) ?? 0)))
  const reached = new Set(upstream.calls.map(({ model }) => model))
  // These clients waited for it; who goes at any time may be gone before its request is read.
  for (const { moment, model } of left) assert.ok(moment === 'at any time' || reached.has(model), `${moment}: ${model}`)
  assert.equal(reached.size, upstream.calls.length, 'no client was worth two calls')
  assert.ok(upstream.calls.every(({ whole }) => !whole))
  assert.ok(quantile(closings, 0.99) <= MAX_CLOSE_P99_MS, `p99 ${quantile(closings, 0.99)} ms`)
  assert.ok(Math.max(...closings) <= MAX_CLOSE_MS)

  const rows = readRows(bed.dataDir)
  // A call that was closed while it was being sent is on the bill too; the upstream may not have read it.
  assert.equal(new Set(billed()).size, rows.usage.length, 'no call is on the bill twice')
  assert.deepEqual(new Set(rows.usage.map(({ outcome }) => outcome)), new Set(['aborted']))
  assert.deepEqual(unfinished(rows), [])
  const seen = left.filter(({ id }) => id !== '')
  for (const { id } of seen) assert.equal(rows.responses.get(id), 'cancelled', id)
  assert.deepEqual(new Set(rows.responses.values()), new Set(['cancelled']))
  printFigures(t, 'disconnects', {
    clients: DISCONNECTS,
    'upstream calls': upstream.calls.length,
    'usage rows': rows.usage.length,
    'seen by their clients and cancelled': seen.length,
    'upstream closed p50 ms': quantile(closings, 0.5),
    'p99 ms': quantile(closings, 0.99),
    'max ms': Math.max(...closings),
  })
})

type Beds = { readonly server: RunningServer; readonly upstream: LoadUpstream }

/** One request, JSON or streamed, stored or not, and the client that goes, by FIN or RST. */
async function leaveOnce({ server, upstream }: Beds, index: number, random: () => number): Promise<Left> {
  const moment = MOMENTS[index % MOMENTS.length] ?? 'at any time'
  const stream = random() < 0.7
  const holdMs = moment === 'before headers' ? ENDLESS_MS : 0
  const model = modelOf({ tokens: ENDLESS_TOKENS, gapMs: 5, holdMs, tag: String(index) })
  const body = { model: `load/${model}`, input: 'Go on for long.', stream, store: random() < 0.8 }
  const exchange = openExchange(server, body)
  const isReached = isNow[moment]
  const call = () => upstream.calls.find((it) => it.model === model)
  if (isReached === null) await delay(random() * 400)
  else await waitUntil(() => isReached(call()?.tokens ?? -1, stream ? exchange.text() : null))
  exchange.leave(random() < 0.5 ? 'fin' : 'rst')
  const leftAt = performance.now()
  await exchange.ended
  return { moment, model, stream, leftAt, id: body.store ? idIn(exchange.text()) : '', status: exchange.status() }
}

/**
 * Whether the moment has come, by what the upstream has sent (-1: it has not seen the call) and, of a stream, what the
 * client has read. A JSON client reads nothing before the end. Null: no event tells it.
 */
const isNow: Readonly<Record<Moment, ((tokens: number, read: string | null) => boolean) | null>> = {
  'before headers': (tokens) => tokens === 0,
  'at the first bytes': (tokens, read) => tokens >= 0 && (read?.includes('response.created') ?? tokens > 0),
  'between chunks': (tokens, read) => tokens > 1 && (read?.includes('output_text.delta') ?? true),
  'at any time': null,
}
