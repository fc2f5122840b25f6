import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { waitUntil } from '../fakes/chat-upstream.ts'
import { startFaultProxy } from './fault-proxy.ts'
import { announceSeed, seededRandom } from './seed.ts'

/** A server that says everything twice, behind a proxy. */
async function start(t: TestContext) {
  const heard: Buffer[] = []
  const sockets = new Set<Socket>()
  const echo = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (piece) => {
      heard.push(piece)
      socket.write(Buffer.concat([piece, piece]))
    })
  }).listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const address = echo.address()
  const targetPort = typeof address === 'object' && address ? address.port : 0
  const proxy = await startFaultProxy({ targetPort, random: seededRandom(announceSeed(t)) })
  t.after(async () => {
    await proxy.close()
    for (const socket of sockets) socket.destroy()
    echo.close()
  })
  return { proxy, heard }
}

async function talk(t: TestContext, port: number, said = 'ab') {
  const socket = connect(port, '127.0.0.1')
  const state = { text: Buffer.alloc(0), ended: false, code: '' }
  socket.on('data', (piece) => {
    state.text = Buffer.concat([state.text, piece])
  })
  socket.on('end', () => {
    state.ended = true
  })
  socket.on('error', (error) => {
    state.code = 'code' in error ? String(error.code) : ''
  })
  t.after(() => socket.destroy())
  socket.write(said)
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => {})
  return { socket, state }
}

test('it passes bytes both ways and counts its sockets', async (t) => {
  const { proxy } = await start(t)
  const { socket, state } = await talk(t, proxy.port)
  await waitUntil(() => state.text.toString() === 'abab')
  assert.equal(proxy.openSockets(), 1)
  assert.equal(proxy.bytesToClient(), 4)
  socket.destroy()
  await waitUntil(() => proxy.openSockets() === 0)
  assert.equal(proxy.accepted(), 1)
})

test('refused, it cuts what is open and takes nothing; passing again, it is back on the same port', async (t) => {
  const { proxy } = await start(t)
  const open = await talk(t, proxy.port)
  await proxy.set({ type: 'refuse' })
  await waitUntil(() => open.socket.destroyed)
  const refused = await talk(t, proxy.port)
  await waitUntil(() => refused.state.code === 'ECONNREFUSED')
  await proxy.set({ type: 'pass' })
  const { state } = await talk(t, proxy.port)
  await waitUntil(() => state.text.toString() === 'abab')
})

test('a black hole takes the connection and says nothing, and neither does a dead way back', async (t) => {
  const { proxy, heard } = await start(t)
  await proxy.set({ type: 'blackhole' })
  const swallowed = await talk(t, proxy.port)
  await delay(60)
  assert.equal(heard.length, 0)
  await proxy.set({ type: 'halfOpen' })
  const mute = await talk(t, proxy.port)
  await waitUntil(() => heard.length === 1)
  await delay(40)
  for (const { state, socket } of [swallowed, mute]) {
    assert.equal(state.text.length, 0)
    assert.equal(socket.destroyed, false)
  }
})

test('a reset reaches open connections and new ones', async (t) => {
  const { proxy } = await start(t)
  const open = await talk(t, proxy.port)
  await waitUntil(() => open.state.text.length > 0)
  await proxy.set({ type: 'reset' })
  await waitUntil(() => open.state.code === 'ECONNRESET')
  const fresh = await talk(t, proxy.port)
  await waitUntil(() => fresh.state.code === 'ECONNRESET')
})

test('latency and throttling hold bytes back without losing any', async (t) => {
  const { proxy } = await start(t)
  await proxy.set({ type: 'latency', ms: 60 })
  let began = performance.now()
  const late = await talk(t, proxy.port)
  await waitUntil(() => late.state.text.toString() === 'abab')
  assert.ok(performance.now() - began >= 115, 'both ways wait')
  await proxy.set({ type: 'throttle', bytesPerSecond: 10_000 })
  began = performance.now()
  const slow = await talk(t, proxy.port, 'x'.repeat(1_000))
  await waitUntil(() => slow.state.text.length === 2_000)
  assert.ok(performance.now() - began >= 150)
})

test('a cut comes after exactly so many bytes, by FIN or by RST', async (t) => {
  const { proxy } = await start(t)
  await proxy.set({ type: 'cutAfter', bytes: 3, by: 'fin' })
  const ended = await talk(t, proxy.port)
  await waitUntil(() => ended.state.ended)
  assert.equal(ended.state.text.toString(), 'aba')
  await proxy.set({ type: 'cutAfter', bytes: 3, by: 'rst' })
  const reset = await talk(t, proxy.port)
  await waitUntil(() => reset.state.code === 'ECONNRESET')
})

test('corruption changes bytes, not their number', async (t) => {
  const { proxy } = await start(t)
  await proxy.set({ type: 'corrupt', share: 0.5 })
  const sent = 'x'.repeat(500)
  const { state } = await talk(t, proxy.port, sent)
  await waitUntil(() => state.text.length === 1_000)
  const changed = state.text.filter((byte) => byte !== 0x78).length
  assert.ok(changed > 300 && changed < 700, `${changed} of 1000 bytes changed`)
})
