import assert from 'node:assert/strict'
import test from 'node:test'
import { sampleResponse } from '../../test/support/sample-response.ts'
import { applyEvent } from './apply-event.ts'
import type { ResponseEvent } from './events.ts'
import type { OutputItem } from './items.ts'
import { joinOutputText } from './output-text.ts'
import type { ResponseObject } from './response.ts'

const BLANK = sampleResponse({ status: 'in_progress', completed_at: null, model: 'm' })

type Unnumbered<T> = T extends unknown ? Omit<T, 'sequence_number'> : never
const numbered = (events: readonly Unnumbered<ResponseEvent>[]): ResponseEvent[] =>
  events.map((event, sequence_number) => ({ ...event, sequence_number }))
const fold = (events: readonly Unnumbered<ResponseEvent>[]): ResponseObject => {
  const end = numbered(events).reduce<ResponseObject | null>(applyEvent, null)
  assert.ok(end)
  return end
}

const START: Unnumbered<ResponseEvent>[] = [
  { type: 'response.created', response: BLANK },
  { type: 'response.in_progress', response: BLANK },
]
const MESSAGE: OutputItem = { id: 'msg_1', type: 'message', status: 'in_progress', role: 'assistant', content: [] }
const LOGPROB = { token: 'He', logprob: -0.1, bytes: [72, 101], top_logprobs: [] }
const CITATION = { type: 'url_citation', url: 'https://a.b', title: 't', start_index: 0, end_index: 2 } as const

const at = { item_id: 'msg_1', output_index: 1, content_index: 0 }
const EMPTY_TEXT = { type: 'output_text' as const, text: '', annotations: [], logprobs: [] }
const TEXT = { ...EMPTY_TEXT, text: 'Hello', annotations: [CITATION], logprobs: [LOGPROB] }
const REASONING_DONE: OutputItem = {
  id: 'rs_1',
  type: 'reasoning',
  status: 'completed',
  summary: [{ type: 'summary_text', text: 'Why' }],
  content: [{ type: 'reasoning_text', text: 'Hmm' }],
  encrypted_content: 'sealed',
}
const MESSAGE_DONE: OutputItem = {
  ...MESSAGE,
  status: 'completed',
  content: [TEXT, { type: 'refusal', refusal: 'No' }],
}
const CALL: OutputItem = {
  id: 'fc_1',
  type: 'function_call',
  status: 'in_progress',
  call_id: 'call_1',
  name: 'f',
  arguments: '',
}
const CUSTOM: OutputItem = {
  id: 'ctc_1',
  type: 'custom_tool_call',
  status: 'in_progress',
  call_id: 'call_2',
  name: 'g',
  input: '',
}

