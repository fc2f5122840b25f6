import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createSealedBox } from './sealed-box.ts'

const key = new Uint8Array(32).fill(7)
const box = createSealedBox(key, 'reasoning')

test('a sealed text opens again under the same context, and only there', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const sealed = box.seal(text, 'a')
      assert.equal(box.open(sealed, 'a'), text)
      assert.equal(box.open(sealed, 'b'), null)
      assert.equal(createSealedBox(key, 'other purpose').open(sealed, 'a'), null)
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
  for (const junk of ['', 'apn1.', 'hello', `${sealed}A`, `${sealed}=`]) assert.equal(box.open(junk, 'a'), null)
})
