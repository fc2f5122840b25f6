import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ModelError, type ModelErrorKind, type ModelEvent } from '../model.ts'
import { assertModelEvents, mergeDeltas } from '../model-run.contract.ts'
import { createResponsesDecoder } from './decode-stream.ts'
import { PARAM_NAMES } from './param-names.ts'

type Event = Readonly<Record<string, unknown>>

const tool = (name: string) => ({
  type: 'function' as const,
  name,
  description: null,
  parameters: null,
  strict: false,
})

const USAGE = { input_tokens: 1, output_tokens: 2, total_tokens: 3 }
const completed = (output: readonly unknown[] = []): Event => ({
  type: 'response.completed',
  response: { object: 'response', status: 'completed', output, usage: USAGE },
})

function decode(events: readonly Event[], out: ModelEvent[] = []): ModelEvent[] {
  const error = { provider: 'acme', model: 'm', secrets: [], params: PARAM_NAMES }
  const decoder = createResponsesDecoder({ turn: { tools: ['f', 'g'].map(tool), topLogprobs: null }, error })
  for (const event of events) decoder.data(JSON.stringify(event), undefined, out)
  decoder.end(out)
  assertModelEvents(out)
  return out
}
const bodyOf = (events: readonly ModelEvent[]) => mergeDeltas(events.slice(0, -1))
const textsOf = (events: readonly ModelEvent[]) =>
  mergeDeltas(events).flatMap((event) => (event.type === 'text-delta' ? [event.delta] : []))

const added = (output_index: number, item: Event): Event => ({
  type: 'response.output_item.added',
  output_index,
  item,
})
const done = (output_index: number, item: Event): Event => ({ type: 'response.output_item.done', output_index, item })
const message = (text = ''): Event => ({
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  content: text === '' ? [] : [{ type: 'output_text', text, annotations: [] }],
})
const call = (rest: Event = {}): Event => ({ type: 'function_call', id: 'fc_1', call_id: 'c1', name: 'f', ...rest })
const text = (output_index: number, delta: string, content_index = 0): Event => ({
  type: 'response.output_text.delta',
  output_index,
  content_index,
  delta,
})
const input = (output_index: number, delta: string): Event => ({
  type: 'response.function_call_arguments.delta',
  output_index,
  delta,
})

