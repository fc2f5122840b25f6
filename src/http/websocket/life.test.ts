import assert from 'node:assert/strict'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import {
  connectSocket,
  create,
  gate,
  openSocket,
  refusedUpgrade,
  type TestSocket,
} from '../../../test/support/edge-socket.ts'
import { KEY, rawExchange, startServer, until } from '../../../test/support/http-edge.ts'
import { completed, created, delta, endless } from '../../../test/support/scripted-engine.ts'
import { RunAbort } from '../../engine/engine.ts'
import type { Clock } from '../../lib/clock.ts'
import { systemClock } from '../../lib/clock.ts'
import { invalidKey } from '../../protocol/errors.ts'

const abortKind = (reason: unknown) => (reason instanceof RunAbort ? reason.kind : reason)

test('a wrong or missing key, a key without the scope, a foreign name or page is refused at the upgrade (req 118)', async (t) => {
  const started = await startServer(t)
  const url = `ws://127.0.0.1:${started.port}/v1/responses`
  const refused = (headers: Record<string, string>) => refusedUpgrade(t, url, { headers })
  assert.equal(await refused({ authorization: 'Bearer wrong' }), 401)
  assert.equal(await refused({ authorization: 'Bearer read' }), 403)
  assert.equal(await refused({ host: 'evil.example' }), 421)
  assert.equal(await refused({ origin: 'https://evil.example' }), 403)
  const bytes = `GET /v1/responses HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`
  const reply = await rawExchange(started.port, bytes)
  assert.match(reply, /^HTTP\/1\.1 401 .*\r\n[\s\S]*connection: close[\s\S]*"error":\{"message"/)
  assert.deepEqual(
    started.log.finished.map(({ status }) => status),
    [401, 403, 421, 403, 401],
  )
})

test('only /v1/responses switches protocols, however it is written', async (t) => {
  const started = await startServer(t)
  const base = `ws://127.0.0.1:${started.port}`
  for (const path of ['/v1/models', '/v1/responses/resp_1', '/', '/v1/realtime']) {
    assert.equal(await refusedUpgrade(t, base + path), 426, path)
  }
  for (const path of ['/v1/responses?x=1', '/responses', '/v1//responses/']) {
    const socket = connectSocket(t, base + path, { headers: { 'openai-beta': 'responses_websockets=2026-02-06' } })
    socket.ws.once('open', () => socket.send(create()))
    assert.equal((await socket.turn()).length, 3, path)
  }
})

test('the handshake carries the request id, and offers neither compression nor a subprotocol', async (t) => {
  const started = await startServer(t)
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n'
  const extras = 'Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: realtime\r\n'
  const head = `Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nAuthorization: ${KEY}\r\n`
  const request = (lines: string) => `GET /v1/responses HTTP/1.1\r\n${head}${lines}\r\n`
  const reply = await rawExchange(started.port, request(key + extras), { end: '\r\n\r\n' })
  assert.match(reply, /^HTTP\/1\.1 101 /)
  assert.match(reply, /x-request-id: req_/)
  assert.match(reply, /Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/)
  assert.doesNotMatch(reply, /deflate|Sec-WebSocket-Protocol/i)
  for (const bad of ['', 'Sec-WebSocket-Key: short\r\nSec-WebSocket-Version: 13\r\n', key.replace('13', '7')]) {
    assert.match(await rawExchange(started.port, request(bad)), /^HTTP\/1\.1 400 [\s\S]*"type":"invalid_request_error"/)
  }
})

test('a server on localhost opens one socket on each of its addresses', async (t) => {
  const started = await startServer(t, { host: 'localhost' })
  for (const { address, family } of await lookup('localhost', { all: true })) {
    const host = family === 6 ? `[${address}]` : address
    const socket = connectSocket(t, `ws://${host}:${started.port}/v1/responses`)
    await once(socket.ws, 'open')
    socket.send(create())
    assert.equal((await socket.turn()).length, 3)
  }
})

test('a project has so many sockets open and no more; a closed one makes room', async (t) => {
  const started = await startServer(t, { limits: { webSocketsPerProject: 2 } })
  const url = `ws://127.0.0.1:${started.port}/v1/responses`
  const first = await openSocket(t, started)
  await openSocket(t, started)
  assert.equal(await refusedUpgrade(t, url), 429)
  assert.equal(await refusedUpgrade(t, url), 429)
  first.ws.close()
  assert.equal(await first.closed(), 1005)
  const again = connectSocket(t, url)
  await once(again.ws, 'open')
})

test('messages count as requests of their key', async (t) => {
  const started = await startServer(t, { limits: { requestsPerMinute: 3 } })
  const socket = await openSocket(t, started)
  const statuses: unknown[] = []
  for (let n = 0; n < 3; n++) {
    socket.send(create())
    const last = (await socket.turn()).at(-1)
    statuses.push(last?.status ?? last?.type)
  }
  assert.deepEqual(statuses, ['response.completed', 'response.completed', 429])
})

test('a key that is revoked is refused with the next message, and the socket is closed', async (t) => {
  let revoked = false
  const principal = { projectId: 'p', keyId: 'k', scopes: new Set(['responses'] as const) }
  const started = await startServer(t, {
    authenticator: {
      async authenticate() {
        if (revoked) throw invalidKey()
        return principal
      },
    },
  })
  const socket = await openSocket(t, started)
  socket.send(create())
  await socket.turn()
  revoked = true
  socket.send(create())
  assert.equal((await socket.turn()).at(-1)?.status, 401)
  assert.equal(await socket.closed(), 1008)
})

/** Runs the platform's timers, but those of `ms` only when asked. */
function heldTimer(ms: number): { clock: Clock; fire(): void } {
  let held: (() => void) | null = null
  const after: Clock['after'] = (delay, fn) => {
    if (delay !== ms) return systemClock.after(delay, fn)
    held = fn
    return () => {
      held = null
    }
  }
  return { clock: { ...systemClock, after }, fire: () => held?.() }
}

test('after its time a socket is told so and closed, and what runs on it is stopped (req 114)', async (t) => {
  const life = heldTimer(3_600_000)
  const started = await startServer(t, { clock: life.clock })
  started.engine.script = endless(5)
  const socket = await openSocket(t, started)
  socket.send(create())
  await until(() => socket.all.length > 3, 'a run')
  life.fire()
  assert.equal(await socket.closed(), 1001)
  const last = socket.all.at(-1)
  assert.deepEqual([last?.type, last?.status, last?.error?.code], ['error', 400, 'websocket_connection_limit_reached'])
  await until(() => started.engine.traces[0]?.readToEnd === true, 'the run is read to its end')
  assert.equal(abortKind(started.engine.traces[0]?.abortedBy), 'reader-gone')
})

const LEAVES = {
  'by a close frame': (ws: { close(): void }) => ws.close(),
  'without a word': (ws: { terminate(): void }) => ws.terminate(),
}
for (const [how, leave] of Object.entries(LEAVES)) {
  test(`a client that leaves ${how} stops every run of its socket, and each is read to its end`, async (t) => {
    const started = await startServer(t)
    started.engine.script = endless(5)
    const socket = await openSocket(t, started)
    for (const stream_id of ['a', 'a', 'b', 'c']) socket.send(create({ stream_id }))
    await until(() => started.engine.traces.length === 3 && socket.all.length > 9, 'three runs')
    leave(socket.ws)
    await until(() => started.engine.traces.every(({ readToEnd }) => readToEnd), 'all are read')
    for (const { abortedBy, returned } of started.engine.traces) {
      assert.equal(abortKind(abortedBy), 'reader-gone')
      assert.ok(!returned)
    }
    await until(() => started.log.streams === 0 && started.log.finished.length === 4, 'nothing is left')
    assert.equal(started.engine.requests.length, 3, 'what waited was never begun')
    assert.deepEqual(started.log.failures, [])
  })
}

test('a client that leaves while its run is being planned leaves nothing behind', async (t) => {
  const started = await startServer(t)
  const plan = gate()
  const { createResponse } = started.engine
  let planning = false
  started.engine.createResponse = async function (request, caller) {
    planning = true
    await plan.opened
    return createResponse.call(this, request, caller)
  }
  started.engine.script = endless(5)
  const socket = await openSocket(t, started)
  socket.send(create())
  await until(() => planning, 'the run is being planned')
  socket.ws.terminate()
  await new Promise((resolve) => setTimeout(resolve, 20))
  plan.open()
  await until(() => started.engine.traces[0]?.readToEnd === true, 'the run is read to its end')
  await until(() => started.log.finished.length === 2 && started.log.streams === 0, 'all is over')
})

test('a peer that answers no ping is cut off; one that does stays', async (t) => {
  const started = await startServer(t, { limits: { webSocketPingMs: 1_000 } })
  const alive = await openSocket(t, started)
  const dead = await openSocket(t, started, { autoPong: false })
  const pinged = once(dead.ws, 'ping')
  await pinged
  assert.equal(await dead.closed(), 1006)
  alive.send(create())
  assert.equal((await alive.turn()).length, 3)
})

test('a reader that falls behind pauses its run, and one that takes nothing at all is cut off', async (t) => {
  const started = await startServer(t, { limits: { streamBufferBytes: 64 * 1024, stallMs: 200 } })
  const text = 'x'.repeat(64 * 1024)
  started.engine.script = async function* (signal) {
    yield [created()]
    for (let n = 1; n < 500 && !signal.aborted; n++) yield [delta(n, text)]
    yield [completed(500)]
  }
  const socket = await openSocket(t, started)
  socket.send(create())
  await socket.next()
  socket.ws.pause()
  await until(() => started.engine.traces[0]?.readToEnd === true, 'it is cut off')
  assert.equal(abortKind(started.engine.traces[0]?.abortedBy), 'reader-gone')
  const served = started.engine.traces[0]?.served ?? 0
  assert.ok(served < 400, `${served} batches were taken from the run`)
})

test('a reader that falls behind for a while gets all', async (t) => {
  const started = await startServer(t, { limits: { streamBufferBytes: 64 * 1024, stallMs: 60_000 } })
  const text = 'x'.repeat(64 * 1024)
  started.engine.script = async function* () {
    yield [created()]
    for (let n = 1; n < 500; n++) yield [delta(n, text)]
    yield [completed(500)]
  }
  const socket = await openSocket(t, started)
  socket.send(create())
  await socket.next()
  socket.ws.pause()
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.ok(socket.all.length < 400)
  socket.ws.resume()
  await until(() => socket.all.length === 501, 'a reader that reads gets all')
})

test('errors that nobody reads do not pile up: the socket is not listened to, and then cut off', async (t) => {
  const limits = { streamBufferBytes: 16 * 1024, stallMs: 150, webSocketsPerProject: 1 }
  const started = await startServer(t, { limits })
  const socket = await openSocket(t, started)
  socket.ws.pause()
  for (let n = 0; n < 60_000; n++) socket.ws.send('nonsense')
  const url = `ws://127.0.0.1:${started.port}/v1/responses`
  const isOpen = ({ ws }: TestSocket) => ws.readyState === ws.OPEN
  let next = connectSocket(t, url)
  for (let n = 0; n < 100 && !isOpen(next); n++) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    if (!isOpen(next)) next = connectSocket(t, url)
  }
  await until(() => isOpen(next), 'the place of the first socket')
})

