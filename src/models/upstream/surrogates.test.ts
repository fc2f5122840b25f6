import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSurrogateJoiner, storable } from './surrogates.ts'

const join = (...pieces: string[]) => {
  const joiner = createSurrogateJoiner()
  return pieces.map((piece) => joiner.push(piece)).join('') + joiner.flush()
}

test('a character whose halves come apart is put together', () => {
  assert.equal(join('a\ud83d', '\ude00b'), 'a😀b')
})

test('what nobody could send back to us becomes the replacement character', () => {
  assert.equal(join('a\ud83d', 'b'), 'a\uFFFDb')
  assert.equal(join('\ude00'), '\uFFFD')
  assert.equal(join('a\ud83d'), 'a\uFFFD')
  assert.equal(join('a\0b', '\0'), 'a\uFFFDb\uFFFD')
})

test('a text that comes whole is treated the same', () => {
  assert.equal(storable('a\0\ud83d😀'), 'a\uFFFD\uFFFD😀')
})
