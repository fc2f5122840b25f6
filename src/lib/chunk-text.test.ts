import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { chunkText } from './chunk-text.ts'
import { loadTokenizer } from './tokenizer.ts'

const { pieces } = await loadTokenizer()
const prose = fc
  .array(
    fc.oneof(fc.lorem(), fc.constantFrom('\n\n', '. ', 'naïve 日本語テキスト ', '👨‍👩‍👧', '    ', 'x'.repeat(300))),
    {
      maxLength: 40,
    },
  )
  .map((parts) => parts.join(' '))
const sizes = fc
  .integer({ min: 4, max: 120 })
  .chain((maxTokens) =>
    fc.record({ maxTokens: fc.constant(maxTokens), overlapTokens: fc.nat(Math.floor(maxTokens / 2)) }),
  )

test('chunks cover the text in order without a gap, hold to their size, and cut no character', () => {
  fc.assert(
    fc.property(prose, sizes, (text, { maxTokens, overlapTokens }) => {
      const cut = pieces(text)
      const chunks = chunkText(cut, { maxTokens, overlapTokens })
      const tokensIn = ({ start, end }: { start: number; end: number }) => {
        let at = 0
        let tokens = 0
        for (const piece of cut) {
          if (at >= start && at + piece.text.length <= end) tokens += piece.tokens
          at += piece.text.length
        }
        return tokens
      }
      let covered = 0
      let before = -1
      for (const chunk of chunks) {
        assert.ok(chunk.start > before && chunk.start <= covered && chunk.end > covered, 'in order, without a gap')
        assert.ok(tokensIn(chunk) <= maxTokens)
        assert.ok(!/^[\uDC00-\uDFFF]/.test(text.slice(chunk.start)), 'begins within a character')
        before = chunk.start
        covered = chunk.end
      }
      assert.equal(covered, text.length)
    }),
    { numRuns: 200 },
  )
})

test('a chunk repeats at most as many tokens of the one before as it was told', () => {
  const text = 'The quick brown fox jumps over the lazy dog. '.repeat(100)
  const { count } = { count: (part: string) => pieces(part).reduce((sum, { tokens }) => sum + tokens, 0) }
  for (const overlapTokens of [0, 10, 50]) {
    const chunks = chunkText(pieces(text), { maxTokens: 100, overlapTokens })
    chunks.slice(1).forEach(({ start }, at) => {
      const shared = count(text.slice(start, chunks[at]?.end))
      assert.ok(shared <= overlapTokens && shared >= overlapTokens - 2, `${shared} of ${overlapTokens}`)
    })
  }
})

test('a chunk ends where a paragraph ends, if one ends in its last quarter', () => {
  const paragraph = `${'word '.repeat(45)}end.\n\n`
  const text = paragraph.repeat(8)
  for (const { end } of chunkText(pieces(text), { maxTokens: 110, overlapTokens: 0 }))
    assert.match(text.slice(0, end), /end\.\n\n$/)
})

test('an empty text has no chunks, and a short one is one', () => {
  assert.deepEqual(chunkText(pieces(''), { maxTokens: 100, overlapTokens: 50 }), [])
  assert.deepEqual(chunkText(pieces('hello'), { maxTokens: 100, overlapTokens: 50 }), [{ start: 0, end: 5 }])
})