test('draining lets running responses end, refuses what waits, and closes with 1001 (req 193)', async (t) => {
  const started = await startServer(t)
  const go = gate()
  started.engine.script = async function* () {
    yield [created()]
    await go.opened
    yield [completed(1)]
  }
  const [idle, busy] = [await openSocket(t, started), await openSocket(t, started)]
  busy.send(create())
  busy.send(create())
  await until(() => busy.all.length === 1, 'a run')
  const draining = started.server.drain(5_000)
  assert.equal(await idle.closed(), 1001)
  assert.equal(await refusedUpgrade(t, `ws://127.0.0.1:${started.port}/v1/responses`), 503)
  go.open()
  assert.equal((await busy.turn()).at(-1)?.type, 'response.completed')
  assert.deepEqual((await busy.turn()).at(-1)?.error?.code, 'server_shutting_down')
  assert.equal(await busy.closed(), 1001)
  await draining
})

test('at the deadline runs on sockets are stopped, end with a terminal event, and the sockets close with 1001', async (t) => {
  const started = await startServer(t)
  started.engine.script = endless(5)
  const sockets = await Promise.all(Array.from({ length: 10 }, () => openSocket(t, started)))
  for (const socket of sockets) socket.send(create())
  await until(() => started.engine.traces.length === 10, 'all runs')
  await started.server.drain(100)
  for (const socket of sockets) {
    assert.equal(socket.all.at(-1)?.type, 'response.failed')
    assert.equal(await socket.closed(), 1001)
  }
  assert.ok(started.engine.traces.every(({ abortedBy }) => abortKind(abortedBy) === 'shutdown'))
})

test('a peer that does not answer the close does not hold up the shutdown', async (t) => {
  const started = await startServer(t, { limits: { shutdownGraceMs: 100 } })
  const socket = connect(started.port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(
    `GET /v1/responses HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Authorization: ${KEY}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  )
  await once(socket, 'data')
  await started.server.close()
  socket.destroy()
})
