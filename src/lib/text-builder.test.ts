import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { collectGarbage } from '../../test/support/collect-garbage.ts'
import { createTextBuilder } from './text-builder.ts'

test('it holds what was added, whole at any moment', () => {
  const pieces = fc.array(fc.string({ unit: 'binary', maxLength: 3_000 }), { maxLength: 20 })
  fc.assert(
    fc.property(pieces, (all) => {
      const text = createTextBuilder()
      let expected = ''
      for (const piece of all) {
        text.add(piece)
        expected += piece
        assert.equal(text.toString(), expected)
      }
    }),
  )
})

test('a million tokens cost little more than their characters', () => {
  const heapAfter = () => {
    collectGarbage()
    return process.memoryUsage().heapUsed
  }
  const before = heapAfter()
  const text = createTextBuilder()
  // Each is a string of its own, as those that are cut out of a network packet.
  for (let token = 0; token < 1_000_000; token++) text.add(String(10_000 + (token % 10_000)))
  const held = heapAfter() - before
  assert.equal(text.toString().length, 5_000_000)
  assert.ok(held < 8_000_000, `${held} bytes for 5,000,000 characters`)
})
