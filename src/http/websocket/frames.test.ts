import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { create, openSocket } from '../../../test/support/edge-socket.ts'
import { KEY, type Started, startServer, until } from '../../../test/support/http-edge.ts'
import { endless } from '../../../test/support/scripted-engine.ts'

const HANDSHAKE =
  `GET /v1/responses HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Authorization: ${KEY}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`
const TEXT = 0x1
const BINARY = 0x2
const CLOSE = 0x8
const PING = 0x9

type Shape = { readonly fin?: boolean; readonly masked?: boolean; readonly claim?: number; readonly rsv?: number }

/** A frame as a client sends it. `claim`: the length that its head says, in place of the true one. */
function frame(opcode: number, payload: Buffer | string, { fin = true, masked = true, claim, rsv = 0 }: Shape = {}) {
  const body = Buffer.from(payload)
  const length = claim ?? body.length
  const mask = masked ? 0x80 : 0
  const head =
    length < 126
      ? Buffer.from([0, mask | length])
      : length < 65_536
        ? Buffer.from([0, mask | 126, length >> 8, length & 255])
        : Buffer.concat([Buffer.from([0, mask | 127]), lengthOf64Bits(length)])
  head[0] = (fin ? 0x80 : 0) | rsv | opcode
  // A mask of zeros changes nothing.
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0), body])
}

function lengthOf64Bits(length: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(length))
  return bytes
}

async function openRaw(t: TestContext, { port }: Started): Promise<{ socket: Socket; received(): Buffer }> {
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.on('error', () => {})
  socket.write(HANDSHAKE)
  await until(() => Buffer.concat(chunks).includes('\r\n\r\n'), 'the handshake')
  const received = () => {
    const all = Buffer.concat(chunks)
    return all.subarray(all.indexOf('\r\n\r\n') + 4)
  }
  return { socket, received }
}

/** The code of a close frame at the very end of what the server sent. */
const closeCodeIn = (bytes: Buffer): number | null => {
  const at = bytes.lastIndexOf(0x88)
  return at >= 0 && bytes.length >= at + 4 ? bytes.readUInt16BE(at + 2) : null
}

const BROKEN: readonly (readonly [string, Buffer, number])[] = [
  ['a frame without a mask', frame(TEXT, '{}', { masked: false }), 1002],
  ['a reserved opcode', frame(0x5, '{}'), 1002],
  ['a reserved bit', frame(TEXT, '{}', { rsv: 0x40 }), 1002],
  ['a continuation of nothing', frame(0x0, '{}'), 1002],
  ['a ping that is too long', frame(PING, Buffer.alloc(126)), 1002],
  ['a ping in fragments', frame(PING, 'a', { fin: false }), 1002],
  ['a text that is not UTF-8', frame(TEXT, Buffer.from([0xc3, 0x28])), 1007],
  ['a message larger than the limit', frame(TEXT, '', { claim: 16 * 1024 * 1024 + 1 }), 1009],
  ['a binary message larger than the limit', frame(BINARY, '', { claim: 2 ** 40 }), 1009],
  ['a length of 64 bits', frame(TEXT, '', { claim: Number.MAX_SAFE_INTEGER }), 1009],
  ['a close with a code that is none', frame(CLOSE, Buffer.from([0x03, 0xe7])), 1002],
  [
    'a message in more fragments than are taken',
    Buffer.concat([frame(TEXT, '', { fin: false }), ...Array(16 * 1024).fill(frame(0x0, 'a', { fin: false }))]),
    1008,
  ],
]

test('what breaks the protocol closes the socket with the code the protocol has for it, and nothing else', async (t) => {
  const started = await startServer(t)
  const bystander = await openSocket(t, started)
  for (const [what, bytes, code] of BROKEN) {
    const { socket, received } = await openRaw(t, started)
    const closed = once(socket, 'close')
    socket.write(bytes)
    await closed
    assert.equal(closeCodeIn(received()), code, what)
  }
  bystander.send(create())
  assert.equal((await bystander.turn()).length, 3)
  assert.deepEqual(started.log.failures, [])
})

test('a message of exactly the limit is read, in one frame or in many', async (t) => {
  const started = await startServer(t, { limits: { webSocketMessageBytes: 100_000 } })
  const { socket, received } = await openRaw(t, started)
  const empty = JSON.stringify(create({ input: '' }))
  const text = JSON.stringify(create({ input: 'x'.repeat(100_000 - empty.length) }))
  socket.write(frame(TEXT, text))
  await until(() => received().includes('response.completed'), 'an answer')
  const pieces = text.match(/[\s\S]{1,999}/g) ?? []
  pieces.forEach((piece, i) => {
    socket.write(frame(i === 0 ? TEXT : 0x0, piece, { fin: i === pieces.length - 1 }))
    if (i % 10 === 0) socket.write(frame(PING, 'p'))
  })
  await until(() => received().toString('latin1').split('response.completed').length >= 3, 'a second answer')
  assert.equal(started.engine.requests.length, 2)
  assert.deepEqual(started.engine.requests[0], started.engine.requests[1])
  socket.write(frame(TEXT, `${text} `))
  await once(socket, 'close')
  assert.equal(closeCodeIn(received()), 1009)
})

test('a peer may go at any byte of a message, and every run it began is read to its end', async (t) => {
  const started = await startServer(t)
  started.engine.script = endless(2)
  const bytes = Buffer.concat([frame(TEXT, JSON.stringify(create())), frame(CLOSE, Buffer.from([0x03, 0xe8]))])
  for (let cut = 0; cut <= bytes.length; cut += 3) {
    const { socket } = await openRaw(t, started)
    socket.write(bytes.subarray(0, cut))
    await new Promise((resolve) => setTimeout(resolve, cut % 2))
    if (cut % 4 === 0) socket.resetAndDestroy()
    else socket.destroy()
  }
  const opened = () => started.log.finished.filter(({ status }) => status === 101).length
  await until(() => opened() > bytes.length / 3, 'all sockets')
  await until(() => started.engine.traces.every(({ readToEnd }) => readToEnd) && started.log.streams === 0, 'all runs')
  assert.deepEqual(started.log.failures, [])
})

test('random bytes after the handshake do no harm', async (t) => {
  const started = await startServer(t)
  let seed = 42
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return seed / 2_147_483_648
  }
  for (let n = 0; n < 60; n++) {
    const { socket } = await openRaw(t, started)
    const noise = Buffer.from(Array.from({ length: 1 + Math.floor(random() * 400) }, () => Math.floor(random() * 256)))
    socket.end(n % 2 === 0 ? noise : frame(TEXT, noise.toString('latin1')))
    await once(socket, 'close')
  }
  const after = await openSocket(t, started)
  after.send(create())
  assert.equal((await after.turn()).length, 3)
  assert.deepEqual(started.log.failures, [])
})
