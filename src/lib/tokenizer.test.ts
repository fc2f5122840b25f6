import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { countTokens, loadTokenizer } from './tokenizer.ts'

test('counts what the vocabulary says', async () => {
  for (const [text, tokens] of [
    ['', 0],
    ['Hello, world!', 4],
    ['<|endoftext|>', 7],
    ['日本語', 2],
  ] as const) {
    assert.equal(await countTokens(text), tokens, text)
  }
})

test('encoding and decoding gives the same text back', async () => {
  const { encode, decode } = await loadTokenizer()
  const text = 'Ünïcode · 日本語 · 👨‍👩‍👧 · «quotes» · <|im_end|> · tab\tnul\u0000'
  assert.equal(decode(encode(text)), text)
})

test('pieces join to the text, never split a character, and add up to the count', async () => {
  const { pieces, count } = await loadTokenizer()
  const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), fc.lorem())
  fc.assert(
    fc.property(text, (value) => {
      const cut = pieces(value)
      assert.equal(cut.map((piece) => piece.text).join(''), value)
      assert.equal(
        cut.reduce((sum, piece) => sum + piece.tokens, 0),
        count(value),
      )
      for (const piece of cut) assert.ok(!/^[\uDC00-\uDFFF]/.test(piece.text), 'starts inside a character')
    }),
    { numRuns: 300 },
  )
})

test('a byte order mark and a lone surrogate keep their place', async () => {
  const { pieces } = await loadTokenizer()
  for (const text of ['\uFEFFhello there', 'a\uD800b', '\uFEFF']) {
    assert.equal(
      pieces(text)
        .map((piece) => piece.text)
        .join(''),
      text,
    )
  }
})

test('long runs of one letter, of symbols and of spaces are counted in linear time', async () => {
  const { count, encode, decode } = await loadTokenizer()
  const started = performance.now()
  for (const unit of ['a', ' ', '=', 'ab', '𝒳', '日']) {
    const text = unit.repeat(20_000)
    assert.ok(count(text) > 0)
    assert.equal(decode(encode(text)), text)
  }
  count('x'.repeat(1_000_000))
  // The library's own way takes minutes for these; the bound leaves room for a busy machine.
  assert.ok(performance.now() - started < 60_000, 'took longer than a minute')
})

test('a single word of megabytes is counted, and cut, like any other text', async () => {
  const { count, pieces } = await loadTokenizer()
  for (const unit of ['a', ' ', '[', '日']) {
    const text = unit.repeat(6_000_000)
    assert.ok(count(text) > 0, `of ${JSON.stringify(unit)}`)
  }
  const text = 'a'.repeat(6_000_000)
  assert.equal(
    pieces(text).reduce((sum, piece) => sum + piece.text.length, 0),
    text.length,
  )
})
