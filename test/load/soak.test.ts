/** Hours of use in minutes: what the server holds after garbage collection does not grow, and all handles come back. */
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { announceSeed, isFull, seededRandom } from '../faults/seed.ts'
import { printFigures, quantile, slope } from './figures.ts'
import type { Measured } from './measured-server.ts'
import { createMix, type Mix } from './mixed-requests.ts'
import { type MeasuredServer, openMeasuredServer } from './open-measured-server.ts'
import { readRows, unfinished } from './stored-rows.ts'

const PER_SECOND = isFull ? 100 : 40
const MINUTES = Number(process.env.ANTIPHON_SOAK_MINUTES ?? (isFull ? 5 : 0.05))
/** Caches fill and functions are compiled: not measured. The short form is too short for a slope at all. */
const WARM_UP_MS = isFull ? 75_000 : Number.POSITIVE_INFINITY
const SAMPLE_MS = isFull ? 5_000 : 1_000
/** Where the machine cannot keep up with the rate, requests come as fast as it can. */
const MAX_RUNNING = 100
const MAX_SLOPE_MB_PER_MINUTE = 0.5
/** SQLite's: resident memory grows with the database until it is full, and only until then. */
const PAGE_CACHE_BYTES = 17 * 1024 * 1024
const MAX_RSS_SLOPE_MB_PER_MINUTE = 2
const MIN_SAMPLES = 6
const MAX_MORE_HANDLES = 5
const SETTLE_MS = 15_000

test(`${PER_SECOND} mixed requests a second leave nothing behind`, async (t) => {
  const random = seededRandom(announceSeed(t))
  await using server = await openMeasuredServer()
  const mix = createMix(server, random)
  await Promise.all(Array.from({ length: 20 }, () => mix.sendOne()))
  const idle = await settled(server, null)
  const samples = await useFor(MINUTES * 60_000, mix, server)
  const after = await settled(server, idle)

  const steady = samples.filter(({ atMs }) => atMs >= WARM_UP_MS)
  const cached = steady.filter(({ databaseBytes }) => databaseBytes > PAGE_CACHE_BYTES)
  const heapSlope = slopePerMinute(steady, ({ heapBytes }) => heapBytes)
  const rssSlope = slopePerMinute(cached, ({ rssBytes }) => rssBytes)
  const delays = samples.map(({ measured }) => measured.loopDelayP99Ms)
  printFigures(t, 'soak', {
    minutes: MINUTES,
    'requests/s': Object.values(mix.counts).reduce((sum, count) => sum + count, 0) / (MINUTES * 60),
    ...mix.counts,
    'heap slope MB/min': heapSlope,
    'RSS slope MB/min': slopePerMinute(steady, ({ rssBytes }) => rssBytes),
    'once the page cache is full': rssSlope,
    'heap MB idle': idle.heapBytes / 1e6,
    'heap MB last': (samples.at(-1)?.measured.heapBytes ?? 0) / 1e6,
    'RSS MB last': (samples.at(-1)?.measured.rssBytes ?? 0) / 1e6,
    'loop delay p99 of p99 ms': quantile(delays, 0.99),
    'handles before': handles(idle),
    'handles after': handles(after),
  })
  assert.ok(heapSlope < MAX_SLOPE_MB_PER_MINUTE, `the heap grows by ${heapSlope} MB a minute`)
  assert.ok(rssSlope < MAX_RSS_SLOPE_MB_PER_MINUTE, `resident memory grows by ${rssSlope} MB a minute`)
  assert.ok(handles(after) <= handles(idle) + MAX_MORE_HANDLES, JSON.stringify({ idle, after }))
  assert.deepEqual(unfinished(readRows(server.dataDir)), [])
})

const handles = ({ resources }: Measured) => Object.values(resources).reduce((sum, count) => sum + count, 0)

type Sample = { readonly atMs: number; readonly measured: Measured; readonly databaseBytes: number }

/** Megabytes a minute; 0 where there are too few samples to tell. */
function slopePerMinute(samples: readonly Sample[], read: (it: Measured) => number): number {
  if (samples.length < MIN_SAMPLES) return 0
  return slope(samples.map(({ atMs, measured }) => ({ x: atMs / 60_000, y: read(measured) / 1e6 })))
}

/** Requests at a fixed rate, as long as not too many run, and samples beside them. Rejects with the first wrong reply. */
async function useFor(durationMs: number, mix: Mix, server: MeasuredServer): Promise<Sample[]> {
  const began = performance.now()
  const elapsed = () => performance.now() - began
  const samples: Sample[] = []
  const running = new Set<Promise<void>>()
  let wrong: unknown = null
  for (let sent = 0; elapsed() < durationMs && wrong === null; ) {
    for (; sent < (elapsed() / 1000) * PER_SECOND && running.size < MAX_RUNNING; sent += 1) {
      const one: Promise<void> = mix
        .sendOne()
        .catch((error: unknown) => {
          wrong ??= error
        })
        .finally(() => running.delete(one))
      running.add(one)
    }
    if (elapsed() >= (samples.length + 1) * SAMPLE_MS) {
      const databaseBytes = statSync(join(server.dataDir, 'antiphon.db')).size
      samples.push({ atMs: elapsed(), measured: await server.measure(), databaseBytes })
    }
    await delay(5)
  }
  await Promise.all(running)
  if (wrong !== null) throw wrong
  return samples
}

/** What is held once everything idle is gone; at the latest after the time to settle. */
async function settled(server: MeasuredServer, baseline: Measured | null): Promise<Measured> {
  const end = performance.now() + SETTLE_MS
  for (let last = await server.measure(); ; ) {
    if (performance.now() > end) return last
    if (baseline !== null && handles(last) <= handles(baseline)) return last
    await delay(500)
    const next = await server.measure()
    if (baseline === null && (next.resources.TCPSocketWrap ?? 0) === 0) return next
    last = next
  }
}
