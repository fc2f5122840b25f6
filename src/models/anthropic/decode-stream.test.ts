import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fixtureTurn } from '../../../test/fakes/anthropic-fixtures.ts'
import { ModelError, type ModelErrorKind, type ModelEvent } from '../model.ts'
import { assertModelEvents, mergeDeltas } from '../model-run.contract.ts'
import { createStreamDecoder } from './decode-stream.ts'

const error = { provider: 'acme', model: 'm', secrets: [], params: {} }

function decode(...events: readonly object[]): readonly ModelEvent[] {
  const out: ModelEvent[] = []
  const decoder = createStreamDecoder({ turn: fixtureTurn, error })
  for (const event of events) decoder.data(JSON.stringify(event), undefined, out)
  decoder.end(out)
  assertModelEvents(out)
  return mergeDeltas(out)
}
const start = (index: number, content_block: object) => ({ type: 'content_block_start', index, content_block })
const delta = (index: number, fields: object) => ({ type: 'content_block_delta', index, delta: fields })
const stop = (index: number) => ({ type: 'content_block_stop', index })
const text = (index: number, value: string) => delta(index, { type: 'text_delta', text: value })
const thought = (index: number, thinking: string) => delta(index, { type: 'thinking_delta', thinking })
const end = (stop_reason: string, fields: object = {}) => ({ type: 'message_delta', delta: { stop_reason, ...fields } })
const END = end('end_turn')
const THINKING = { type: 'thinking', thinking: '', signature: '' }
const TEXT = { type: 'text', text: '' }
const tool = (name = 'get_time') => ({ type: 'tool_use', id: 'toolu_1', name, input: {} })
const brief = (events: readonly ModelEvent[]) =>
  events.map((event) => ('delta' in event ? `${event.type} ${event.delta}` : event.type))

