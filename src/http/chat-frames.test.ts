import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleResponse } from '../../test/support/sample-response.ts'
import { created, delta } from '../../test/support/scripted-engine.ts'
import type { RunEvent } from '../engine/run-event.ts'
import type { OutputItem } from '../protocol/items.ts'
import { plainUsage } from '../protocol/usage.ts'
import { createChatFramer } from './chat-frames.ts'

const call = (id: string): OutputItem => ({
  id: `fc_${id}`,
  type: 'function_call',
  status: 'in_progress',
  call_id: id,
  name: 'f',
  arguments: '',
})
const added = (sequence_number: number, item: OutputItem): RunEvent => ({
  type: 'response.output_item.added',
  sequence_number,
  output_index: 0,
  item,
})
const args = (sequence_number: number, text: string): RunEvent => ({
  type: 'response.function_call_arguments.delta',
  sequence_number,
  item_id: 'fc_x',
  output_index: 0,
  delta: text,
})
const thought = (content_index: number, text: string): RunEvent => ({
  type: 'response.reasoning_text.delta',
  sequence_number: 1,
  item_id: 'rs_1',
  output_index: 0,
  content_index,
  delta: text,
})

/** The data of all frames, parsed; the last one is the end mark. */
const dataOf = (text: string): unknown[] =>
  text
    .split('\n\n')
    .filter((frame) => frame !== '')
    .map((frame) => (frame === 'data: [DONE]' ? 'DONE' : JSON.parse(frame.replace(/^data: /, ''))))
const deltasOf = (text: string) => dataOf(text).map((chunk) => Object(chunk).choices?.[0]?.delta)

const end = (output: OutputItem[] = []) => ({
  type: 'response.completed' as const,
  sequence_number: 9,
  response: sampleResponse({ output, usage: plainUsage(3, 4) }),
})

test('nothing is shown before there is something to show, and then the role comes first', () => {
  const frames = createChatFramer({ includeUsage: false, pad: null })
  assert.equal(frames.batch([created()]), '')
  assert.deepEqual(dataOf(frames.batch([delta(1, 'hi "you"\n')])), [
    {
      id: 'chatcmpl-1',
      created: 1,
      model: 'demo',
      service_tier: 'default',
      object: 'chat.completion.chunk',
      choices: [
        { index: 0, delta: { role: 'assistant', content: '', refusal: null }, logprobs: null, finish_reason: null },
      ],
    },
    {
      id: 'chatcmpl-1',
      created: 1,
      model: 'demo',
      service_tier: 'default',
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta: { content: 'hi "you"\n' }, logprobs: null, finish_reason: null }],
    },
  ])
  assert.deepEqual(deltasOf(frames.batch([delta(2, 'again')])), [{ content: 'again' }])
})

test('an answer without any output still has its role and its end', () => {
  const frames = createChatFramer({ includeUsage: true, pad: null })
  frames.batch([created()])
  const [role, last, usage, done] = dataOf(frames.end(end()))
  assert.equal(Object(role).choices[0].delta.role, 'assistant')
  assert.equal(Object(last).choices[0].finish_reason, 'stop')
  assert.deepEqual(Object(usage).choices, [])
  assert.equal(Object(usage).usage.total_tokens, 7)
  assert.equal(Object(last).usage, null)
  assert.equal(done, 'DONE')
})

test('calls are counted in the order in which they open, and their arguments follow them', () => {
  const frames = createChatFramer({ includeUsage: false, pad: null })
  const text = frames.batch([
    created(),
    added(1, call('a')),
    args(2, '{"x"'),
    args(3, ':1}'),
    added(4, call('b')),
    args(5, '{}'),
  ])
  assert.deepEqual(deltasOf(text).slice(1), [
    { tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }] },
    { tool_calls: [{ index: 0, function: { arguments: '{"x"' } }] },
    { tool_calls: [{ index: 0, function: { arguments: ':1}' } }] },
    { tool_calls: [{ index: 1, id: 'b', type: 'function', function: { name: 'f', arguments: '' } }] },
    { tool_calls: [{ index: 1, function: { arguments: '{}' } }] },
  ])
  const [last] = dataOf(frames.end(end([call('a')])))
  assert.equal(Object(last).choices[0].finish_reason, 'tool_calls')
})

test('parts of a thought stand apart, as they do in the whole completion', () => {
  const frames = createChatFramer({ includeUsage: false, pad: null })
  const text = frames.batch([created(), thought(0, 'a'), thought(0, 'b'), thought(1, 'c')])
  assert.deepEqual(
    deltasOf(text)
      .slice(1)
      .map((it) => Object(it).reasoning_content),
    ['a', 'b', '\n\nc'],
  )
})

test('padding hides how long a delta is, where it is wanted', () => {
  const frames = createChatFramer({ includeUsage: false, pad: (bytes) => 'x'.repeat(32 - (bytes % 32)) })
  const chunks = dataOf(frames.batch([created(), delta(1, 'a'), delta(2, 'abcdef')]))
  assert.ok(chunks.every((chunk) => typeof Object(chunk).obfuscation === 'string'))
  const lengths = chunks.slice(1).map((chunk) => JSON.stringify(chunk).length)
  assert.equal(lengths[0], lengths[1])
})
