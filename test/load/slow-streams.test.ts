/** Very many streams that trickle: each comes out whole to the byte, and the server holds little for it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { isFull, withinMs } from '../faults/seed.ts'
import { checkWhole, type Exchange, openExchange } from './exchange.ts'
import { printFigures } from './figures.ts'
import { modelOf, textOf } from './load-upstream.ts'
import { openMeasuredServer } from './open-measured-server.ts'

type Shape = {
  readonly streams: number
  /** Milliseconds between the tokens of one stream. */
  readonly gapMs: number
  /** Each stream must outlast the opening of all, which takes what a loaded machine takes. */
  readonly lastMs: number
}

const FULL: readonly Shape[] = [
  { streams: 1_000, gapMs: 200, lastMs: 20_000 },
  { streams: 5_000, gapMs: 1_000, lastMs: 45_000 },
]
const SHORT: readonly Shape[] = [{ streams: 300, gapMs: 200, lastMs: 2_000 }]
/** Streams that were asked for and have not begun. */
const MAX_OPENING = 100
const STEADY_MS = isFull ? 5_000 : 500
const MAX_BYTES_PER_STREAM = 60 * 1024
const MAX_LOOP_DELAY_MS = withinMs(1_000)

for (const shape of isFull ? FULL : SHORT) {
  const { streams, gapMs } = shape
  test(`${streams} streams of a token every ${gapMs} ms come out whole`, async (t) => {
    await using server = await openMeasuredServer()
    // What is loaded and compiled by the first streams belongs to the server, not to the streams.
    await (await openStreams(server, { streams: 100, gapMs: 20, lastMs: 200 })).ended
    const idle = await server.measure()
    const began = performance.now()
    const { ended } = await openStreams(server, shape)
    const openedMs = performance.now() - began
    const full = await server.measure()
    await delay(STEADY_MS)
    const steady = await server.measure()
    await ended
    const tookMs = performance.now() - began

    // Each has a socket to its client and one to the upstream.
    const open = ((full.resources.TCPSocketWrap ?? 0) - (idle.resources.TCPSocketWrap ?? 0)) / 2
    const held = full.heapBytes + full.externalBytes - idle.heapBytes - idle.externalBytes
    printFigures(t, 'slow streams', {
      streams,
      'gap ms': gapMs,
      tokens: tokensOf(shape),
      whole: streams,
      'opened within ms': openedMs,
      'ended within ms': tookMs,
      'open when measured': open,
      'KiB per stream': held / open / 1024,
      'RSS idle MiB': idle.rssBytes / 2 ** 20,
      'RSS open MiB': full.rssBytes / 2 ** 20,
      'steady loop delay p99 ms': steady.loopDelayP99Ms,
      'steady cores': (steady.cpuMicros - full.cpuMicros) / 1000 / STEADY_MS,
    })
    assert.ok(steady.loopDelayP99Ms <= MAX_LOOP_DELAY_MS, `the event loop lags by ${steady.loopDelayP99Ms} ms`)
    // Where opening took longer than a short stream lasts, there is too little to divide by.
    if (!isFull && open < streams / 2) return t.diagnostic(`the memory is not judged: ${open} were open at once`)
    assert.ok(open > streams / 2, `${open} streams were open when the memory was measured`)
    assert.ok(held / open <= MAX_BYTES_PER_STREAM, `${held / open} bytes per stream`)
  })
}

const tokensOf = ({ gapMs, lastMs }: Shape) => Math.round(lastMs / gapMs)

/** Resolves when all have begun. `ended`: all are over, and were whole. */
async function openStreams(server: { readonly url: string; readonly apiKey: string }, shape: Shape) {
  const tokens = tokensOf(shape)
  const body = { model: `load/${modelOf({ tokens, gapMs: shape.gapMs })}`, stream: true }
  const expected = textOf(tokens)
  const ends: Promise<void>[] = []
  let next = 0
  const openSome = async () => {
    while (next < shape.streams) {
      const begun = Promise.withResolvers<void>()
      const exchange = openExchange(server, { ...body, input: `stream ${next++}` }, (piece) => {
        if (piece.includes('output_text.delta')) begun.resolve()
      })
      ends.push(endWhole(exchange, expected))
      await Promise.race([begun.promise, exchange.ended])
    }
  }
  await Promise.all(Array.from({ length: MAX_OPENING }, openSome))
  return { ended: Promise.all(ends) }
}

async function endWhole(exchange: Exchange, expected: string): Promise<void> {
  const end = await exchange.ended
  assert.equal(end, 'whole', exchange.story())
  assert.equal(exchange.status(), 200)
  checkWhole(exchange.text(), expected)
}
