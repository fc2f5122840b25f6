import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createSealedBox } from './sealed-box.ts'

const keyOf = (id: string, fill: number) => ({ id, secret: new Uint8Array(32).fill(fill) })
const key = keyOf('k1', 7)
const box = createSealedBox([key], 'reasoning')

test('a sealed text opens again under the same context, and only there', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const sealed = box.seal(text, 'a')
      assert.equal(box.open(sealed, 'a'), text)
      assert.equal(box.open(sealed, 'b'), null)
      assert.equal(createSealedBox([key], 'other purpose').open(sealed, 'a'), null)
    }),
  )
})

test('a text that was changed anywhere, cut or made up does not open', () => {
  const sealed = box.seal('the state of a model', 'a')
  for (let at = 0; at < sealed.length; at++) {
    const changed = sealed[at] === 'A' ? 'B' : 'A'
    assert.equal(box.open(sealed.slice(0, at) + changed + sealed.slice(at + 1), 'a'), null)
    assert.equal(box.open(sealed.slice(0, at), 'a'), null)
  }
  for (const junk of ['', 'apn2.', 'apn2.k1.', 'apn2.k9.AAAA', 'hello', `${sealed}A`, `${sealed}=`])
    assert.equal(box.open(junk, 'a'), null)
})

test('every key of the box opens what it sealed, the first one seals, and an unknown one opens nothing', () => {
  const newer = createSealedBox([keyOf('k2', 8), key], 'reasoning')
  assert.equal(newer.open(box.seal('old', 'a'), 'a'), 'old')
  assert.match(newer.seal('new', 'a'), /^apn2\.k2\./)
  assert.equal(box.open(newer.seal('new', 'a'), 'a'), null)
  assert.throws(() => createSealedBox([], 'reasoning'), RangeError)
})

test('the id of the key is authenticated: a blob cannot be moved to another id of the same key', () => {
  const twins = createSealedBox([keyOf('k1', 7), keyOf('k2', 7)], 'reasoning')
  const sealed = twins.seal('text', 'a')
  assert.equal(twins.open(sealed, 'a'), 'text')
  assert.equal(twins.open(sealed.replace('.k1.', '.k2.'), 'a'), null)
})