describe('the events of a reply', () => {
  it('are passed over where nobody knows them', () => {
    const events = decode(
      { type: 'ping' },
      { type: 'novelty' },
      start(0, { type: 'future_block' }),
      delta(0, { type: 'x' }),
      stop(0),
      END,
    )
    assert.deepEqual(brief(events), ['finish'])
  })

  it('a block that never stopped ends with the reply; a thought without a signature leaves no state', () => {
    const events = decode(start(0, THINKING), thought(0, 'hm'), end('max_tokens'))
    assert.deepEqual(brief(events), ['reasoning-start', 'reasoning-delta hm', 'reasoning-end', 'finish'])
    assert.ok(!('state' in events[2]!))
    assert.deepEqual(
      brief(
        decode(
          start(0, TEXT),
          text(0, 'a'),
          start(1, tool()),
          delta(1, { type: 'input_json_delta', partial_json: '{"a' }),
          end('max_tokens'),
        ),
      ),
      ['text-start', 'text-delta a', 'text-end', 'call-start', 'call-delta {"a', 'call-end', 'finish'],
    )
  })

  it('blocks that overlap keep what belongs to each', () => {
    const events = decode(
      start(0, THINKING),
      thought(0, 'one'),
      start(1, TEXT),
      text(1, 'two'),
      delta(0, { type: 'signature_delta', signature: 'sig' }),
      stop(0),
      text(1, 'three'),
      stop(1),
      END,
    )
    assert.deepEqual(brief(events), [
      'reasoning-start',
      'reasoning-delta one',
      'reasoning-end',
      'text-start',
      'text-delta two',
      'text-end',
      'reasoning-start',
      'reasoning-end',
      'text-start',
      'text-delta three',
      'text-end',
      'finish',
    ])
    assert.match(JSON.stringify(events[7]), /\\"thinking\\":\\"one\\",\\"signature\\":\\"sig\\"/)
  })

  it('citations of a piece that something else came into are left out rather than misplaced', () => {
    const citation = { type: 'char_location', document_index: 0, document_title: 'a' }
    const cite = (index: number) => delta(index, { type: 'citations_delta', citation })
    const events = decode(start(0, TEXT), text(0, 'abc'), cite(0), start(1, tool()), stop(0), stop(1), END)
    assert.ok(!events.some(({ type }) => type === 'annotation'))
    assert.ok(decode(start(0, TEXT), text(0, 'abc'), cite(0), stop(0), END).some(({ type }) => type === 'annotation'))
  })

  it('the place of a citation counts characters, also those that two deltas cut in two', () => {
    const citation = { type: 'web_search_result_location', url: 'https://a.example/', title: 'A' }
    const events = decode(
      start(0, TEXT),
      text(0, 'a\ud83d'),
      text(0, '\ude00'),
      stop(0),
      start(1, TEXT),
      text(1, '😀b'),
      delta(1, { type: 'citations_delta', citation }),
      stop(1),
      END,
    )
    const found = events.find(({ type }) => type === 'annotation')
    assert.ok(found?.type === 'annotation' && found.annotation.type === 'url_citation')
    assert.deepEqual([found.annotation.start_index, found.annotation.end_index], [2, 4])
  })

  it('halves of a character in two deltas are one', () => {
    const events = decode(start(0, TEXT), text(0, 'a\ud83d'), text(0, '\ude00'), stop(0), END)
    assert.deepEqual(brief(events)[1], 'text-delta a😀')
  })

  it('counts of tokens come from both ends of the reply, the larger of each', () => {
    const usage = { input_tokens: 5, cache_read_input_tokens: 20, output_tokens: 1 }
    const last = {
      ...END,
      usage: { input_tokens: 0, output_tokens: 9, output_tokens_details: { thinking_tokens: 30 } },
    }
    const [finish] = decode({ type: 'message_start', message: { usage } }, last)
    assert.ok(finish?.type === 'finish')
    assert.equal(finish.usage?.input_tokens, 25)
    assert.equal(finish.usage?.input_tokens_details.cached_tokens, 20)
    assert.equal(finish.usage?.output_tokens, 9)
    assert.equal(finish.usage?.output_tokens_details.reasoning_tokens, 9, 'never more than the whole')
    const [none] = decode(END)
    assert.ok(none?.type === 'finish' && none.usage === null)
  })

  it('a message that came whole is read as if it had been streamed', () => {
    const content = [
      { ...THINKING, thinking: 'hm', signature: 's' },
      { ...TEXT, text: 'Hi' },
      { ...tool(), input: { a: 1 } },
    ]
    const events = decode({
      type: 'message',
      content,
      stop_reason: 'tool_use',
      usage: { input_tokens: 1, output_tokens: 2 },
    })
    assert.deepEqual(brief(events), [
      'reasoning-start',
      'reasoning-delta hm',
      'reasoning-end',
      'text-start',
      'text-delta Hi',
      'text-end',
      'call-start',
      'call-delta {"a":1}',
      'call-end',
      'finish',
    ])
  })

  const reasons: readonly [string, string][] = [
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['tool_use', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['pause_turn', 'length'],
    ['refusal', 'content_filter'],
    ['new_word', 'stop'],
  ]
  for (const [word, reason] of reasons) {
    it(`stop reason ${word} is ${reason}`, () => {
      const last = decode(end(word)).at(-1)
      assert.ok(last?.type === 'finish' && last.reason === reason && last.rawReason === word)
    })
  }

  it('a refusal without an explanation has one of ours', () => {
    assert.match(brief(decode(end('refusal', { stop_details: null })))[1] ?? '', /declined to answer/)
  })
})

describe('a reply that cannot be understood', () => {
  const cases: readonly [string, readonly object[], ModelErrorKind, RegExp][] = [
    ['a tool nobody offered', [start(0, tool('rm'))], 'malformed', /'rm', which is not a tool/],
    ['a tool without a name', [start(0, { type: 'tool_use' })], 'malformed', /'', which is not a tool/],
    ['a block without an index', [{ type: 'content_block_start', content_block: TEXT }], 'malformed', /no index/],
    ['no stop reason', [start(0, TEXT), stop(0), { type: 'message_stop' }], 'malformed', /does not say why/],
    ['an end in the middle', [start(0, TEXT), text(0, 'a')], 'malformed', /ended in the middle/],
    [
      'a runaway of calls',
      Array.from({ length: 257 }, (_, index) => start(index, tool())),
      'malformed',
      /more than 256/,
    ],
    [
      'an error event',
      [{ type: 'error', error: { type: 'rate_limit_error', message: 'slow' } }],
      'rate_limit',
      /limits its rate/,
    ],
    ['an error of a proxy', [{ error: { message: 'worker died', code: 500 } }], 'unavailable', /not available/],
    [
      'an error about the input',
      [{ type: 'error', error: { type: 'invalid_request_error', message: 'prompt is too long' } }],
      'context_length',
      /too long/,
    ],
  ]
  for (const [what, events, kind, message] of cases) {
    it(`${what} is ${kind}`, () => {
      assert.throws(
        () => decode(...events),
        (thrown) => thrown instanceof ModelError && thrown.kind === kind && message.test(thrown.message),
      )
    })
  }

  it('what is no JSON object is malformed', () => {
    for (const data of ['[1]', '{"a', 'null']) {
      assert.throws(
        () => createStreamDecoder({ turn: fixtureTurn, error }).data(data, undefined, []),
        /not a JSON object/,
      )
    }
  })
})