describe('a reply that is not as OpenAI sends it', () => {
  it('says in its last event what it did not stream', () => {
    assert.deepEqual(textsOf(decode([added(0, message()), done(0, message('Whole.')), completed()])), ['Whole.'])
    assert.deepEqual(textsOf(decode([added(0, message()), text(0, 'Who'), done(0, message('Whole.')), completed()])), [
      'Whole.',
    ])
    const calls = decode([added(0, call({ arguments: '' })), done(0, call({ arguments: '{"a":1}' })), completed()])
    assert.deepEqual(bodyOf(calls), [
      { type: 'call-start', id: 'call_0', kind: 'function', name: 'f', callId: 'c1' },
      { type: 'call-delta', id: 'call_0', delta: '{"a":1}' },
      { type: 'call-end', id: 'call_0' },
    ])
  })

  it('keeps what was streamed where its last event says something else', () => {
    assert.deepEqual(textsOf(decode([added(0, message()), text(0, 'This'), done(0, message('That.')), completed()])), [
      'This',
    ])
  })

  it('names a call only at its end', () => {
    const events = decode([
      added(0, call({ name: '', call_id: '' })),
      input(0, '{"a"'),
      input(0, ':1}'),
      done(0, call({ arguments: '{"a":1}' })),
      completed(),
    ])
    assert.deepEqual(bodyOf(events), [
      { type: 'call-start', id: 'call_0', kind: 'function', name: 'f', callId: 'c1' },
      { type: 'call-delta', id: 'call_0', delta: '{"a":1}' },
      { type: 'call-end', id: 'call_0' },
    ])
  })

  it('never names a call', () => {
    assert.throws(
      () => decode([added(0, call({ name: '' })), completed()]),
      (error: Error) => error instanceof ModelError && error.kind === 'malformed',
    )
  })

  it('calls what was not offered', () => {
    const out: ModelEvent[] = []
    assert.throws(
      () => decode([added(0, call({ name: 'rm_rf' })), completed()], out),
      (error: Error) => error instanceof ModelError && error.kind === 'malformed' && /rm_rf/.test(error.message),
    )
    assert.deepEqual(out, [])
  })

  it('makes calls without number', () => {
    const calls = Array.from({ length: 257 }, (_, index) => done(index, call({ id: `fc_${index}`, arguments: '{}' })))
    assert.equal(decode([...calls.slice(0, 256), completed()]).filter(({ type }) => type === 'call-start').length, 256)
    assert.throws(
      () => decode([...calls, completed()]),
      (error: Error) => error instanceof ModelError && error.kind === 'malformed' && /256/.test(error.message),
    )
  })

  it('interleaves its calls', () => {
    const events = decode([
      added(0, call()),
      added(1, call({ id: 'fc_2', call_id: 'c2', name: 'g' })),
      input(0, '{"a":'),
      input(1, '{}'),
      input(0, '1}'),
      done(1, call({ id: 'fc_2', call_id: 'c2', name: 'g', arguments: '{}' })),
      done(0, call({ arguments: '{"a":1}' })),
      completed(),
    ])
    const inputs = new Map<string, string>()
    for (const event of events) {
      if (event.type === 'call-delta') inputs.set(event.id, (inputs.get(event.id) ?? '') + event.delta)
    }
    assert.deepEqual([...inputs.values()], ['{"a":1}', '{}'])
  })

  it('gives a call no arguments at all: they are an empty object', () => {
    const [, delta] = decode([added(0, call()), done(0, call({ arguments: '' })), completed()])
    assert.deepEqual(delta, { type: 'call-delta', id: 'call_0', delta: '{}' })
  })

  it('has no indexes, only item ids', () => {
    const delta = (item_id: string, piece: string): Event => ({
      type: 'response.output_text.delta',
      item_id,
      delta: piece,
    })
    assert.deepEqual(textsOf(decode([delta('a', 'one '), delta('a', 'two'), completed()])), ['one two'])
  })

  it('uses the same index for every item', () => {
    const events = decode([
      added(0, message()),
      text(0, 'one'),
      done(0, message('one')),
      added(0, call()),
      input(0, '{}'),
      done(0, call({ arguments: '{}' })),
      completed(),
    ])
    assert.deepEqual(
      events.map(({ type }) => type),
      ['text-start', 'text-delta', 'text-end', 'call-start', 'call-delta', 'call-end', 'finish'],
    )
  })

  it('splits a character between two deltas, and sends half of one', () => {
    const [high, low] = ['\ud83c', '\udf89']
    assert.deepEqual(textsOf(decode([text(0, `a${high}`), text(0, `${low}b`), completed()])), ['a🎉b'])
    assert.deepEqual(textsOf(decode([text(0, `a${high}`), completed()])), ['a\uFFFD'])
    const split = decode([added(0, call()), input(0, `{"a":"${high}`), input(0, `${low}"}`), completed()])
    assert.ok(JSON.stringify(split).includes('🎉'))
  })

  it('holds events and items that nobody knows', () => {
    const events = decode([
      { type: 'response.compaction.compacting', item_id: 'x', output_index: 0 },
      added(0, { type: 'acme:telemetry', id: 'x' }),
      done(0, { type: 'acme:telemetry', id: 'x' }),
      added(1, message()),
      text(1, 'Hi'),
      completed(),
    ])
    assert.deepEqual(textsOf(events), ['Hi'])
  })

  it('is one whole Response instead of a stream', () => {
    const { response } = completed([message('Whole.')])
    assert.deepEqual(textsOf(decode([response as Event])), ['Whole.'])
  })

  it('parts of one message stay apart, and join one message', () => {
    const events = decode([added(0, message()), text(0, 'a', 0), text(0, 'b', 1), completed()])
    assert.deepEqual(
      events.filter(({ type }) => type === 'text-start'),
      [
        { type: 'text-start', id: 'text_0', message: { phase: null } },
        { type: 'text-start', id: 'text_1' },
      ],
    )
  })

  it('is no reply at all', () => {
    for (const events of [[], [text(0, 'a')], [{ type: 'response.completed' }, text(0, 'late')]]) {
      const run = () => decode(events)
      if (events[0]?.type === 'response.completed') assert.deepEqual(textsOf(run()), [])
      else assert.throws(run, (error: Error) => error instanceof ModelError && error.kind === 'malformed')
    }
  })
})

