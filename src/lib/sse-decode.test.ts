import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSseDecoder, SseError } from './sse-decode.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

function collect(limits?: Parameters<typeof createSseDecoder>[1]) {
  const events: string[] = []
  const decoder = createSseDecoder((data, event) => events.push(event ? `${event}:${data}` : data), limits)
  return { events, decoder }
}

describe('SSE decoder', () => {
  it('gives the same events however the bytes are cut, also inside a character', () => {
    const wire = bytes(': hi\r\n\r\ndata: {"a":"héllo 🎉"}\n\nevent: error\ndata: one\ndata: two\n\n')
    for (let size = 1; size < wire.length; size++) {
      const { events, decoder } = collect()
      for (let at = 0; at < wire.length; at += size) decoder.feed(wire.subarray(at, at + size))
      decoder.end()
      assert.deepEqual(events, ['{"a":"héllo 🎉"}', 'error:one\ntwo'])
    }
  })

  it('takes a last event that has no blank line after it', () => {
    const { events, decoder } = collect()
    decoder.feed(bytes('data: a\n\ndata: [DONE]'))
    decoder.end()
    assert.deepEqual(events, ['a', '[DONE]'])
  })

  it('refuses bytes that are not UTF-8, and a character that never ends', () => {
    assert.throws(() => collect().decoder.feed(Uint8Array.of(0x64, 0xff, 0xfe)), SseError)
    const { decoder } = collect()
    decoder.feed(Uint8Array.of(0xf0, 0x9f))
    assert.throws(() => decoder.end(), SseError)
  })

  it('gives the events before bytes that are not UTF-8, also where all came in one read', () => {
    const { events, decoder } = collect()
    const wire = Uint8Array.from([...bytes('data: é\n\ndata: b\n\ndata:'), 0xff, 0x0a, 0x0a])
    assert.throws(() => decoder.feed(wire), SseError)
    assert.deepEqual(events, ['é', 'b'])
  })

  it('stops at its limits: a line in one read, a line in many, the whole stream, the number of events', () => {
    const limits = { lineChars: 100, streamBytes: 1000, events: 3 }
    const long = `data: ${'x'.repeat(101)}`
    assert.throws(() => collect(limits).decoder.feed(bytes(`${long}\n\n`)), /longer than 100 characters/)
    const slow = collect(limits).decoder
    assert.throws(() => {
      for (const char of long) slow.feed(bytes(char))
    }, /longer than 100 characters/)
    const noisy = collect(limits).decoder
    assert.throws(() => {
      for (let i = 0; i < 200; i++) noisy.feed(bytes(': ping\n\n'))
    }, /longer than 1000 bytes/)
    assert.throws(() => collect(limits).decoder.feed(bytes('data: 1\n\n'.repeat(4))), /more than 3 events/)
  })
})
