/** Whatever an Anthropic upstream does, its caller gets the stated end, and the ledger a row for every call. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { frame } from '../fakes/anthropic-frames.ts'
import { waitUntil } from '../fakes/chat-upstream.ts'
import { framesOf, type Reply, send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { CANARY, type HostileFault, LEAK, type Outcome } from './hostile-fault.ts'
import { type HostileUpstream, startHostileUpstream } from './hostile-upstream.ts'
import { JSON_TYPE } from './hostile-wire.ts'
import { scaledClock } from './scaled-clock.ts'
import { asChatUpstream, readLedger } from './upstream-fixture.ts'

const KEY = 'sk-ant-the-key-of-the-operator'
/** Clocks of minutes become seconds. */
const FACTOR = 20

const start = frame({
  type: 'message_start',
  message: { usage: { input_tokens: 7, output_tokens: 1, cache_read_input_tokens: 3 } },
})
const block = (index: number, content_block: object) => frame({ type: 'content_block_start', index, content_block })
const delta = (index: number, fields: object) => frame({ type: 'content_block_delta', index, delta: fields })
const text = (words: string) => delta(0, { type: 'text_delta', text: words })
const open = start + block(0, { type: 'text', text: '' })
const end = (reason: string) =>
  frame({ type: 'content_block_stop', index: 0 }) +
  frame({ type: 'message_delta', delta: { stop_reason: reason }, usage: { output_tokens: 5 } }) +
  frame({ type: 'message_stop' })
const streamError = (type: string) => frame({ type: 'error', error: { type, message: `${CANARY} ${LEAK}` } })

type Case = { readonly play: HostileFault['play']; readonly outcome: Outcome; readonly calls: HostileFault['calls'] }
const failed = (status: number, code: string | null = 'server_error'): Outcome => ({ end: 'failed', status, code })
const completed = (words: string): Outcome => ({ end: 'completed', text: words })

const status =
  (code: number, type: string, headers = {}): HostileFault['play'] =>
  (reply) =>
    reply.whole(
      code,
      JSON_TYPE,
      JSON.stringify({ type: 'error', error: { type, message: code >= 500 ? CANARY : `No: ${LEAK}.` } }),
      headers,
    )
const stream =
  (...pieces: readonly (string | Uint8Array)[]): HostileFault['play'] =>
  async (reply) => {
    await reply.open()
    for (const piece of pieces) await reply.chunk(piece)
    await reply.close()
  }

/** A refused call is tried again where waiting may help, as far as the budget goes; an accepted one never is. */
const MAX_CALLS = 3
const CASES: Readonly<Record<string, Case>> = {
  'status-400': { play: status(400, 'invalid_request_error'), outcome: failed(400, null), calls: 'one' },
  'status-401': {
    play: status(401, 'authentication_error'),
    outcome: failed(502, 'upstream_auth_error'),
    calls: 'one',
  },
  'status-413': { play: status(413, 'request_too_large'), outcome: failed(400, null), calls: 'one' },
  'status-429': {
    play: status(429, 'rate_limit_error', { 'retry-after': '3600' }),
    outcome: failed(429, 'rate_limit_exceeded'),
    calls: 'one',
  },
  'status-500': { play: status(500, 'api_error'), outcome: failed(502), calls: 'retried' },
  'status-529': { play: status(529, 'overloaded_error'), outcome: failed(503), calls: 'retried' },
  'html-200': { play: (reply) => reply.whole(200, 'text/html', CANARY), outcome: failed(502), calls: 'one' },
  'empty-200': { play: stream(''), outcome: failed(502), calls: 'one' },
  'not-json': { play: stream(open, 'data: {"type": oops\n\n'), outcome: failed(502), calls: 'one' },
  'not-utf8': {
    play: stream(open, Buffer.from([...Buffer.from('data: {"type":"ping","x":"'), 0xe2, 0x28, 0x22, 0x7d, 10, 10])),
    outcome: failed(502),
    calls: 'one',
  },
  'cut-short': { play: stream(open, text('Hel')), outcome: failed(502), calls: 'one' },
  reset: {
    play: async (reply) => {
      await reply.open()
      await reply.chunk(open + text('Hel'))
      reply.socket.resetAndDestroy()
    },
    outcome: failed(502),
    calls: 'one',
  },
  'never-a-word': { play: (reply) => reply.hang(), outcome: failed(504), calls: 'retried' },
  'silent-after-a-word': {
    play: async (reply) => {
      await reply.open()
      await reply.chunk(open + text('Hel'))
      await reply.hang()
    },
    outcome: failed(504),
    calls: 'one',
  },
  'overloaded-in-the-stream': {
    play: stream(open, text('Hel'), streamError('overloaded_error')),
    outcome: failed(503),
    calls: 'one',
  },
  'unknown-tool': {
    play: stream(start, block(0, { type: 'tool_use', id: 't', name: 'rm', input: {} }), end('tool_use')),
    outcome: failed(502),
    calls: 'one',
  },
  'delta-without-a-block': {
    play: stream(start, delta(7, { type: 'text_delta', text: 'x' }), open, text('ok'), end('end_turn')),
    outcome: completed('ok'),
    calls: 'one',
  },
  'types-of-nonsense': {
    play: stream(
      frame({ type: 'message_start', message: 7 }),
      block(0, { type: 'text', text: 3 }),
      delta(0, { type: 'text_delta', text: { a: 1 } }),
      delta(0, { type: 'citations_delta', citation: 'x' }),
      text('ok'),
      end('end_turn'),
    ),
    outcome: completed('ok'),
    calls: 'one',
  },
  'more-after-the-end': {
    play: stream(open, text('ok'), end('end_turn'), text('again'), streamError('api_error')),
    outcome: completed('ok'),
    calls: 'one',
  },
  'names-of-prototypes': {
    play: stream(open, text('ok'), frame({ type: '__proto__', __proto__: { polluted: 1 } }), end('constructor')),
    outcome: completed('ok'),
    calls: 'one',
  },
}

