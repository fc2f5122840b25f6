/** What a Gemini API can do wrong in its own words, each with what a user of the server must see. */
import { CANARY, completed, type Faults, type FaultWire, failed, fault, garbage, stream } from './hostile-fault.ts'
import { stallsAfterReason } from './hostile-stream-faults.ts'
import { event, JSON_TYPE } from './hostile-wire.ts'
import { wireFaults } from './wire-faults.ts'

const chunk = (candidate: object, more: object = {}) =>
  event(JSON.stringify({ candidates: [{ index: 0, ...candidate }], ...more }))
const parts = (...given: readonly unknown[]) => ({ content: { role: 'model', parts: given } })
const said = (text: string) => chunk(parts({ text }))
const stop = (finishReason: string, more: object = {}) => chunk({ finishReason }, more)
const USAGE = { usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 5, totalTokenCount: 8 } }
const END = stop('STOP', USAGE)
const error = (code: number, status: string) => ({ error: { code, message: CANARY, status } })
const calls = (...given: readonly unknown[]) => chunk(parts(...given.map((functionCall) => ({ functionCall }))))

const WIRE: FaultWire = {
  start: '',
  text: said,
  end: END,
  reason: END,
  error: (code, message) => JSON.stringify({ error: { code, message, status: 'SOME_STATUS' } }),
}

const OWN: Faults = {
  // Nothing marks the end but the end of the stream: until then more may come, and what comes counts.
  'never-closed': stallsAfterReason(WIRE),
  'after-the-end': fault(stream(said('told') + END, event('{"broken')), garbage),
  'noise-after-the-end': fault(
    stream(Buffer.from([...Buffer.from(said('told') + END), ...Buffer.from('data:'), 0xff, 0x0a, 0x0a])),
    garbage,
  ),
  // The code in the body says what a status would.
  'error-in-json-200': fault((reply) => reply.whole(200, JSON_TYPE, WIRE.error(500, CANARY)), garbage, 'retried'),
  'json-in-a-list': fault(
    (reply) =>
      reply.whole(
        200,
        JSON_TYPE,
        JSON.stringify([
          { candidates: [parts({ text: 'whole' })] },
          { candidates: [{ finishReason: 'STOP' }], ...USAGE },
        ]),
      ),
    completed('whole'),
  ),
  'error-first': fault(stream(event(JSON.stringify(error(503, 'UNAVAILABLE')))), failed(503), 'retried'),
  'error-in-a-list': fault(stream(said('a'), event(JSON.stringify([error(500, 'INTERNAL')]))), garbage),
  'error-codeless': fault(stream(said('a'), event('{"error":{}}')), garbage),
  'reason-unknown': fault(stream(said('odd'), stop('BECAUSE', USAGE)), completed('odd')),
  'reason-length': fault(stream(said('cut'), stop('MAX_TOKENS')), { end: 'incomplete', text: 'cut' }),
  'reason-safety': fault(stream(said('cut'), stop('SAFETY')), { end: 'incomplete', text: 'cut' }),
  'reason-malformed-call': fault(stream(stop('MALFORMED_FUNCTION_CALL')), garbage),
  'reason-other': fault(stream(said('a'), stop('OTHER')), garbage),
  'prompt-blocked': fault(stream(event('{"promptFeedback":{"blockReason":"SAFETY"}}')), { end: 'incomplete' }),
  'no-candidates': fault(stream(event('{"candidates":[]}'), event('{"candidates":null}')), garbage),
  'call-unknown-tool': fault(stream(calls({ name: 'rm_rf', args: {} }) + END), garbage),
  'call-nameless': fault(stream(calls({ args: {} }) + END), garbage),
  'call-unfinished': fault(stream(calls({ name: 'weather', willContinue: true }) + END), garbage),
  'calls-without-number': fault(
    stream(calls(...Array.from({ length: 400 }, () => ({ name: 'weather', args: {} }))) + END),
    garbage,
  ),
  'usage-absurd': fault(
    stream(said('a'), stop('STOP', { usageMetadata: { promptTokenCount: 1e300, totalTokenCount: -4 } })),
    completed('a'),
  ),
  'wrong-types': fault(
    stream(chunk({ content: { parts: { text: 1 } } }), chunk(parts(7, null, { text: 9 })), said('right') + END),
    completed('right'),
  ),
  'grounding-broken': fault(
    stream(
      said('a'),
      stop('STOP', {}),
      chunk({
        groundingMetadata: {
          groundingChunks: [{ web: { uri: 'u' } }, 7],
          groundingSupports: [
            { segment: { startIndex: 9e15, endIndex: -1 }, groundingChunkIndices: [0, 1, 99, 'x'] },
            3,
          ],
        },
      }),
    ),
    completed('a'),
  ),
  'proto-keys': fault(
    stream(calls({ name: 'weather', args: JSON.parse('{"__proto__":{"polluted":true}}') }) + END),
    completed(),
  ),
}

export const GEMINI_FAULTS: Faults = { ...wireFaults(WIRE), ...OWN }
