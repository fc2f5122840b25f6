/** Who leaves stops paying: whenever and however a client goes, its upstream call ends and is on the bill. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { waitUntil } from '../fakes/chat-upstream.ts'
import type { RunningServer } from '../faults/crash-runner.ts'
import { announceSeed, isFull, seededRandom } from '../faults/seed.ts'
import { type Exchange, idIn, openExchange } from './exchange.ts'
import { printFigures, quantile } from './figures.ts'
import { openLoadBed } from './load-bed.ts'
import { modelOf } from './load-upstream.ts'
import { readRows, unfinished } from './stored-rows.ts'

const DISCONNECTS = isFull ? 300 : 60
const AT_ONCE = 20
const MAX_CLOSE_P99_MS = 1_000
const MAX_CLOSE_MS = 2_000
/** For calls that had not reached the upstream when their client left, and the last commits. */
const SETTLE_MS = 5_000
/** Longer than any client stays. */
const TOKENS = 2_000

const MOMENTS = ['before headers', 'at the first bytes', 'between chunks', 'at any time'] as const

type Left = {
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
    while (next < DISCONNECTS) left.push(await leaveOnce(server, next++, random))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, client))
  await waitUntil(() => upstream.calls.every(({ endedAt }) => endedAt !== null), SETTLE_MS)
  const billed = () => readRows(bed.dataDir).usage.map(({ model }) => model)
  const allBilled = () => {
    const known = new Set(billed())
    return upstream.calls.every(({ model }) => known.has(model))
  }
  await waitUntil(allBilled, SETTLE_MS)
  assert.equal(await server.stop(), 0)

  const leftAt = new Map(left.map((it) => [it.model, it.leftAt]))
  const closings = upstream.calls.map(({ model, endedAt }) => Math.max(0, (endedAt ?? 0) - (leftAt.get(model) ?? 0)))
  assert.ok(upstream.calls.length > DISCONNECTS * 0.8, 'most calls had reached the upstream')
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

/** One request, JSON or streamed, stored or not, and the client that goes, by FIN or RST. */
async function leaveOnce(server: RunningServer, index: number, random: () => number): Promise<Left> {
  const moment = MOMENTS[index % MOMENTS.length]
  const stream = random() < 0.7
  const holdMs = moment === 'before headers' ? 400 : 0
  const model = modelOf({ tokens: TOKENS, gapMs: 5, holdMs, tag: String(index) })
  const body = { model: `load/${model}`, input: 'Go on for long.', stream, store: random() < 0.8 }
  const exchange = openExchange(server, body)
  if (moment === 'before headers') await delay(20 + random() * 200)
  else if (moment === 'at any time') await delay(random() * 400)
  else if (stream) await untilText(exchange, moment === 'between chunks' ? 'output_text.delta' : 'response.created')
  else await delay(50 + random() * 100)
  exchange.leave(random() < 0.5 ? 'fin' : 'rst')
  const leftAt = performance.now()
  await exchange.ended
  return { model, stream, leftAt, id: body.store ? idIn(exchange.text()) : '', status: exchange.status() }
}

const untilText = (exchange: Exchange, part: string) => waitUntil(() => exchange.text().includes(part), 10_000)
