import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../lib/clock.ts'
import { createCountingIds } from '../lib/ids.ts'
import type { HostedDraft } from '../models/model.ts'
import { EventComposer } from './compose-events.ts'
import { type HostedBlock, openHostedBlock } from './hosted-block.ts'
import { initialResponse } from './initial-response.ts'

const RESPONSE = initialResponse(
  { model: 'm' },
  { id: 'resp_1', createdAt: 0, model: 'm', store: false, prompt: null, tools: [], toolChoice: 'auto' },
)

/** The types of the item's events, and the item at its end. */
function play(draft: HostedDraft, write: (block: HostedBlock) => void) {
  const composer = new EventComposer(RESPONSE, { ids: createCountingIds(), clock: systemClock })
  write(openHostedBlock(composer, draft))
  composer.closeItem('completed')
  const events = composer.take()
  const [item] = composer.output
  assert.ok(item)
  for (const event of events.slice(1, -1)) {
    assert.ok('item_id' in event && event.item_id === item.id && event.output_index === 0)
  }
  return { types: events.map(({ type }) => type.replace('response.', '')), item, opened: events[0] }
}

const search: HostedDraft = { type: 'web_search_call', status: 'completed', action: { type: 'search', query: 'tea' } }
const code = (text: string | null): HostedDraft => ({
  type: 'code_interpreter_call',
  status: 'completed',
  container_id: 'c',
  code: text,
  outputs: [],
})
const mcp: HostedDraft = { type: 'mcp_call', status: 'completed', server_label: 'd', name: 'f', arguments: '{"a":1}' }
const image: HostedDraft = { type: 'image_generation_call', status: 'generating', result: 'AA==' }
const listed: HostedDraft = { type: 'mcp_list_tools', server_label: 'd', tools: [] }

const whole = (draft: HostedDraft) => play(draft, (block) => block.end(draft))

test('an item that comes whole still has every stage the API gives it', () => {
  const stages: readonly (readonly [HostedDraft, readonly string[]])[] = [
    [search, ['web_search_call.in_progress', 'web_search_call.searching', 'web_search_call.completed']],
    [
      { type: 'file_search_call', status: 'completed', queries: [] },
      ['file_search_call.in_progress', 'file_search_call.searching', 'file_search_call.completed'],
    ],
    [
      code('1+1'),
      [
        'code_interpreter_call.in_progress',
        'code_interpreter_call_code.delta',
        'code_interpreter_call_code.done',
        'code_interpreter_call.interpreting',
        'code_interpreter_call.completed',
      ],
    ],
    [
      image,
      ['image_generation_call.in_progress', 'image_generation_call.generating', 'image_generation_call.completed'],
    ],
    [listed, ['mcp_list_tools.in_progress', 'mcp_list_tools.completed']],
    [{ ...listed, error: 'gone' }, ['mcp_list_tools.in_progress', 'mcp_list_tools.failed']],
    [mcp, ['mcp_call.in_progress', 'mcp_call_arguments.delta', 'mcp_call_arguments.done', 'mcp_call.completed']],
    [{ type: 'mcp_approval_request', server_label: 'd', name: 'f', arguments: '{}' }, []],
  ]
  for (const [draft, expected] of stages) {
    const { types } = whole(draft)
    assert.deepEqual(types, ['output_item.added', ...expected, 'output_item.done'])
  }
})

test('a stage that was told already is not told again', () => {
  const { types } = play(search, (block) => {
    block.running()
    block.running()
    block.end(search)
  })
  assert.equal(types.filter((type) => type === 'web_search_call.searching').length, 1)
})

test('an item that opens as done is shown as begun, and one that ends at work as done', () => {
  const { opened, item } = whole(image)
  assert.ok(opened?.type === 'response.output_item.added')
  assert.deepEqual(opened.item, { id: item.id, type: 'image_generation_call', status: 'in_progress', result: null })
  assert.deepEqual(item, { id: item.id, type: 'image_generation_call', status: 'completed', result: 'AA==' })
})

test('code that was streamed in part is completed, and stands where the end says otherwise', () => {
  const completed = play(code(null), (block) => {
    block.delta('1+')
    block.end(code('1+1'))
  })
  assert.equal(completed.types.filter((type) => type.endsWith('code.delta')).length, 2)
  assert.ok(completed.item.type === 'code_interpreter_call' && completed.item.code === '1+1')
  const other = play(code(null), (block) => {
    block.delta('2*2')
    block.end(code('1+1'))
  })
  assert.ok(other.item.type === 'code_interpreter_call' && other.item.code === '2*2')
})

test('code that is only known when the tool is done comes before the tool is told to be at work', () => {
  const { types } = play(code(null), (block) => {
    block.running()
    block.end(code('1+1'))
  })
  assert.ok(types.indexOf('code_interpreter_call_code.done') < types.indexOf('code_interpreter_call.interpreting'))
})

test('a tool that a run leaves behind ends as cut off, in the words its type has', () => {
  const cut = (draft: HostedDraft) => play(draft, () => {}).item
  const statusOf = (draft: HostedDraft) => {
    const item = cut(draft)
    return 'status' in item ? item.status : null
  }
  assert.equal(statusOf(search), 'incomplete')
  assert.equal(statusOf(image), 'failed')
  assert.equal(statusOf(code('1+1')), 'incomplete')
  assert.equal(statusOf(mcp), 'incomplete')
  assert.equal(statusOf(listed), null)
})

test('a tool that failed is never told to be completed', () => {
  const { types } = whole({ ...search, status: 'failed' })
  assert.deepEqual(types, ['output_item.added', 'web_search_call.in_progress', 'output_item.done'])
  assert.ok(whole({ ...mcp, status: 'failed' }).types.includes('mcp_call.failed'))
})
