import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createParser } from 'eventsource-parser'
import { postBytes, rawExchange, type Started, startServer } from '../../test/support/http-edge.ts'
import { createManualClock } from '../../test/support/manual-clock.ts'
import { batches, cancelled, completed, created, delta, failed } from '../../test/support/scripted-engine.ts'
import { RunAbort } from '../engine/engine.ts'
import type { RunBatch } from '../engine/run-event.ts'
import { ApiError } from '../protocol/errors.ts'

/** The reply as it went over the wire: head, and one text per HTTP chunk, which is one write of the server. */
async function streamRaw({ port }: Started, body: object = {}) {
  const reply = Buffer.from(await rawExchange(port, postBytes({ stream: true, ...body }), { end: '0\r\n\r\n' }))
  const split = reply.indexOf('\r\n\r\n')
  const writes: string[] = []
  for (let at = split + 4; at < reply.length; ) {
    const lineEnd = reply.indexOf('\r\n', at)
    const size = Number.parseInt(reply.toString('latin1', at, lineEnd), 16)
    if (size === 0) break
    writes.push(reply.toString('utf8', lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
  }
  return { head: reply.toString('utf8', 0, split), writes, text: writes.join('') }
}

type Parsed = { event: string | undefined; data: string }
function parseSse(text: string): Parsed[] {
  const events: Parsed[] = []
  const parser = createParser({ onEvent: ({ event, data }) => events.push({ event, data }) })
  parser.feed(text)
  return events
}

test('a stream has the headers of one, LF frames, equal event and type, and [DONE] last', async (t) => {
  const started = await startServer(t)
  const { head, text } = await streamRaw(started)
  assert.match(head, /^HTTP\/1\.1 200 /)
  for (const line of [
    'content-type: text/event-stream; charset=utf-8',
    'cache-control: no-cache',
    'x-accel-buffering: no',
    'connection: keep-alive',
    'x-antiphon-provider: scripted',
    'openai-version: 2020-10-01',
  ]) {
    assert.ok(head.toLowerCase().includes(line), line)
  }
  assert.doesNotMatch(text, /\r|^id:/m)
  const frames = text.split('\n\n')
  assert.equal(frames.pop(), '')
  assert.equal(frames.pop(), 'data: [DONE]')
  const types = frames.map((frame) => {
    const [, name, data] = /^event: ([a-z_.]+)\ndata: (.*)$/.exec(frame) ?? []
    assert.equal(JSON.parse(data ?? '').type, name)
    return name
  })
  assert.deepEqual(types, ['response.created', 'response.output_text.delta', 'response.completed'])
  assert.equal(started.engine.traces[0]?.readToEnd, true)
  assert.equal(started.log.streams, 0)
})

test('each batch is one write, however many events it holds', async (t) => {
  const started = await startServer(t)
  const pause = () => new Promise((resolve) => setTimeout(resolve, 20))
  started.engine.script = async function* () {
    yield [created(), delta(1, 'a'), delta(2, 'b')]
    await pause()
    yield Array.from({ length: 50 }, (_, i) => delta(3 + i, 'x'))
    await pause()
    yield [delta(53, 'y'), completed(54)]
  }
  const { writes } = await streamRaw(started)
  assert.equal(writes.length, 3)
  assert.deepEqual(
    writes.map((write) => parseSse(write).length),
    [3, 50, 3],
  )
})

test('chunks are as long as their bytes, and the connection serves the next request after the last one', async (t) => {
  const started = await startServer(t)
  started.engine.script = async function* () {
    yield [created(), delta(1, 'ü'), delta(2, '€'), delta(3, '𝄞')]
    yield [completed(4)]
  }
  const request = postBytes({ stream: true })
  const reply = await rawExchange(started.port, `${request}${request.replace('POST /v1', 'POST /v2')}`, { end: '}' })
  const [stream, next] = reply.split(/(?=HTTP\/1\.1 404)/)
  assert.match(stream ?? '', /data: \[DONE\]\n\n\r\n0\r\n\r\n$/)
  assert.match(next ?? '', /^HTTP\/1\.1 404 /)
  assert.match((await streamRaw(started)).text, /"ü".*"€".*"𝄞".*data: \[DONE\]/s)
})

test('a client of HTTP/1.0, which knows no chunks, gets the frames alone, until the connection ends', async (t) => {
  const started = await startServer(t)
  const request = postBytes({ stream: true }).replace('HTTP/1.1', 'HTTP/1.0')
  const [head = '', body = ''] = (await rawExchange(started.port, request)).split('\r\n\r\n')
  assert.doesNotMatch(head, /transfer-encoding/i)
  assert.match(body, /^event: response\.created\n[^\r]*data: \[DONE\]\n\n$/)
})

const HOSTILE = [
  'a\rb\nc\r\nd',
  '\n\nevent: response.completed\ndata: {"type":"forged"}\n\n',
  'data: [DONE]\n\n',
  'id: 1\nretry: 5\n: comment',
  'U+2028 \u2028 U+2029 \u2029 NEL \u0085 BOM \uFEFF NUL \0 VT \v',
  'lone \ud800 surrogate \udfff',
  '😀 日本語 \\ " \' </script>',
  'x'.repeat(100_000),
]

test('no text can end a line, forge an event or get lost', async (t) => {
  const started = await startServer(t)
  const deltas = HOSTILE.map((text, i) => delta(i + 1, text))
  started.engine.script = batches([created()], deltas, [completed(HOSTILE.length + 1)])
  const { text } = await streamRaw(started)
  const events = parseSse(text)
  assert.equal(events.length, HOSTILE.length + 3)
  const received = events.slice(1, -2).map(({ data }) => JSON.parse(data).delta)
  assert.deepEqual(received, HOSTILE)
  assert.equal(text.includes('\r'), false)
  assert.equal(text.includes('\0'), false)
})

test('deltas carry obfuscation by default, which evens out their size, and none when it is switched off', async (t) => {
  const started = await startServer(t)
  const words = ['a', ' longer', '\n', '日本', '"quoted"', 'somewhat longer']
  started.engine.script = batches(
    [created()],
    words.map((word, i) => delta(i + 1, word)),
    [completed(7)],
  )
  const padded = parseSse((await streamRaw(started)).text)
  const deltas = padded.filter(({ event }) => event?.endsWith('.delta'))
  assert.equal(new Set(deltas.map(({ data }) => Buffer.byteLength(data))).size, 1)
  for (const { data } of deltas) assert.match(JSON.parse(data).obfuscation, /^[0-9a-f]{1,32}$/)
  assert.ok(padded.every(({ event, data }) => event?.endsWith('.delta') || !data.includes('obfuscation')))
  const plain = (await streamRaw(started, { stream_options: { include_obfuscation: false } })).text
  assert.equal(plain.includes('obfuscation'), false)
})

test('silence is filled with comments, which parsers skip (req 100)', async (t) => {
  const { clock, advance } = createManualClock()
  const started = await startServer(t, { clock, limits: { keepAliveMs: 60 } })
  started.engine.script = async function* () {
    for (let passed = 0; passed < 220; passed += 20) {
      advance(20)
      // Bytes that still wait for the reader would be sign of life enough.
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    yield [created(), completed(1)]
  }
  const { writes, text } = await streamRaw(started)
  const comments = writes.filter((write) => write === ': keep-alive\n\n')
  assert.equal(comments.length, 3)
  assert.equal(parseSse(text).length, 3)
})

test('a steady stream has no keep-alives', async (t) => {
  const { clock, advance } = createManualClock()
  const started = await startServer(t, { clock, limits: { keepAliveMs: 60 } })
  started.engine.script = async function* () {
    yield [created()]
    for (let n = 1; n < 15; n++) {
      yield [delta(n, 'x')]
      advance(15)
    }
    yield [completed(15)]
  }
  assert.equal((await streamRaw(started)).text.includes(': keep-alive'), false)
})

test('failed and cancelled runs end as response.failed, and the internal events stay inside', async (t) => {
  const started = await startServer(t)
  const error = new ApiError({ status: 502, message: 'upstream is gone' })
  for (const [end, status] of [
    [failed(1, error), 'failed'],
    [cancelled(1), 'cancelled'],
  ] as const) {
    started.engine.script = batches([created()], [end])
    const { text } = await streamRaw(started)
    const events = parseSse(text)
    assert.deepEqual(
      events.map(({ event }) => event),
      ['response.created', 'response.failed', undefined],
    )
    const data = JSON.parse(events[1]?.data ?? '')
    assert.deepEqual([data.type, data.response.status, data.error], ['response.failed', status, undefined])
  }
})

function assertErrorEnd(text: string, sequenceNumber: number) {
  const events = parseSse(text)
  assert.equal(events.at(-1)?.data, '[DONE]')
  const error = JSON.parse(events.at(-2)?.data ?? '')
  assert.equal(events.at(-2)?.event, 'error')
  assert.equal(error.sequence_number, sequenceNumber)
  assert.equal(error.code, 'server_error')
  assert.deepEqual(error.error, { type: 'server_error', code: 'server_error', message: error.message, param: null })
}

test('a run that throws, or ends without an end, is shown as an error event and logged (req 96)', async (t) => {
  const started = await startServer(t)
  started.engine.script = async function* () {
    yield [created(), delta(1, 'a')]
    throw new Error('token=hunter2')
  }
  const thrown = (await streamRaw(started)).text
  assertErrorEnd(thrown, 2)
  assert.doesNotMatch(thrown, /hunter2/)
  started.engine.script = batches([created()])
  assertErrorEnd((await streamRaw(started)).text, 1)
  assert.equal(started.log.failures.length, 2)
})

test('an event outside the closed set ends the stream, stops the run and is read past', async (t) => {
  const started = await startServer(t)
  const unknown: unknown = [{ type: 'evil\ndata: x', sequence_number: 1 }]
  const isBatch = (value: unknown): value is RunBatch => Array.isArray(value)
  started.engine.script = async function* () {
    yield [created()]
    if (isBatch(unknown)) yield unknown
    yield [delta(2, 'never shown')]
    yield [completed(3)]
  }
  const { text } = await streamRaw(started)
  assertErrorEnd(text, 1)
  assert.equal(text.includes('never shown'), false)
  const trace = started.engine.traces[0]
  assert.deepEqual([trace?.readToEnd, trace?.returned], [true, false])
  assert.ok(trace?.abortedBy instanceof RunAbort)
})
