import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create, gate, openSocket } from '../../../test/support/edge-socket.ts'
import { KEY, postBytes, rawExchange, startServer, until } from '../../../test/support/http-edge.ts'
import { batches, cancelled, completed, created, delta, failed } from '../../../test/support/scripted-engine.ts'
import type { RunBatch } from '../../engine/run-event.ts'
import { ApiError } from '../../protocol/errors.ts'

test('a turn is the events of a stream, one message each, without framing and without [DONE] (req 109)', async (t) => {
  const started = await startServer(t)
  const socket = await openSocket(t, started)
  const plain = { stream_options: { include_obfuscation: false } }
  socket.send(create(plain))
  const turn = await socket.turn()
  const sse = await rawExchange(started.port, postBytes({ stream: true, model: 'demo', input: 'hi', ...plain }), {
    end: '0\r\n\r\n',
  })
  const streamed = [...sse.matchAll(/^data: (\{.*)$/gm)].map(([, json = '']) => JSON.parse(json))
  assert.deepEqual(turn, streamed)
  assert.deepEqual(
    turn.map(({ sequence_number }) => sequence_number),
    [0, 1, 2],
  )
  socket.send(create(plain))
  assert.equal((await socket.next()).sequence_number, 0, 'each response counts from 0')
  await socket.turn()
  assert.ok(socket.texts.every((text) => !text.includes('DONE') && !text.includes('\n')))
  assert.equal(started.log.streams, 0)
})

test('what was left out of a request is told with its first event, and counted in the log', async (t) => {
  const started = await startServer(t, { limits: { warningBytes: 200 } })
  const socket = await openSocket(t, started)
  started.engine.warnings = ['top_p: ignored by this model']
  socket.send(create({ warn: true, stream_id: 'x' }))
  const [first, ...others] = await socket.turn()
  assert.deepEqual(first?.antiphon_warnings, ['Ünknown field, 100% ignored\r\nx: y', 'top_p: ignored by this model'])
  assert.equal(first?.stream_id, 'x')
  assert.ok(others.every((event) => event.antiphon_warnings === undefined))
  started.engine.warnings = Array.from({ length: 100 }, (_, at) => `warning ${at}`)
  socket.send(create())
  const [many] = await socket.turn()
  assert.ok(JSON.stringify(many?.antiphon_warnings).length < 300)
  assert.match(String(many?.antiphon_warnings?.at(-1)), /^\(\+\d+ more\)$/)
  started.engine.warnings = []
  socket.send(create())
  const [quiet] = await socket.turn()
  assert.ok(quiet && !('antiphon_warnings' in quiet))
  const counted = () => started.log.finished.filter(({ method }) => method === 'WS').map(({ warnings }) => warnings)
  await until(() => counted().length === 3, 'three log lines')
  assert.deepEqual(counted(), [2, 100, undefined])
})

test('an error on a socket always has a code', async (t) => {
  const started = await startServer(t)
  const socket = await openSocket(t, started)
  started.engine.refusal = new ApiError({ status: 400, param: 'input', message: 'no' })
  socket.send(create())
  assert.deepEqual((await socket.next()).error, {
    message: 'no',
    type: 'invalid_request_error',
    param: 'input',
    code: 'invalid_request_error',
  })
})

test('deltas on a socket are padded as those of a stream are', async (t) => {
  const started = await startServer(t)
  const words = ['a', ' longer', '日本', 'somewhat longer']
  started.engine.script = batches(
    [created()],
    words.map((word, i) => delta(i + 1, word)),
    [completed(5)],
  )
  const socket = await openSocket(t, started)
  socket.send(create({ stream_id: 'x' }))
  await socket.turn()
  const deltas = socket.texts.filter((text) => text.includes('.delta'))
  assert.equal(new Set(deltas.map((text) => Buffer.byteLength(text))).size, 1)
  for (const text of deltas) assert.match(text, /,"obfuscation":"[0-9a-f]{1,32}","stream_id":"x"\}$/)
})

