import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { canonicalJson } from './canonical-json.ts'

const shuffled = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shuffled)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => [key, shuffled(item)] as const)
      .reverse(),
  )
}

test('the text is the same value again, and does not depend on the order of keys', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value)
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)))
      assert.equal(canonicalJson(shuffled(value)), text)
    }),
  )
})

test('values that differ have texts that differ', () => {
  const values = [null, 'null', 0, '0', false, [], {}, [null], { a: [] }, { a: {} }, { a: 1, b: 2 }, { a: { b: 2 } }]
  assert.equal(new Set(values.map(canonicalJson)).size, values.length)
})
