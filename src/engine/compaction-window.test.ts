import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createSealedBox } from '../lib/sealed-box.ts'
import type { Item } from '../protocol/items.ts'
import { checkPairs } from './check-pairs.ts'
import { createCompactionSeal, summaryMessage } from './compaction-seal.ts'
import { dropCompacted, keptMessages, newestTurn } from './compaction-window.ts'

const seal = createCompactionSeal(createSealedBox([{ id: 'test', secret: new Uint8Array(32) }], 'test'), 'proj_a')
const message = (id: string, role: 'user' | 'system' | 'developer', text = id): Item => ({
  id,
  type: 'message',
  status: 'completed',
  role,
  content: [{ type: 'input_text', text }],
})
const answer = (id: string): Item => ({
  id,
  type: 'message',
  status: 'completed',
  role: 'assistant',
  content: [{ type: 'output_text', text: id, annotations: [], logprobs: [] }],
})
const call = (call_id: string): Item => ({
  id: `fc_${call_id}`,
  type: 'function_call',
  status: 'completed',
  call_id,
  name: 'f',
  arguments: '{}',
})
const output = (call_id: string): Item => ({
  id: `fco_${call_id}`,
  type: 'function_call_output',
  status: 'completed',
  call_id,
  output: 'done',
})
const thought: Item = { id: 'rs_1', type: 'reasoning', summary: [] }
const compaction = (id: string, keptBytes = 10_000): Item => ({
  id,
  type: 'compaction',
  encrypted_content: seal.seal({ summary: `summary ${id}`, replaces: [], keptBytes }),
})
const idsOf = (items: readonly Item[]) => items.map(({ id }) => id)

test('a context without a compaction is left as it is', () => {
  const items = [message('u1', 'user'), answer('a1')]
  assert.equal(dropCompacted(items, 1000, seal), items)
})

test('before the newest compaction only standing messages and those of the user stay, in their order', () => {
  const items = [
    message('s1', 'system'),
    message('u1', 'user'),
    thought,
    call('c1'),
    output('c1'),
    answer('a1'),
    compaction('cmp_1'),
    message('d1', 'developer'),
    message('u2', 'user'),
    answer('a2'),
    compaction('cmp_2'),
    answer('a3'),
  ]
  assert.deepEqual(idsOf(dropCompacted(items, 10_000, seal)), ['s1', 'u1', 'd1', 'u2', 'cmp_2', 'a3'])
})

test('user messages stay newest first, as far as they fit; what was kept when it was made is the most', () => {
  const items = [message('u1', 'user'), message('u2', 'user'), message('u3', 'user', 'x'.repeat(500))]
  assert.deepEqual(idsOf(keptMessages(items, 10_000)), ['u1', 'u2', 'u3'])
  assert.deepEqual(idsOf(keptMessages(items, 700)), ['u3'])
  assert.deepEqual(idsOf(keptMessages(items, 100)), [])
  assert.deepEqual(idsOf(dropCompacted([...items, compaction('cmp', 700)], 10_000, seal)), ['u3', 'cmp'])
  assert.deepEqual(idsOf(dropCompacted([...items, compaction('cmp')], 700, seal)), ['u3', 'cmp'])
})

test('a call whose output comes after the compaction stays with it', () => {
  const items = [message('u1', 'user'), call('c1'), compaction('cmp'), output('c1'), message('u2', 'user')]
  const shown = dropCompacted(items, 0, seal)
  assert.deepEqual(idsOf(shown), ['fc_c1', 'cmp', 'fco_c1', 'u2'])
  checkPairs(shown)
})

test('the newest turn is the last user message and what follows; of a long one the message and the last step', () => {
  const turn = [
    message('u2', 'user'),
    thought,
    call('c1'),
    output('c1'),
    thought,
    call('c2'),
    call('c3'),
    output('c2'),
    output('c3'),
  ]
  const items = [message('u1', 'user'), answer('a1'), ...turn]
  assert.deepEqual(newestTurn(items, 10_000), turn)
  assert.deepEqual(idsOf(newestTurn(items, 100)), ['u2', 'rs_1', 'fc_c2', 'fc_c3', 'fco_c2', 'fco_c3'])
  assert.deepEqual(newestTurn([answer('a1')], 100), [])
})

test('a summary shown as a message of the user is not taken for one', () => {
  const summary = summaryMessage('cmp_1', { summary: 'My name is Ada.', replaces: ['u1'] })
  assert.deepEqual(keptMessages([summary, message('u2', 'user')], 10_000).length, 1)
  assert.deepEqual(idsOf(newestTurn([message('u1', 'user'), summary], 10_000)), ['u1', 'cmp_1'])
})

test('whatever is dropped, no output loses its call', () => {
  const step = fc.nat(3).chain((calls) =>
    fc.tuple(fc.constant(calls), fc.boolean(), fc.boolean(), fc.nat(300)).map(([count, talks, compacts, size]) => ({
      count,
      talks,
      compacts,
      size,
    })),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), fc.nat(2000), (steps, bytes) => {
      const items = steps.flatMap(({ count, talks, compacts, size }, at): Item[] => {
        const ids = Array.from({ length: count }, (_, index) => `${at}_${index}`)
        return [
          ...(talks ? [message(`u${at}`, 'user', 'x'.repeat(size))] : []),
          ...ids.map(call),
          ...(compacts ? [compaction(`cmp_${at}`)] : []),
          ...ids.map(output),
        ]
      })
      checkPairs(dropCompacted(items, bytes, seal))
      checkPairs(newestTurn(items, bytes).filter((item) => item.type !== 'compaction'))
    }),
    { numRuns: 300 },
  )
})
