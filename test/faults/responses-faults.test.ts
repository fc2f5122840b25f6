/** Whatever an upstream of the Responses kind does, its caller gets the stated end, and nothing is left behind. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { waitUntil } from '../fakes/chat-upstream.ts'
import { framesOf, send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'
import {
  CANARY,
  completed,
  errorBody,
  failed,
  fault,
  garbage,
  type HostileFault,
  LEAK,
  stream,
} from './hostile-fault.ts'
import { STATUSES } from './hostile-reply-faults.ts'
import { type HostileUpstream, startHostileUpstream } from './hostile-upstream.ts'
import { event, JSON_TYPE, SSE } from './hostile-wire.ts'
import { scaledClock } from './scaled-clock.ts'

const USAGE = { input_tokens: 3, output_tokens: 5, total_tokens: 8 }
const say = (value: unknown) => event(JSON.stringify(value))
const delta = (text: unknown, more: object = {}) =>
  say({ type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: text, ...more })
const terminal = (status: string, more: object = {}) =>
  say({ type: `response.${status}`, response: { object: 'response', status, output: [], usage: USAGE, ...more } })
const END = terminal('completed')
const good = (...pieces: readonly string[]) => stream(...pieces, END)
const added = (item: unknown) => say({ type: 'response.output_item.added', output_index: 0, item })

const FAULTS: Readonly<Record<string, HostileFault>> = {
  ...STATUSES,
  'fin-midway': fault(async (reply) => {
    await reply.head(200, { 'content-type': SSE, connection: 'close' })
    await reply.raw(delta('half a sen'))
    reply.socket.end()
  }, garbage),
  'rst-midway': fault(async (reply) => {
    await reply.open()
    await reply.chunk(delta('half a sen'))
    reply.socket.resetAndDestroy()
  }, garbage),
  'fin-inside-the-end': fault(async (reply) => {
    await reply.open()
    await reply.chunk(delta('whole') + END.slice(0, -20))
    reply.socket.end()
  }, garbage),
  'done-without-an-end': fault(stream(delta('a'), event('[DONE]')), garbage),
  stall: fault(
    async (reply) => {
      await reply.open()
      await reply.chunk(delta('a '))
      await reply.hang()
    },
    failed(504),
    'one',
    'idle',
  ),
  'html-200': fault((reply) => reply.whole(200, 'text/html', `<html>${CANARY}</html>`), garbage),
  'json-200': fault(
    (reply) =>
      reply.whole(
        200,
        JSON_TYPE,
        JSON.stringify({ object: 'response', status: 'completed', output: [], usage: USAGE }),
      ),
    completed(),
  ),
  'error-in-json-200': fault((reply) => reply.whole(200, JSON_TYPE, errorBody(CANARY)), garbage),
  'no-json': fault(good(delta('a'), event('{"type":')), garbage),
  'a-list': fault(good(event('[1]')), garbage),
  'error-event': fault(stream(delta('a'), say({ type: 'error', code: 'server_error', message: CANARY })), garbage),
  'error-event-nested': fault(
    stream(say({ type: 'error', error: { type: 'invalid_request_error', message: `No: ${LEAK}.` } })),
    failed(400, null),
  ),
  'failed-event': fault(
    stream(delta('a'), terminal('failed', { error: { code: 'server_error', message: CANARY } })),
    garbage,
  ),
  'failed-by-rate': fault(
    stream(delta('a'), terminal('failed', { error: { code: 'rate_limit_exceeded', message: LEAK } })),
    failed(429, 'rate_limit_exceeded'),
  ),
  'failed-without-a-word': fault(stream(terminal('failed')), garbage),
  cancelled: fault(stream(delta('a'), terminal('cancelled')), garbage),
  'cut-short': fault(
    stream(delta('one two'), terminal('incomplete', { incomplete_details: { reason: 'max_output_tokens' } })),
    { end: 'incomplete', text: 'one two' },
  ),
  'end-twice': fault(stream(delta('once'), END, terminal('failed'), END), completed('once')),
  'late-text': fault(stream(delta('in time'), END, delta(' late')), completed('in time')),
  'values-of-wrong-types': fault(
    good(
      delta(7),
      delta(null, { output_index: 'x', content_index: {}, logprobs: 3 }),
      added(7),
      added({ type: 7, id: [], content: 'x' }),
      added({ type: 'message', id: null, content: 3, phase: {} }),
      say({
        type: 'response.output_item.done',
        output_index: 0,
        item: { type: 'message', content: [7, { text: 'sane' }] },
      }),
      say({ type: 'response.output_text.annotation.added', output_index: 0, annotation: { type: 'url_citation' } }),
      say({ type: ['response.completed'] }),
    ),
    completed('sane'),
  ),
  // Without a usage the tokens are counted, which is another call.
  'usage-of-nonsense': fault(
    stream(
      delta('counted'),
      terminal('completed', { usage: { input_tokens: 'many', output_tokens: -5, total_tokens: 1e300 } }),
    ),
    completed('counted'),
    'retried',
  ),
  'usage-beyond-numbers': fault(
    stream(
      delta('a'),
      terminal('completed', { usage: { input_tokens: 1e18, output_tokens: 2.5, input_tokens_details: 7 } }),
    ),
    completed('a'),
  ),
  'unknown-tool': fault(good(added({ type: 'function_call', call_id: 'c', name: 'rm_rf', arguments: '{}' })), garbage),
  'nameless-call': fault(good(added({ type: 'function_call', call_id: 'c', arguments: '{}' })), garbage),
  'hosted-unasked': fault(
    good(added({ type: 'web_search_call', status: 'completed' }), delta('an answer', { output_index: 1 })),
    completed('an answer'),
  ),
  polluting: fault(
    good(
      say(JSON.parse('{"__proto__":{"polluted":1},"type":"response.x","constructor":{"prototype":{"polluted":1}}}')),
      delta('clean'),
    ),
    completed('clean'),
  ),
  'nul-and-lone-surrogates': fault(
    good(event('{"type":"response.output_text.delta","output_index":0,"delta":"a\\u0000\\ud800b"}')),
    completed('a\uFFFD\uFFFDb'),
  ),
  'deep-nesting': fault(
    good(event(`{"type":"response.x","a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`), delta('ok')),
    completed('ok'),
  ),
}

const FACTOR = 20
let upstream: HostileUpstream
let server: TestServer
before(async () => {
  upstream = await startHostileUpstream({ play: (model) => FAULTS[model.split('~', 1)[0] ?? '']?.play ?? null })
  server = await startServer({
    clock: scaledClock(FACTOR),
    config: 'limits: { upstream_first_byte: 60s, upstream_idle: 30s }\nrouter: { request_timeout: 200s }',
    providers: [`hostile: { api_base: "${upstream.url}", api_key: hostile-secret-key, wire_api: responses }`],
  })
})
after(async () => {
  await upstream.close()
  await server.close()
})

const TOOL = { type: 'function', name: 'weather', parameters: { type: 'object', properties: {} } }

for (const [name, { outcome, calls }] of Object.entries(FAULTS)) {
  test(`an upstream that does '${name}' has its stated end, streamed or not`, async () => {
    for (const streamed of [true, false]) {
      const model = `${name}~${streamed}`
      const body = { model: `hostile/${model}`, input: 'Say something.', tools: [TOOL], stream: streamed }
      const reply = await send(server, 'POST', '/v1/responses', body)
      const told = `${JSON.stringify(reply.headers)}${reply.text}`
      for (const secret of [CANARY, 'sk-live', '10.0.0.7', 'hostile-secret-key', `127.0.0.1:${upstream.port}`]) {
        assert.ok(!told.includes(secret), `the reply holds ${secret}`)
      }
      const frames = streamed ? framesOf(reply.text) : []
      const response = streamed ? JSON.parse(frames.at(-2)?.data ?? '{}').response : reply.json
      if (outcome.end === 'failed' && !streamed) {
        assert.equal(reply.status, outcome.status, reply.text)
        assert.equal((reply.json.error as { code: string | null }).code, outcome.code)
      } else {
        assert.equal(reply.status, 200, reply.text)
        assert.equal(response.status, outcome.end, reply.text)
        if ('text' in outcome) assert.equal(response.output_text, outcome.text)
      }
      const made = upstream.callsOf(model)
      assert.ok(calls === 'one' ? made === 1 : made >= 1 && made <= 3, `${made} upstream calls`)
    }
  })
}

test('after all of that no call is open and no prototype has changed', async () => {
  await waitUntil(() => upstream.busySockets() === 0, 20_000)
  assert.equal(Reflect.get({}, 'polluted'), undefined)
})
