/** SIGTERM while many streams run: each is told how it ended, the process ends well and in time, no row stays open. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitUntil } from '../fakes/chat-upstream.ts'
import { isFull, withinMs } from '../faults/seed.ts'
import { send } from '../support/http.ts'
import { idIn, openExchange, terminalOf } from './exchange.ts'
import { printFigures } from './figures.ts'
import { openLoadBed } from './load-bed.ts'
import { modelOf } from './load-upstream.ts'
import { readRows, unfinished } from './stored-rows.ts'

const STREAMS = isFull ? 500 : 50
const DRAIN_MS = 4_000
/** After the drain: for terminal events, their commits, and the closing of everything. */
const MAX_AFTER_DRAIN_MS = withinMs(5_000)
const GAP_MS = 100
/** Every tenth ends by itself while the server drains. */
const isShort = (index: number) => index % 10 === 0
const isJson = (index: number) => index % 10 === 1

test(`SIGTERM ends ${STREAMS} open streams with their terminal events`, async (t) => {
  await using bed = await openLoadBed(
    `server: { drain_timeout: ${DRAIN_MS}ms }
limits: { streams_per_project: 1000, requests_per_minute: 0 }`,
  )
  const { upstream } = bed
  const server = await bed.start()
  const model = (tokens: number) => `load/${modelOf({ tokens, gapMs: GAP_MS })}`
  const running = Array.from({ length: STREAMS }, (_, index) =>
    openExchange(server, {
      model: model(isShort(index) ? 12 : 3_000),
      input: `stream ${index}`,
      stream: !isJson(index),
    }),
  )
  const hasBegun = (index: number) => isJson(index) || running[index]?.text().includes('output_text.delta') === true
  await waitUntil(() => running.every((_, index) => hasBegun(index)) && upstream.calls.length === STREAMS)

  const began = performance.now()
  const exited = server.stop()
  const late = await refusedWhileDraining(server)
  const code = await exited
  const tookMs = performance.now() - began
  const ends = await Promise.all(running.map(({ ended }) => ended))

  assert.equal(code, 0, server.output())
  assert.ok(tookMs < DRAIN_MS + MAX_AFTER_DRAIN_MS, `the process took ${tookMs} ms to end`)
  assert.deepEqual(new Set(ends), new Set(['whole']))
  assert.equal(late.status, 503)
  const counts = { completed: 0, failed: 0 }
  for (const [index, exchange] of running.entries()) {
    if (isJson(index)) {
      assert.equal(exchange.status(), 503, exchange.text())
      continue
    }
    const { type, response } = terminalOf(exchange.text())
    assert.equal(type, isShort(index) ? 'response.completed' : 'response.failed')
    counts[isShort(index) ? 'completed' : 'failed'] += 1
    if (!isShort(index)) assert.match(JSON.stringify(response.error), /shutting down/)
  }
  const rows = readRows(bed.dataDir)
  assert.deepEqual(unfinished(rows), [], 'nothing is left for the next start to heal')
  assert.equal(rows.usage.length, STREAMS)

  const next = await bed.start()
  assert.deepEqual(unfinished(readRows(bed.dataDir)), [])
  for (const exchange of running.filter((_, index) => !isJson(index))) {
    const stored = await send(next, 'GET', `/v1/responses/${idIn(exchange.text())}`)
    assert.deepEqual(stored.json, terminalOf(exchange.text()).response)
  }
  assert.equal(await next.stop(), 0)
  const drained = tookMs - DRAIN_MS
  printFigures(t, 'shutdown', {
    streams: STREAMS,
    ...counts,
    'drain ms': DRAIN_MS,
    'exit after drain ms': drained,
    'exit code': code,
  })
})

/** A request that comes while the server drains. */
async function refusedWhileDraining(server: { readonly url: string; readonly apiKey: string }) {
  for (;;) {
    const reply = await send(server, 'POST', '/v1/responses', { model: 'demo', input: 'Am I late?', store: false })
    if (reply.status !== 200) return reply
  }
}
