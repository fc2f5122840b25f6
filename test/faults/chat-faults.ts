/**
 * What a Chat Completions API can do wrong, as scripts, each with what a user of the server must see. `docs/faults.md`
 * says the same in words.
 */
import { CANARY, completed, errorBody, type Faults, type FaultWire, fault, garbage, stream } from './hostile-fault.ts'
import { floods } from './hostile-stream-faults.ts'
import { call, completionChunk, DONE, END, event, finish, JSON_TYPE, SOME_USAGE, text, usage } from './hostile-wire.ts'
import { wireFaults } from './wire-faults.ts'

const WIRE: FaultWire = { start: '', text, end: END, reason: finish('stop'), error: (_, message) => errorBody(message) }
const good = (...pieces: readonly string[]) => stream(...pieces, END)

const OWN: Faults = {
  'json-for-a-stream': fault(
    (reply) =>
      reply.whole(
        200,
        JSON_TYPE,
        JSON.stringify({
          choices: [{ index: 0, message: { role: 'assistant', content: 'whole' }, finish_reason: 'stop' }],
          usage: SOME_USAGE,
        }),
      ),
    completed('whole'),
  ),
  'done-only': fault(stream(DONE), garbage),
  'no-choices': fault(stream(event('{"choices":null}') + event('{"choices":[]}') + DONE), garbage),
  'error-first': fault(stream(event(errorBody(CANARY)), DONE), garbage),
  'error-after-chunk': fault(stream(text('a'), event(errorBody(CANARY)), DONE), garbage),
  'error-event': fault(stream(text('a'), `event: error\n${event(`{"message":"${CANARY}"}`)}`), garbage),
  'reason-error': fault(stream(text('a') + finish('error') + DONE), garbage),
  'reason-unknown': fault(stream(text('odd') + finish('because') + DONE), completed('odd')),
  'reason-length': fault(stream(text('cut') + finish('length') + DONE), { end: 'incomplete', text: 'cut' }),
  'usage-missing': fault(stream(text('free') + finish('stop') + DONE), completed('free')),
  'usage-negative': fault(
    stream(text('a') + finish('stop') + usage({ prompt_tokens: -5, completion_tokens: -1, total_tokens: -6 }) + DONE),
    completed('a'),
  ),
  'usage-absurd': fault(
    stream(
      text('a') + finish('stop') + usage({ prompt_tokens: 1e300, completion_tokens: '7', total_tokens: 1.5 }) + DONE,
    ),
    completed('a'),
  ),
  'call-index-twice': fault(
    stream(call(0, 'call_a', 'weather', '{}') + call(0, 'call_b', 'weather', '{"a":1}') + finish('tool_calls') + DONE),
    completed(),
  ),
  'call-index-backwards': fault(
    stream(call(3, 'call_a', 'weather', '{}') + call(1, 'call_b', 'weather', '{}') + finish('tool_calls') + DONE),
    completed(),
  ),
  'call-unknown-tool': fault(stream(call(0, 'call_a', 'rm_rf', '{}') + finish('tool_calls') + DONE), garbage),
  'call-nameless': fault(stream(call(0, 'call_a', undefined, '{}') + finish('tool_calls') + DONE), garbage),
  'call-arguments-broken': fault(
    stream(call(0, 'call_a', 'weather', '{"city": "Par') + finish('tool_calls') + DONE),
    completed(),
  ),
  'calls-without-number': fault(
    stream(
      Array.from({ length: 400 }, (_, index) => call(index, `call_${index}`, 'weather', '{}')).join('') +
        finish('tool_calls') +
        DONE,
    ),
    garbage,
  ),
  'proto-keys': fault(
    good(event(completionChunk({ content: 'clean', ['__proto__']: { polluted: true }, constructor: 1 }))),
    completed('clean'),
  ),
  'wrong-types': fault(
    good(event('{"choices":[{"delta":{"content":{"a":1},"tool_calls":7,"reasoning_content":[]}}]}') + text('right')),
    completed('right'),
  ),
}

export const CHAT_FAULTS: Faults = { ...wireFaults(WIRE), ...floods(WIRE), ...OWN }
