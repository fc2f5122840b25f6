/** Readers that take nothing: each costs its buffer, what is on the way to it, and its text so far; and then nothing. */
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { waitUntil } from '../fakes/chat-upstream.ts'
import { startHostileUpstream } from '../faults/hostile-upstream.ts'
import { text } from '../faults/hostile-wire.ts'
import { isFull, withinMs } from '../faults/seed.ts'
import { printFigures } from './figures.ts'
import type { Measured } from './measured-server.ts'
import { openMeasuredServer } from './open-measured-server.ts'

const READERS = isFull ? 200 : 30
const BUFFER_BYTES = 1024 * 1024
/** Read from the upstream and not yet written: packets, one decoded batch, the state of a stream. */
const MAX_ON_THE_WAY_BYTES = 768 * 1024
/** Of all readers together, when they have gone. */
const MAX_LEFT_BYTES = 8 * 1024 * 1024
const WORD = 'word '
const EVENT = text(WORD)
const EVENTS_PER_WRITE = 20
const QUIET_MS = 2_000
/** As long as a stalled reader is waited for. */
const SETTLE_MS = 30_000

test(`${READERS} readers that take nothing cost their buffers, and nothing once they have gone`, async (t) => {
  let events = 0
  const upstream = await startHostileUpstream({
    play: () => async (reply) => {
      await reply.open()
      for (; reply.isOpen(); events += EVENTS_PER_WRITE) await reply.chunk(EVENT.repeat(EVENTS_PER_WRITE))
    },
  })
  const limits = `stream_buffer: ${BUFFER_BYTES / 1024}KB, stream_stall: 1h`
  await using server = await openMeasuredServer({ upstreamUrl: upstream.url, limits })
  const stall = async (count: number, model: string) => {
    const sockets = Array.from({ length: count }, () => stalledReader(server, model))
    await waitUntil(() => upstream.callsOf(model) === count)
    await standstill(() => events)
    return sockets
  }
  const leave = async (sockets: readonly Socket[]) => {
    for (const socket of sockets) socket.destroy()
    await waitUntil(() => upstream.busySockets() === 0)
  }
  try {
    // What the first ones load and compile belongs to the server.
    await leave(await stall(10, 'first'))
    const idle = await server.measure()
    const before = events
    const sockets = await stall(READERS, 'stalled')
    const full = await server.measure()
    await leave(sockets)
    const beyondIdle = (it: Measured) => it.heapBytes + it.externalBytes - idle.heapBytes - idle.externalBytes
    const held = beyondIdle(full) / READERS
    let after = await server.measure()
    const settled = performance.now() + withinMs(SETTLE_MS)
    while (beyondIdle(after) > MAX_LEFT_BYTES && performance.now() < settled) {
      await delay(SETTLE_MS / 10)
      after = await server.measure()
    }
    const left = beyondIdle(after)
    // At most: a part of what was sent still lies in the sockets between the upstream and the server.
    const textBytes = ((events - before) * WORD.length) / READERS
    printFigures(t, 'stalled readers', {
      readers: READERS,
      'KiB held for each': held / 1024,
      'of it text, at most': textBytes / 1024,
      'KiB sent for each': ((events - before) * EVENT.length) / READERS / 1024,
      'MiB left of all': left / 2 ** 20,
      'heap of it': (after.heapBytes - idle.heapBytes) / 2 ** 20,
      'RSS MiB idle': idle.rssBytes / 2 ** 20,
      'RSS MiB full': full.rssBytes / 2 ** 20,
      'RSS MiB after': after.rssBytes / 2 ** 20,
    })
    assert.ok(held > BUFFER_BYTES / 2, 'the buffers were full when the memory was measured')
    assert.ok(held <= BUFFER_BYTES + MAX_ON_THE_WAY_BYTES + textBytes, `${held} bytes for each`)
    assert.ok(left <= MAX_LEFT_BYTES, `${left} bytes are left`)
  } finally {
    await upstream.close()
  }
})

function stalledReader(server: { readonly url: string; readonly apiKey: string }, model: string): Socket {
  const body = JSON.stringify({ model: `load/${model}`, input: 'x', stream: true, store: false })
  const head = [
    'POST /v1/responses HTTP/1.1',
    'Host: localhost',
    `Authorization: Bearer ${server.apiKey}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ]
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  socket.on('error', () => {}).pause()
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  return socket
}

/** Waits until a number stays what it is: everything between the upstream and the readers is full. */
async function standstill(read: () => number): Promise<void> {
  for (let last = -1; last !== read(); ) {
    last = read()
    await delay(QUIET_MS)
  }
}