test('messages without a stream_id run one at a time, in the order they came (req 110)', async (t) => {
  const started = await startServer(t)
  const order: string[] = []
  let running = 0
  started.engine.script = async function* () {
    assert.equal(++running, 1)
    const name = `run ${started.engine.requests.length}`
    yield [created()]
    await new Promise((resolve) => setTimeout(resolve, 10))
    order.push(name)
    running--
    yield [completed(1)]
  }
  const socket = await openSocket(t, started)
  for (let n = 1; n <= 4; n++) socket.send(create({ user: `u${n}` }))
  for (let n = 1; n <= 4; n++) assert.equal((await socket.turn()).length, 2)
  assert.deepEqual(order, ['run 1', 'run 2', 'run 3', 'run 4'])
  assert.deepEqual(
    started.engine.requests.map(({ user }) => user),
    ['u1', 'u2', 'u3', 'u4'],
  )
})

test('lanes run beside each other, each in its own order, and every event names its lane (req 111)', async (t) => {
  const started = await startServer(t)
  const slow = gate()
  started.engine.script = async function* () {
    const wait = started.engine.requests.at(-1)?.user === 'slow'
    yield [created()]
    if (wait) await slow.opened
    yield [delta(1, 'x'), completed(2)]
  }
  const socket = await openSocket(t, started)
  socket.send(create({ user: 'slow', stream_id: 'a' }))
  socket.send(create({ user: 'after slow', stream_id: 'a' }))
  await until(() => started.engine.requests.length === 1, 'the first run')
  socket.send(create({ user: 'other', stream_id: 'b.1-c_D' }))
  socket.send(create({ user: 'nameless' }))
  await until(() => socket.all.filter(({ type }) => type === 'response.completed').length === 2, 'both other lanes')
  assert.equal(started.engine.requests.length, 3, 'the second of lane a waits')
  slow.open()
  await until(() => socket.all.filter(({ type }) => type === 'response.completed').length === 4, 'all')
  const countOf = (lane: string | undefined) => socket.all.filter(({ stream_id }) => stream_id === lane).length
  assert.deepEqual([countOf('a'), countOf('b.1-c_D'), countOf(undefined)], [6, 3, 3])
})

test('what is over a limit of lanes, runs or waiting messages is refused by name, and the socket stays open (req 111)', async (t) => {
  const started = await startServer(t, {
    limits: { webSocketRuns: 2, webSocketLanes: 3, webSocketQueue: 2, webSocketQueueBytes: 2_000 },
  })
  let go = gate()
  started.engine.script = async function* () {
    yield [created()]
    await go.opened
    yield [completed(1)]
  }
  const socket = await openSocket(t, started)
  const refusal = async (message: object) => {
    const before = socket.all.length
    socket.send(message)
    await until(() => socket.all.length > before, 'a refusal')
    const error = socket.all.at(-1)
    return [error?.status, error?.error?.code, error?.stream_id]
  }
  socket.send(create({ stream_id: 'a' }))
  socket.send(create({ stream_id: 'b' }))
  await until(() => socket.all.length === 2, 'two runs')
  assert.deepEqual(await refusal(create({ stream_id: 'c' })), [429, 'websocket_stream_limit_reached', 'c'])
  socket.send(create({ stream_id: 'a' }))
  assert.deepEqual(await refusal(create({ stream_id: 'b', input: 'x'.repeat(2_000) })), [
    429,
    'websocket_stream_limit_reached',
    'b',
  ])
  socket.send(create({ stream_id: 'b' }))
  assert.deepEqual(await refusal(create({ stream_id: 'b' })), [429, 'websocket_stream_limit_reached', 'b'])
  go.open()
  await until(() => started.engine.traces.filter(({ readToEnd }) => readToEnd).length === 4, 'four runs')
  go = gate()
  go.open()
  socket.send(create({ stream_id: 'c' }))
  await until(() => started.engine.traces.filter(({ readToEnd }) => readToEnd).length === 5, 'the third lane')
  assert.deepEqual(await refusal(create({ stream_id: 'd' })), [400, 'websocket_stream_limit_reached', 'd'])
  socket.send(create({}))
  await until(() => started.engine.traces.length === 6, 'the lane without a name is not counted')
})

