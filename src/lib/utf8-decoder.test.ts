import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createUtf8Decoder } from './utf8-decoder.ts'

/** What the decoder makes of pieces; null when it refuses them. */
function decode(pieces: readonly Uint8Array[]): string | null {
  const decoder = createUtf8Decoder()
  try {
    const text = pieces.map((piece) => decoder.decode(piece)).join('')
    decoder.end()
    return text
  } catch (error) {
    assert.ok(error instanceof TypeError)
    return null
  }
}

function decodeByPlatform(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return ends.map((end, i) => bytes.slice(ends[i - 1] ?? 0, end))
}

const places = fc.array(fc.nat(), { maxLength: 8 })

test('text comes out whole wherever its bytes are cut', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), places, (text, at) => {
      const bytes = new TextEncoder().encode(text)
      assert.equal(decode(cut(bytes, at)), decodeByPlatform(bytes))
    }),
  )
})

test('bytes are refused exactly where the platform refuses them', () => {
  const byte = fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x80),
  )
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 12 }), places, (list, at) => {
      const bytes = Uint8Array.from(list)
      assert.equal(decode(cut(bytes, at)), decodeByPlatform(bytes))
    }),
    { numRuns: 2_000 },
  )
})

test('a byte order mark at the start is no text, also in pieces; later it is', () => {
  const bytes = new TextEncoder().encode('\ufeffa\ufeffb')
  assert.equal(decode([bytes]), 'a\ufeffb')
  assert.equal(decode([...bytes].map((byte) => Uint8Array.of(byte))), 'a\ufeffb')
})
