/** What an Anthropic API can do wrong in its own words, each with what a user of the server must see. */
import { frame } from '../fakes/anthropic-frames.ts'
import {
  CANARY,
  completed,
  type Faults,
  type FaultWire,
  failed,
  fault,
  garbage,
  LEAK,
  stream,
} from './hostile-fault.ts'
import { JSON_TYPE } from './hostile-wire.ts'
import { wireFaults } from './wire-faults.ts'

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

const stop = (reason: unknown, usage: unknown = { output_tokens: 5 }) =>
  frame({ type: 'message_delta', delta: { stop_reason: reason }, usage })
const tool = (index: number, fields: object, ...pieces: readonly string[]) =>
  block(index, { type: 'tool_use', id: `toolu_${index}`, name: 'weather', input: {}, ...fields }) +
  pieces.map((partial_json) => delta(index, { type: 'input_json_delta', partial_json })).join('') +
  frame({ type: 'content_block_stop', index })
const calls = (...given: readonly string[]) =>
  stream(start, ...given, stop('tool_use'), frame({ type: 'message_stop' }))

const WIRE: FaultWire = {
  start: open,
  text,
  end: end('end_turn'),
  reason: stop('end_turn'),
  error: (_, message) => JSON.stringify({ type: 'error', error: { type: 'some_error', message } }),
}
/** A text, then an error event. */
const broken = (type: string) => stream(open, text('Hel'), streamError(type))

const OWN: Faults = {
  'error-first': fault(stream(streamError('overloaded_error')), failed(503), 'retried'),
  'error-overloaded': fault(broken('overloaded_error'), failed(503)),
  'error-api': fault(broken('api_error'), garbage),
  'error-rate': fault(broken('rate_limit_error'), failed(429, 'rate_limit_exceeded')),
  'error-unknown': fault(broken('some_new_error'), garbage),
  'error-empty': fault(stream(open, text('a'), frame({ type: 'error' })), garbage),
  'json-for-a-stream': fault(
    (reply) =>
      reply.whole(
        200,
        JSON_TYPE,
        JSON.stringify({
          type: 'message',
          role: 'assistant',
          content: [{ type: 'text', text: 'whole' }],
          stop_reason: 'end_turn',
          usage: { input_tokens: 3, output_tokens: 5 },
        }),
      ),
    completed('whole'),
  ),
  'pings-then-nothing': fault(stream(frame({ type: 'ping' }), start, frame({ type: 'ping' })), garbage),
  'end-without-a-reason': fault(stream(open, text('a'), frame({ type: 'message_stop' })), garbage),
  'reason-length': fault(stream(open, text('cut'), end('max_tokens')), { end: 'incomplete', text: 'cut' }),
  'reason-refusal': fault(stream(open, text('cut'), end('refusal')), { end: 'incomplete', text: 'cut' }),
  'reason-unknown': fault(stream(open, text('odd'), end('because')), completed('odd')),
  'call-unknown-tool': fault(calls(tool(0, { name: 'rm_rf' }, '{}')), garbage),
  'call-nameless': fault(calls(tool(0, { name: null }, '{}')), garbage),
  'call-arguments-broken': fault(calls(tool(0, {}, '{"city": ', '"Par')), completed()),
  'calls-without-number': fault(calls(...Array.from({ length: 400 }, (_, index) => tool(index, {}, '{}'))), garbage),
  'delta-without-a-block': fault(
    stream(start, delta(7, { type: 'text_delta', text: 'x' }), open, text('ok'), end('end_turn')),
    completed('ok'),
  ),
  'wrong-types': fault(
    stream(
      frame({ type: 'message_start', message: 7 }),
      block(0, { type: 'text', text: 3 }),
      delta(0, { type: 'text_delta', text: { a: 1 } }),
      delta(0, { type: 'citations_delta', citation: 'x' }),
      text('ok'),
      end('end_turn'),
    ),
    completed('ok'),
  ),
  'usage-absurd': fault(
    stream(
      frame({ type: 'message_start', message: { usage: { input_tokens: 1e300, cache_read_input_tokens: 'x' } } }),
      block(0, { type: 'text', text: '' }),
      text('a'),
      stop('end_turn', { output_tokens: -4 }),
      frame({ type: 'message_stop' }),
    ),
    completed('a'),
  ),
  'usage-missing': fault(
    stream(
      block(0, { type: 'text', text: '' }),
      text('free'),
      stop('end_turn', undefined),
      frame({ type: 'message_stop' }),
    ),
    completed('free'),
  ),
  'names-of-prototypes': fault(
    stream(open, text('ok'), frame(JSON.parse('{"type":"__proto__","__proto__":{"polluted":1}}')), end('constructor')),
    completed('ok'),
  ),
}

export const ANTHROPIC_FAULTS: Faults = { ...wireFaults(WIRE), ...OWN }