test('stream is ignored whatever it holds, and background is refused (req 115)', async (t) => {
  const started = await startServer(t)
  const socket = await openSocket(t, started)
  for (const stream of [true, false, 'nonsense', null]) {
    socket.send(create({ stream, background: false }))
    assert.equal((await socket.turn()).at(-1)?.type, 'response.completed')
  }
  assert.ok(started.engine.requests.every(({ stream }) => stream === true))
  socket.send(create({ background: true, stream_id: 'a' }))
  const [error] = await socket.turn()
  assert.deepEqual(
    [error?.status, error?.error?.code, error?.error?.param, error?.stream_id],
    [400, 'unsupported_parameter', 'background', 'a'],
  )
  assert.equal(started.engine.requests.length, 4)
})

test('fields of the message itself are not parameters of the response', async (t) => {
  const started = await startServer(t)
  const socket = await openSocket(t, started)
  socket.send(create({ stream_id: 'a', generate: true, metadata: { a: 'b' } }))
  await socket.turn()
  assert.deepEqual(started.engine.requests[0], { model: 'demo', input: 'hi', metadata: { a: 'b' }, stream: true })
})

const REFUSED: readonly (readonly [string, string | Buffer, string | null, string | null])[] = [
  ['no JSON', 'nonsense', 'invalid_request_error', null],
  ['half an object', '{"type":"response.create",', 'invalid_request_error', null],
  ['an array', '[]', 'invalid_type', null],
  ['a scalar', '1', 'invalid_type', null],
  ['an empty text', '', 'invalid_request_error', null],
  ['no type', '{}', 'missing_required_parameter', 'type'],
  ['an unknown type', '{"type":"session.update"}', 'invalid_value', 'type'],
  ['a type that is no text', '{"type":{}}', 'invalid_value', 'type'],
  ['a message of another mode', '{"type":"response.inject"}', 'invalid_value', 'type'],
  ['an empty stream_id', JSON.stringify(create({ stream_id: '' })), 'invalid_stream_id', 'stream_id'],
  ['a stream_id with a space', JSON.stringify(create({ stream_id: 'a b' })), 'invalid_stream_id', 'stream_id'],
  [
    'a stream_id that is too long',
    JSON.stringify(create({ stream_id: 'a'.repeat(257) })),
    'invalid_stream_id',
    'stream_id',
  ],
  ['a stream_id with a line end', JSON.stringify(create({ stream_id: 'a\n' })), 'invalid_stream_id', 'stream_id'],
  ['a stream_id that is a number', JSON.stringify(create({ stream_id: 1 })), 'invalid_stream_id', 'stream_id'],
  ['a generate that is no boolean', JSON.stringify(create({ generate: 'no' })), 'invalid_type', 'generate'],
  [
    'nesting without end',
    `{"type":"response.create","input":${'['.repeat(100)}${']'.repeat(100)}}`,
    'invalid_value',
    null,
  ],
  ['a __proto__ key', '{"type":"response.create","__proto__":{}}', 'invalid_value', null],
  ['a binary frame', Buffer.from(JSON.stringify(create())), 'invalid_request_error', null],
]

test('what is no message is answered by an error event, and the socket goes on (req 117)', async (t) => {
  const started = await startServer(t)
  const socket = await openSocket(t, started)
  for (const [what, data, code, param] of REFUSED) {
    socket.ws.send(data)
    const [event, ...more] = await socket.turn()
    assert.deepEqual(more, [], what)
    assert.deepEqual(
      [event?.type, event?.status, event?.error?.code, event?.error?.param],
      ['error', 400, code, param],
      what,
    )
    assert.deepEqual(Object.keys(event?.error ?? {}).sort(), ['code', 'message', 'param', 'type'], what)
  }
  socket.send(create())
  assert.equal((await socket.turn()).at(-1)?.type, 'response.completed')
  assert.equal(started.engine.requests.length, 1)
})

