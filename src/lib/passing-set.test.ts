import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPassingSet } from './passing-set.ts'

const numbered = (at: number) => ({ at })
const orderOf = (values: readonly { readonly at: number }[]) => values.map(({ at }) => at)

test('values stand in the order in which they came, until they leave, which they may do twice', () => {
  const set = createPassingSet<{ readonly at: number }>()
  const leaves = [1, 2, 3].map((at) => set.add(numbered(at)))
  leaves[1]?.()
  leaves[1]?.()
  assert.deepEqual([orderOf(set.values()), set.size()], [[1, 3], 2])
  set.add(numbered(2))
  assert.deepEqual(orderOf(set.values()), [1, 3, 2])
})

test('the first ones are taken out as long as they are wanted, and leaving is nothing to them any more', () => {
  const set = createPassingSet<{ readonly at: number }>()
  const leaves = [1, 2, 9, 3].map((at) => set.add(numbered(at)))
  assert.deepEqual(orderOf(set.takeWhile(({ at }) => at < 5)), [1, 2])
  for (const leave of leaves.slice(0, 2)) leave()
  assert.deepEqual(orderOf(set.values()), [9, 3])
  assert.deepEqual(
    set.takeWhile(({ at }) => at < 5),
    [],
  )
})

test('the same value may stand in it twice, and leaves once at a time', () => {
  const set = createPassingSet<object>()
  const value = {}
  const leave = set.add(value)
  set.add(value)
  leave()
  assert.deepEqual(set.values(), [value])
})
