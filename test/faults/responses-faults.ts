/** What a Responses API can do wrong in its own words, each with what a user of the server must see. */
import {
  CANARY,
  completed,
  errorBody,
  type Faults,
  type FaultWire,
  failed,
  fault,
  garbage,
  LEAK,
  stream,
} from './hostile-fault.ts'
import { event, JSON_TYPE } from './hostile-wire.ts'
import { wireFaults } from './wire-faults.ts'

const USAGE = { input_tokens: 3, output_tokens: 5, total_tokens: 8 }
const say = (value: unknown) => event(JSON.stringify(value))
const delta = (text: unknown, more: object = {}) =>
  say({ type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: text, ...more })
const terminal = (status: string, more: object = {}) =>
  say({ type: `response.${status}`, response: { object: 'response', status, output: [], usage: USAGE, ...more } })
const END = terminal('completed')
const WIRE: FaultWire = { start: '', text: delta, end: END, reason: null, error: (_, message) => errorBody(message) }
const good = (...pieces: readonly string[]) => stream(...pieces, END)
const added = (item: unknown) => say({ type: 'response.output_item.added', output_index: 0, item })

const OWN: Faults = {
  'fin-inside-the-end': fault(async (reply) => {
    await reply.open()
    await reply.chunk(delta('whole') + END.slice(0, -20))
    reply.socket.end()
  }, garbage),
  'failed-after-the-end': fault(stream(delta('once'), END, terminal('failed'), END), completed('once')),
  'arguments-broken': fault(
    good(added({ type: 'function_call', id: 'fc_1', call_id: 'c', name: 'weather', arguments: '{"city": "Par' })),
    completed(),
  ),
  'done-without-an-end': fault(stream(delta('a'), event('[DONE]')), garbage),
  'json-200': fault(
    (reply) =>
      reply.whole(
        200,
        JSON_TYPE,
        JSON.stringify({ object: 'response', status: 'completed', output: [], usage: USAGE }),
      ),
    completed(),
  ),
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
  'usage-of-nonsense': fault(
    stream(
      delta('counted'),
      terminal('completed', { usage: { input_tokens: 'many', output_tokens: -5, total_tokens: 1e300 } }),
    ),
    completed('counted'),
  ),
  'usage-beyond-numbers': fault(
    stream(
      delta('a'),
      terminal('completed', { usage: { input_tokens: 1e18, output_tokens: 2.5, input_tokens_details: 7 } }),
    ),
    completed('a'),
  ),
  'unknown-tool': fault(good(added({ type: 'function_call', call_id: 'c', name: 'rm_rf', arguments: '{}' })), garbage),
  'calls-without-number': fault(
    good(
      ...Array.from({ length: 400 }, (_, index) =>
        say({
          type: 'response.output_item.done',
          output_index: index,
          item: { type: 'function_call', call_id: `c_${index}`, name: 'weather', arguments: '{}' },
        }),
      ),
    ),
    garbage,
  ),
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

export const RESPONSES_FAULTS: Faults = { ...wireFaults(WIRE), ...OWN }
