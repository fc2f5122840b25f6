import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createSealedBox } from '../lib/sealed-box.ts'
import type { Item } from '../protocol/items.ts'
import { checkPairs } from './check-pairs.ts'
import { createCompactionSeal, summaryMessage } from './compaction-seal.ts'
import { carriedItems, dropCompacted, keptMessages, newestTurn } from './compaction-window.ts'

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
const cutOff = (call_id: string): Item => ({
  id: `fc_${call_id}`,
  type: 'function_call',
  status: 'incomplete',
  call_id,
  name: 'f',
  arguments: '{',
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

test('what the server itself goes by is carried: lists of tools, and approvals that nobody has given', () => {
  const asked = (id: string): Item => ({
    id,
    type: 'mcp_approval_request',
    server_label: 's',
    name: 'n',
    arguments: '{}',
  })
  const given: Item = { id: 'a', type: 'mcp_approval_response', approval_request_id: 'mcpr_1', approve: true }
  const listed: Item = { id: 'l', type: 'mcp_list_tools', server_label: 's', tools: [] }
  const history = [listed, asked('mcpr_1'), given, asked('mcpr_2'), answer('a1')]
  assert.deepEqual(idsOf(carriedItems(history, [compaction('cmp')], seal) ?? []), ['l', 'mcpr_2'])
})

test('a history without a compaction carries nothing, one with it carries what may be shown again', () => {
  const history = [
    message('s1', 'system'),
    message('u1', 'user'),
    call('c1'),
    output('c1'),
    call('c2'),
    cutOff('cut'),
    answer('a1'),
  ]
  assert.equal(carriedItems(history, [answer('a2')], seal), null)
  assert.deepEqual(idsOf(carriedItems(history, [compaction('cmp'), answer('a2')], seal) ?? []), ['s1', 'u1', 'fc_c2'])
})

const arbitraryHistory = fc
  .array(fc.tuple(fc.constantFrom('user', 'system', 'call', 'open', 'answer', 'compact'), fc.nat(400)), {
    maxLength: 30,
  })
  .map((parts) =>
    parts.flatMap(([kind, size], at): Item[] => {
      if (kind === 'user' || kind === 'system') return [message(`m${at}`, kind, 'x'.repeat(size))]
      if (kind === 'call') return [call(`c${at}`), output(`c${at}`)]
      if (kind === 'open') return [call(`open${at}`)]
      return [kind === 'answer' ? answer(`a${at}`) : compaction(`cmp${at}`, 1_000)]
    }),
  )

test('what is carried over a compaction looks to a model as the whole history would, whatever comes after', () => {
  fc.assert(
    fc.property(arbitraryHistory, fc.array(arbitraryHistory, { maxLength: 4 }), fc.nat(3_000), (own, turns, window) => {
      let [whole, carried] = [own, own]
      for (const [at, turn] of turns.entries()) {
        const outputs = new Set(whole.map((item) => item.type === 'function_call_output' && item.call_id))
        const waiting = whole.find((item) => item.type === 'function_call' && !outputs.has(item.call_id))
        const answered = waiting?.type === 'function_call' ? [output(waiting.call_id)] : []
        const renamed = turn.map((item) => ({
          ...item,
          id: `${item.id}_${at}`,
          ...('call_id' in item && { call_id: `${item.call_id}_${at}` }),
        }))
        const added = [...answered, ...renamed]
        carried = [...(carriedItems(carried, added, seal) ?? carried), ...added]
        whole = [...whole, ...added]
        assert.deepEqual(dropCompacted(carried, window, seal), dropCompacted(whole, window, seal))
      }
    }),
  )
})
