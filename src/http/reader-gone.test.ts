import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { postBytes, startServer, until } from '../../test/support/http-edge.ts'
import { sampleResponse } from '../../test/support/sample-response.ts'
import { batches, cancelled, completed, created, delta, endless } from '../../test/support/scripted-engine.ts'
import { RunAbort } from '../engine/engine.ts'

for (const stream of [true, false]) {
  test(`a client that leaves a ${stream ? 'stream' : 'JSON request'} aborts the run at once, and the run is read to its end`, async (t) => {
    const started = await startServer(t)
    started.engine.script = endless(10)
    const socket = connect(started.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(postBytes({ stream }))
    await until(() => (started.engine.traces[0]?.served ?? 0) > 3, 'the run goes')
    socket.destroy()
    await until(() => started.engine.traces[0]?.readToEnd === true, 'the run ended')
    const trace = started.engine.traces[0]
    assert.ok(trace?.abortedBy instanceof RunAbort && trace.abortedBy.kind === 'reader-gone')
    assert.equal(trace.returned, false)
    await until(() => started.log.finished.length === 1 && started.log.streams === 0, 'the request is over')
    assert.deepEqual(started.log.failures, [])
  })
}

test('a client that leaves at any event leaves no run unread', async (t) => {
  const started = await startServer(t)
  started.engine.script = endless(1)
  const leave = async (afterMs: number) => {
    const socket = connect(started.port, '127.0.0.1')
    socket.on('error', () => {}).on('data', () => {})
    socket.write(postBytes({ stream: true }))
    await new Promise((resolve) => setTimeout(resolve, afterMs))
    if (afterMs % 2) socket.destroy()
    else socket.resetAndDestroy()
  }
  await Promise.all(Array.from({ length: 30 }, (_, i) => leave(i * 3)))
  await until(() => started.engine.traces.every(({ readToEnd }) => readToEnd), 'all runs ended')
  assert.ok(started.engine.traces.every(({ returned }) => !returned))
})

test('a reader that stops reading is cut off, and buffers stay bounded meanwhile', async (t) => {
  const started = await startServer(t, { limits: { streamBufferBytes: 256 * 1024, stallMs: 150 } })
  started.engine.script = async function* (signal) {
    yield [created()]
    let n = 1
    for (; n < 2_000 && !signal.aborted; n++) yield [delta(n, 'x'.repeat(64 * 1024))]
    yield [cancelled(n)]
  }
  const socket = connect(started.port, '127.0.0.1')
  socket.on('error', () => {}).pause()
  socket.write(postBytes({ stream: true }))
  await until(() => started.engine.traces[0]?.readToEnd === true, 'the run ended')
  const trace = started.engine.traces[0]
  assert.ok(trace?.abortedBy instanceof RunAbort && trace.abortedBy.kind === 'reader-gone')
  // Far fewer than the 2,000 batches: what the kernel and our buffer take, and no more.
  assert.ok(trace.served < 400, `${trace.served} batches were taken`)
  assert.equal(trace.returned, false)
  socket.destroy()
})

test('a slow reader that goes on reading gets everything', async (t) => {
  const started = await startServer(t, { limits: { streamBufferBytes: 64 * 1024, stallMs: 60_000 } })
  const count = 200
  started.engine.script = async function* () {
    yield [created()]
    for (let n = 1; n <= count; n++) yield [delta(n, 'x'.repeat(32 * 1024))]
    yield [completed(count + 1)]
  }
  const socket = connect(started.port, '127.0.0.1')
  let text = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk) => {
    text += chunk
    socket.pause()
    setTimeout(() => socket.resume(), 2)
  })
  socket.write(postBytes({ stream: true }))
  await until(() => text.includes('data: [DONE]'), 'the end')
  assert.equal(text.match(/event: response\.output_text\.delta/g)?.length, count)
  socket.destroy()
})

for (const stream of [true, false]) {
  test(`a reader that takes nothing of the end of a ${stream ? 'stream' : 'JSON reply'} is cut off too`, async (t) => {
    const started = await startServer(t, { limits: { stallMs: 150 } })
    const output_text = 'x'.repeat(20 * 1024 * 1024)
    const end = { type: 'response.completed', sequence_number: 1, response: sampleResponse({ output_text }) } as const
    started.engine.script = batches([created(), end])
    const socket = connect(started.port, '127.0.0.1')
    socket.on('error', () => {}).pause()
    socket.write(postBytes({ stream }))
    await until(() => started.log.finished.length === 1, 'the connection was closed')
    assert.equal(started.engine.traces[0]?.readToEnd, true)
    socket.destroy()
  })
}