describe('an Anthropic upstream that misbehaves', () => {
  let upstream: HostileUpstream
  let server: TestServer
  before(async () => {
    upstream = await startHostileUpstream({ play: (model) => CASES[model.split('~', 1)[0] ?? '']?.play ?? null })
    server = await startServer({
      upstream: asChatUpstream(upstream.port),
      clock: scaledClock(FACTOR),
      providers: [`claude: { type: anthropic, api_base: "${upstream.url}", api_key: ${KEY} }`],
      config: 'limits: { upstream_first_byte: 40s, upstream_idle: 40s }',
    })
  })
  after(async () => {
    await upstream.close()
    await server.close()
  })

  for (const [name, { outcome, calls, ...rest }] of Object.entries(CASES)) {
    const said = outcome.end === 'failed' ? `${outcome.status} ${outcome.code}` : outcome.text
    test(`${name}: ${said}, ${calls === 'one' ? 'one call' : 'tried again'}, streamed and not`, async () => {
      assert.ok(rest.play)
      for (const streamed of [true, false]) {
        const model = `${name}~${streamed}`
        const tools = [{ type: 'function', name: 'weather', parameters: { type: 'object', properties: {} } }]
        const body = { model: `claude/${model}`, input: 'Say something.', tools, stream: streamed }
        const reply = await send(server, 'POST', '/v1/responses', body)
        if (streamed) checkStream(reply, outcome)
        else checkJson(reply, outcome)
        checkNothingLeaked(reply, upstream.port)
        const made = upstream.callsOf(model)
        assert.ok(calls === 'one' ? made === 1 : made >= 1 && made <= MAX_CALLS, `${made} calls`)
        await waitUntil(() => readLedger(server, model).outcomes.length >= made, 20_000)
        const last = outcome.end === 'failed' ? 'failed' : 'completed'
        assert.equal(readLedger(server, model).outcomes.at(-1), last)
      }
    })
  }
})

function checkJson(reply: Reply, outcome: Outcome): void {
  if (outcome.end !== 'failed') {
    checkAnswer(reply.json, outcome)
    return
  }
  assert.equal(reply.status, outcome.status, reply.text.slice(0, 300))
  assert.equal((reply.json.error as { code: string }).code, outcome.code)
}

function checkStream(reply: Reply, outcome: Outcome): void {
  const frames = framesOf(reply.text)
  assert.equal(frames.at(-1)?.data, '[DONE]')
  const terminals = frames.filter(({ event }) => /^response\.(completed|failed|incomplete)$/.test(event ?? ''))
  assert.deepEqual(
    terminals.map(({ event }) => event),
    [`response.${outcome.end}`],
  )
  checkAnswer(JSON.parse(terminals[0]?.data ?? '').response, outcome)
}

function checkAnswer(response: Record<string, unknown>, outcome: Outcome): void {
  assert.equal(response.status, outcome.end)
  if (outcome.end !== 'failed') assert.equal(response.output_text, outcome.text)
}

function checkNothingLeaked(reply: Reply, port: number): void {
  const told = `${JSON.stringify(reply.headers)}${reply.text}`
  for (const secret of [CANARY, 'sk-live', '10.0.0.7', KEY, `127.0.0.1:${port}`]) {
    assert.ok(!told.includes(secret), `the reply holds ${secret}`)
  }
}