describe('a reply that fails on the way', () => {
  const failures: readonly (readonly [Event, ModelErrorKind, string | null])[] = [
    [{ code: 'server_error', message: 'oops' }, 'unavailable', null],
    [{ code: 'rate_limit_exceeded', message: 'slow down' }, 'rate_limit', null],
    [{ code: 'insufficient_quota', message: 'pay' }, 'quota', null],
    [{ code: 'invalid_prompt', message: 'no such prompt' }, 'content_policy', null],
    [{ code: 'image_content_policy_violation', message: 'violates the content policy' }, 'content_policy', null],
    [{ code: 'context_length_exceeded', message: 'too long' }, 'context_length', 'input'],
    [{ code: 'invalid_base64_image', message: 'bad image' }, 'invalid_request', 'input'],
    [{ code: 'failed_to_download_image', message: 'gone' }, 'invalid_request', 'input'],
    [{ code: 'vector_store_timeout', message: 'slow' }, 'unavailable', null],
    [{ code: 'something_new', message: 'what' }, 'unavailable', null],
    [{}, 'unavailable', null],
  ]
  for (const [error, kind, param] of failures) {
    it(`${JSON.stringify(error)} is ${kind}`, () => {
      const ends: readonly Event[] = [
        { type: 'response.failed', response: { object: 'response', status: 'failed', error, usage: USAGE } },
        { type: 'error', sequence_number: 3, param: null, ...error },
        { type: 'error', sequence_number: 3, error },
        { object: 'response', status: 'failed', error },
      ]
      for (const end of ends) {
        const out: ModelEvent[] = []
        assert.throws(
          () => decode([text(0, 'Hel'), end], out),
          (thrown: Error) => thrown instanceof ModelError && thrown.kind === kind && thrown.param === param,
          JSON.stringify(end),
        )
        assert.deepEqual(textsOf(out), ['Hel'])
      }
    })
  }

  it('blames the field that the provider blames', () => {
    const error = { type: 'invalid_request_error', message: 'Bad effort.', param: 'reasoning.effort' }
    assert.throws(
      () => decode([{ type: 'error', error }]),
      (thrown: Error) => thrown instanceof ModelError && thrown.param === 'reasoning.effort',
    )
    const indexed = { ...error, param: 'input[4].content[0].image_url' }
    assert.throws(
      () => decode([{ type: 'error', error: indexed }]),
      (thrown: Error) => thrown instanceof ModelError && thrown.param === 'input',
    )
  })
})

describe('a reply that is cut short', () => {
  const reasons = [
    ['max_output_tokens', 'length'],
    ['content_filter', 'content_filter'],
    ['steered', 'length'],
    [null, 'length'],
  ] as const
  for (const [reason, expected] of reasons) {
    it(`for the reason ${reason} ends as ${expected}`, () => {
      const response = { status: 'incomplete', incomplete_details: reason && { reason }, output: [], usage: USAGE }
      const finish = decode([text(0, 'Hel'), { type: 'response.incomplete', response }]).at(-1)
      assert.ok(finish?.type === 'finish')
      assert.equal(finish.reason, expected)
      assert.equal(finish.usage?.total_tokens, 3)
    })
  }
})