test('what HTTP refuses is refused with the same envelope, its status and the lane', async (t) => {
  const started = await startServer(t)
  const socket = await openSocket(t, started)
  socket.send(create({ input: 42, stream_id: 'a' }))
  assert.deepEqual(await socket.turn(), [
    {
      type: 'error',
      status: 400,
      error: { message: 'no', type: 'invalid_request_error', param: 'input', code: 'invalid_type' },
      stream_id: 'a',
    },
  ])
  started.engine.refusal = new ApiError({
    status: 429,
    code: 'rate_limit_exceeded',
    type: 'requests',
    message: 'later',
  })
  socket.send(create())
  const [refused] = await socket.turn()
  assert.deepEqual([refused?.status, refused?.error?.code, refused?.stream_id], [429, 'rate_limit_exceeded', undefined])
})

test('failed and cancelled runs end as response.failed', async (t) => {
  const started = await startServer(t)
  const socket = await openSocket(t, started)
  const error = new ApiError({ status: 502, message: 'upstream is gone' })
  for (const end of [failed(1, error), cancelled(1)]) {
    started.engine.script = batches([created()], [end])
    socket.send(create())
    assert.deepEqual(
      (await socket.turn()).map(({ type }) => type),
      ['response.created', 'response.failed'],
    )
  }
})

test('a run that breaks is an error event with its number and lane, is logged, and ends nothing else', async (t) => {
  const started = await startServer(t)
  const socket = await openSocket(t, started)
  started.engine.script = async function* () {
    yield [created(), delta(1, 'a')]
    throw new Error('token=hunter2')
  }
  socket.send(create({ stream_id: 'a' }))
  const event = (await socket.turn()).at(-1)
  assert.deepEqual(
    [event?.type, event?.status, event?.error?.code, event?.sequence_number, event?.stream_id],
    ['error', 500, 'server_error', 2, 'a'],
  )
  const unknown: unknown = [{ type: 'evil', sequence_number: 1 }]
  const isBatch = (value: unknown): value is RunBatch => Array.isArray(value)
  started.engine.script = async function* () {
    yield [created()]
    if (isBatch(unknown)) yield unknown
    yield [completed(2)]
  }
  socket.send(create())
  assert.deepEqual(
    (await socket.turn()).map(({ type }) => type),
    ['response.created', 'error'],
  )
  started.engine.script = batches([created()], [completed(1)])
  socket.send(create({ stream_id: 'a' }))
  assert.equal((await socket.turn()).length, 2)
  assert.equal(started.log.failures.length, 2)
  assert.ok(socket.texts.every((text) => !text.includes('hunter2')))
  assert.equal(socket.all.filter(({ type }) => type === 'error').length, 2)
})

test('each message is a request in the log, the upgrade is one too', async (t) => {
  const started = await startServer(t)
  const socket = await openSocket(t, started, { headers: { 'session-id': 's1', 'x-client-request-id': 'c1' } })
  socket.send(create())
  socket.send(create({ input: 42 }))
  await socket.turn()
  await socket.turn()
  await until(() => started.log.finished.length === 3, 'three lines')
  assert.deepEqual(
    started.log.finished.map(({ method, route, status, errorCode, sessionId, keyId }) => ({
      line: `${method} ${route} ${status}`,
      errorCode,
      sessionId,
      keyId,
    })),
    [
      { line: 'GET /v1/responses 101', errorCode: null, sessionId: 's1', keyId: `key_${KEY}` },
      { line: 'WS /v1/responses 200', errorCode: null, sessionId: 's1', keyId: `key_${KEY}` },
      { line: 'WS /v1/responses 400', errorCode: 'invalid_type', sessionId: 's1', keyId: `key_${KEY}` },
    ],
  )
  assert.equal(new Set(started.log.finished.map(({ requestId }) => requestId)).size, 3)
})
