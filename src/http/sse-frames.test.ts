import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { createCountingIds } from '../lib/ids.ts'
import type { Logprob } from '../protocol/content.ts'
import type { ResponseEvent } from '../protocol/events.ts'
import { createFramer, createPaddedFramer, frame } from './sse-frames.ts'

const logprob: Logprob = { token: 'a', logprob: -0.5, bytes: [97], top_logprobs: [] }
const place = fc.record({
  item_id: fc.constantFrom('msg_1', 'msg_2', 'a "quoted" \\ ü'),
  output_index: fc.nat(1),
  sequence_number: fc.nat(),
  delta: fc.string({ unit: 'binary' }),
})

/** Events as the composer makes them: the order of their fields is part of the wire. */
type Delta = Extract<ResponseEvent, { delta: string; item_id: string }>
const events: fc.Arbitrary<Delta> = fc
  .record({ place, index: fc.nat(2), kind: fc.nat(3), logprobs: fc.constantFrom<Logprob[]>([], [logprob]) })
  .map(({ place: { sequence_number, item_id, output_index, delta }, index, kind, logprobs }): Delta => {
    const at = { sequence_number, item_id, output_index }
    if (kind === 0) return { type: 'response.output_text.delta', ...at, content_index: index, delta, logprobs }
    if (kind === 1) return { type: 'response.refusal.delta', ...at, content_index: index, delta }
    if (kind === 2) return { type: 'response.reasoning_summary_text.delta', ...at, summary_index: index, delta }
    return { type: 'response.function_call_arguments.delta', ...at, delta }
  })

const dataOf = (text: string) => JSON.parse(text.slice(text.indexOf('data: ') + 6))

test('whatever the deltas before it, a frame is the event as JSON on one line', () => {
  fc.assert(
    fc.property(fc.array(events, { maxLength: 12 }), (stream) => {
      const framer = createFramer()
      for (const event of stream) assert.equal(framer(event), frame(event))
    }),
  )
})

test('padding is one more field, and with it what a delta brings is a multiple of 32 bytes', () => {
  fc.assert(
    fc.property(fc.array(events, { maxLength: 12 }), (stream) => {
      const framer = createPaddedFramer(createCountingIds())
      for (const event of stream) {
        const { obfuscation, ...rest } = dataOf(framer(event))
        assert.deepEqual(rest, dataOf(frame(event)))
        assert.match(obfuscation, /^[0-9a-f]{1,32}$/)
        const bare = { ...event, delta: '', ...('logprobs' in event && { logprobs: [] }) }
        const content = Buffer.byteLength(frame(event)) - Buffer.byteLength(frame(bare))
        assert.equal((content + obfuscation.length) % 32, 0)
      }
    }),
  )
})
