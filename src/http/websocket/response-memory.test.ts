import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Item } from '../../protocol/items.ts'
import { createSocketMemory } from './response-memory.ts'

const item = (id: string, text = ''): Item => ({
  id,
  type: 'message',
  status: 'completed',
  role: 'user',
  content: [{ type: 'input_text', text }],
})
const bytesOf = (...items: readonly Item[]) => items.reduce((sum, it) => sum + JSON.stringify(it).length, 0)

test('every lane reads what any lane has put, until it is evicted', () => {
  const memory = createSocketMemory({ webSocketMemory: 10, webSocketMemoryBytes: 10_000 })
  const items = [item('a')]
  memory.of('x').put('resp_1', items)
  assert.equal(memory.of(null).get('resp_1'), items)
  assert.equal(memory.of('x').get('resp_2'), null)
  memory.evict('resp_1')
  memory.evict('resp_1')
  assert.equal(memory.of('x').get('resp_1'), null)
})

test('the oldest go first, and the newest of each lane last', () => {
  const memory = createSocketMemory({ webSocketMemory: 3, webSocketMemoryBytes: 10_000 })
  memory.of('quiet').put('resp_quiet', [item('q')])
  for (let n = 1; n <= 5; n++) memory.of(null).put(`resp_${n}`, [item(`i${n}`)])
  const kept = ['resp_quiet', 'resp_1', 'resp_2', 'resp_3', 'resp_4', 'resp_5'].filter((id) => memory.of(null).get(id))
  assert.deepEqual(kept, ['resp_quiet', 'resp_4', 'resp_5'])
})

test('items that turns share count once, and are given back when the last turn that holds them goes', () => {
  const chain = Array.from({ length: 20 }, (_, n) => item(`i${n}`, 'x'.repeat(100)))
  const memory = createSocketMemory({ webSocketMemory: 100, webSocketMemoryBytes: bytesOf(...chain) })
  for (let n = 0; n < chain.length; n++) memory.of(null).put(`resp_${n}`, chain.slice(0, n + 1))
  assert.ok(memory.of(null).get('resp_0'), 'all twenty turns fit into the bytes of the longest')
  const other = item('other', 'y'.repeat(100))
  memory.of(null).put('resp_other', [other])
  assert.equal(memory.of(null).get('resp_19'), null, 'shared items are only freed with every turn that holds them')
  assert.ok(memory.of(null).get('resp_other'))
})

test('what is larger than the whole memory is not kept', () => {
  const memory = createSocketMemory({ webSocketMemory: 10, webSocketMemoryBytes: 100 })
  memory.of(null).put('resp_1', [item('a', 'x'.repeat(200))])
  assert.equal(memory.of(null).get('resp_1'), null)
})