/** One response with every event there is. */
const WHOLE: Unnumbered<ResponseEvent>[] = [
  ...START,
  {
    type: 'response.output_item.added',
    output_index: 0,
    item: { id: 'rs_1', type: 'reasoning', status: 'in_progress', summary: [] },
  },
  {
    type: 'response.reasoning_summary_part.added',
    item_id: 'rs_1',
    output_index: 0,
    summary_index: 0,
    part: { type: 'summary_text', text: '' },
  },
  { type: 'response.reasoning_summary_text.delta', item_id: 'rs_1', output_index: 0, summary_index: 0, delta: 'Why' },
  { type: 'response.reasoning_summary_text.done', item_id: 'rs_1', output_index: 0, summary_index: 0, text: 'Why' },
  {
    type: 'response.reasoning_summary_part.done',
    item_id: 'rs_1',
    output_index: 0,
    summary_index: 0,
    part: { type: 'summary_text', text: 'Why' },
  },
  {
    type: 'response.content_part.added',
    item_id: 'rs_1',
    output_index: 0,
    content_index: 0,
    part: { type: 'reasoning_text', text: '' },
  },
  { type: 'response.reasoning_text.delta', item_id: 'rs_1', output_index: 0, content_index: 0, delta: 'Hmm' },
  { type: 'response.reasoning_text.done', item_id: 'rs_1', output_index: 0, content_index: 0, text: 'Hmm' },
  {
    type: 'response.content_part.done',
    item_id: 'rs_1',
    output_index: 0,
    content_index: 0,
    part: { type: 'reasoning_text', text: 'Hmm' },
  },
  { type: 'response.output_item.done', output_index: 0, item: REASONING_DONE },
  { type: 'response.output_item.added', output_index: 1, item: MESSAGE },
  { type: 'response.content_part.added', ...at, part: EMPTY_TEXT },
  { type: 'response.output_text.delta', ...at, delta: 'He', logprobs: [LOGPROB] },
  { type: 'response.output_text.annotation.added', ...at, annotation_index: 0, annotation: CITATION },
  { type: 'response.output_text.delta', ...at, delta: 'llo', logprobs: [] },
  { type: 'response.output_text.done', ...at, text: 'Hello', logprobs: [LOGPROB] },
  { type: 'response.content_part.done', ...at, part: TEXT },
  { type: 'response.content_part.added', ...at, content_index: 1, part: { type: 'refusal', refusal: '' } },
  { type: 'response.refusal.delta', ...at, content_index: 1, delta: 'No' },
  { type: 'response.refusal.done', ...at, content_index: 1, refusal: 'No' },
  { type: 'response.content_part.done', ...at, content_index: 1, part: { type: 'refusal', refusal: 'No' } },
  { type: 'response.output_item.done', output_index: 1, item: MESSAGE_DONE },
  { type: 'response.output_item.added', output_index: 2, item: CALL },
  { type: 'response.function_call_arguments.delta', item_id: 'fc_1', output_index: 2, delta: '{"a"' },
  { type: 'response.function_call_arguments.delta', item_id: 'fc_1', output_index: 2, delta: ':1}' },
  { type: 'response.function_call_arguments.done', item_id: 'fc_1', output_index: 2, name: 'f', arguments: '{"a":1}' },
  { type: 'response.output_item.done', output_index: 2, item: { ...CALL, status: 'completed', arguments: '{"a":1}' } },
  { type: 'response.output_item.added', output_index: 3, item: CUSTOM },
  { type: 'response.custom_tool_call_input.delta', item_id: 'ctc_1', output_index: 3, delta: 'run' },
  { type: 'response.custom_tool_call_input.done', item_id: 'ctc_1', output_index: 3, input: 'run' },
  { type: 'response.output_item.done', output_index: 3, item: { ...CUSTOM, status: 'completed', input: 'run' } },
]

test('the fold over all events is the terminal snapshot', () => {
  const before = fold(WHOLE)
  const response: ResponseObject = { ...before, status: 'completed', completed_at: 2 }
  assert.equal(fold([...WHOLE, { type: 'response.completed', response }]), response)
})

test('without the terminal event the fold already has the output and the joined text (req 10)', () => {
  const { output, output_text } = fold(WHOLE)
  assert.deepEqual(
    output.map((item) => `${item.type} ${'status' in item ? item.status : ''}`),
    ['reasoning completed', 'message completed', 'function_call completed', 'custom_tool_call completed'],
  )
  assert.equal(output_text, 'Hello')
  assert.equal(output_text, joinOutputText(output))
})

test('in the middle of a message the fold shows what was said so far, with its citations', () => {
  const cut = WHOLE.findIndex(({ type }) => type === 'response.output_text.done')
  const { output, output_text } = fold(WHOLE.slice(0, cut))
  assert.equal(output_text, 'Hello')
  assert.deepEqual(output[1], { ...MESSAGE, content: [TEXT] })
})

test('an earlier snapshot is not changed by later events', () => {
  const events = numbered(WHOLE)
  const snapshots: { snapshot: ResponseObject; text: string }[] = []
  let snapshot: ResponseObject | null = null
  for (const event of events) {
    snapshot = applyEvent(snapshot, event)
    snapshots.push({ snapshot, text: JSON.stringify(snapshot) })
  }
  for (const { snapshot: kept, text } of snapshots) assert.equal(JSON.stringify(kept), text)
})

