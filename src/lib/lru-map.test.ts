import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLruMap } from './lru-map.ts'

test('what was not asked for longest goes first, once there are too many', () => {
  const map = createLruMap<string, number>(2)
  map.set('a', 1)
  map.set('b', 2)
  assert.equal(map.get('a'), 1)
  map.set('c', 3)
  assert.deepEqual([map.get('a'), map.get('b'), map.get('c')], [1, undefined, 3])
  map.delete('a')
  map.set('d', 4)
  assert.deepEqual([map.get('a'), map.get('c'), map.get('d')], [undefined, 3, 4])
})

test('values count by their size, also when one takes the place of another, and one that is too large is not kept', () => {
  const map = createLruMap<string, string>(10, ({ length }) => length)
  map.set('a', 'four')
  map.set('a', 'sixsix')
  map.set('b', 'four')
  assert.deepEqual([map.get('a'), map.get('b')], ['sixsix', 'four'], 'ten together')
  map.set('c', '1')
  assert.deepEqual([map.get('a'), map.get('b'), map.get('c')], [undefined, 'four', '1'])
  map.set('d', 'more than ten')
  assert.deepEqual([map.get('b'), map.get('c'), map.get('d')], [undefined, undefined, undefined])
})