test('an infrastructure error changes nothing', () => {
  const before = fold(START)
  assert.deepEqual(fold([...START, { type: 'error', code: null, message: 'gone', param: null }]), before)
})

test('leaving out any one event but the progress marks makes the stream illegal or shorter', () => {
  const whole = JSON.stringify(fold(WHOLE))
  const optional = /in_progress|\.done$/
  for (const [index, { type }] of WHOLE.entries()) {
    if (optional.test(type)) continue
    assert.throws(() => assert.equal(JSON.stringify(fold(WHOLE.toSpliced(index, 1))), whole), `${type} at ${index}`)
  }
})

test('every break of the order, the brackets or the contents throws (req 84)', () => {
  const opened: Unnumbered<ResponseEvent>[] = [
    ...START,
    { type: 'response.output_item.added', output_index: 0, item: MESSAGE },
    { type: 'response.content_part.added', ...at, output_index: 0, part: EMPTY_TEXT },
  ]
  const here = { ...at, output_index: 0 }
  const illegal: [RegExp, Unnumbered<ResponseEvent>][] = [
    [/created once/, { type: 'response.created', response: BLANK }],
    [/keeps its id/, { type: 'response.completed', response: { ...BLANK, id: 'resp_2' } }],
    [/output_index appends/, { type: 'response.output_item.added', output_index: 2, item: CALL }],
    [/nothing was opened at index 1/, { type: 'response.output_item.done', output_index: 1, item: CALL }],
    [/item_id is 'msg_9'/, { type: 'response.output_text.delta', ...here, item_id: 'msg_9', delta: 'a', logprobs: [] }],
    [
      /nothing was opened at index 3/,
      { type: 'response.output_text.delta', ...here, content_index: 3, delta: 'a', logprobs: [] },
    ],
    [/belongs to a refusal/, { type: 'response.refusal.delta', ...here, delta: 'a' }],
    [/content_index appends/, { type: 'response.content_part.added', ...here, content_index: 5, part: EMPTY_TEXT }],
    [/starts empty/, { type: 'response.content_part.added', ...here, content_index: 1, part: TEXT }],
    [
      /does not belong into this item/,
      { type: 'response.content_part.added', ...here, content_index: 1, part: { type: 'reasoning_text', text: '' } },
    ],
    [/exactly what was streamed/, { type: 'response.output_text.done', ...here, text: 'other', logprobs: [] }],
    [
      /exactly what was streamed/,
      {
        type: 'response.output_item.done',
        output_index: 0,
        item: { ...MESSAGE, status: 'completed', content: [TEXT] },
      },
    ],
    [/keeps its type/, { type: 'response.content_part.done', ...here, part: { type: 'refusal', refusal: '' } }],
    [/not in progress/, { type: 'response.output_item.done', output_index: 0, item: MESSAGE }],
    [
      /annotation_index appends/,
      { type: 'response.output_text.annotation.added', ...here, annotation_index: 1, annotation: CITATION },
    ],
    [
      /function_call, not to a message/,
      { type: 'response.function_call_arguments.delta', item_id: 'msg_1', output_index: 0, delta: '' },
    ],
    [
      /reasoning item, not to a message/,
      { type: 'response.reasoning_summary_text.delta', item_id: 'msg_1', output_index: 0, summary_index: 0, delta: '' },
    ],
  ]
  for (const [rule, event] of illegal) assert.throws(() => fold([...opened, event]), rule)
  assert.throws(() => fold([{ type: 'response.in_progress', response: BLANK }]), /response\.created comes first/)
})

test('nothing changes an item after it was done (req 84)', () => {
  const delta: Unnumbered<ResponseEvent> = {
    type: 'response.function_call_arguments.delta',
    item_id: 'fc_1',
    output_index: 2,
    delta: 'x',
  }
  assert.throws(() => fold([...WHOLE, delta]), /the item is closed/)
})
