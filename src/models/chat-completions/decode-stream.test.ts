import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { brief, calls, decode, delta, type Json, stop, whole } from '../../../test/fakes/chat-decode.ts'
import { ModelError, type ModelErrorKind, type ModelEvent } from '../model.ts'
import { assertModelEvents, mergeDeltas } from '../model-run.contract.ts'
import type { Quirks } from './quirks.ts'

type Case = readonly [
  title: string,
  chunks: readonly (Json | string)[],
  expected: readonly string[],
  quirks?: Partial<Quirks>,
]

const CASES: readonly Case[] = [
  ['text', [delta({ content: 'a' }), delta({ content: 'b' }), stop()], ['text ab', 'finish stop']],
  ['nothing but an end', [delta({ role: 'assistant', content: '' }), stop()], ['finish stop']],
  ['an end by [DONE] without a reason', [delta({ content: 'a' }), '[DONE]'], ['text a', 'finish stop']],
  ['whatever follows [DONE]', [delta({ content: 'a' }), stop(), '[DONE]', 'rubbish'], ['text a', 'finish stop']],
  [
    'content after the reason',
    [delta({ content: 'a' }), stop('length'), delta({ content: 'b' }), '[DONE]'],
    ['text ab', 'finish length'],
  ],
  ['an empty reason as none', [delta({ content: 'a' }, { finish_reason: '' }), stop()], ['text a', 'finish stop']],
  [
    'choices without an index, and others beside the first',
    [{ choices: [{ index: 1, delta: { content: 'x' } }, { delta: { content: 'a' } }] }, stop()],
    ['text a', 'finish stop'],
  ],
  [
    'a whole message in a delta-less choice',
    [{ choices: [{ message: { content: 'a' }, finish_reason: 'stop' }] }],
    ['text a', 'finish stop'],
  ],
  ['refusal', [delta({ refusal: 'No' }), delta({ refusal: '.' }), stop()], ['refusal No.', 'finish stop']],
  [
    'text and then a refusal',
    [delta({ content: 'a' }), delta({ refusal: 'No' }), stop()],
    ['text a', 'refusal No', 'finish stop'],
  ],

  [
    'reasoning_content',
    [delta({ reasoning_content: 'r' }), delta({ content: 'a' }), stop()],
    ['reasoning r', 'text a', 'finish stop'],
  ],
  [
    'reasoning as an object',
    [delta({ reasoning: { content: 'r' } }), delta({ content: 'a' }), stop()],
    ['reasoning r', 'text a', 'finish stop'],
  ],
  [
    'the same reasoning in two fields once',
    [delta({ reasoning: 'r', reasoning_content: 'r' }), stop()],
    ['reasoning r', 'finish stop'],
  ],
  [
    'reasoning and text in one chunk',
    [delta({ reasoning: 'r', content: 'a' }), stop()],
    ['reasoning r', 'text a', 'finish stop'],
  ],
  [
    'reasoning again after text',
    [delta({ reasoning: 'r' }), delta({ content: 'a' }), delta({ reasoning: 's' }), delta({ content: 'b' }), stop()],
    ['reasoning r', 'text a', 'reasoning s', 'text b', 'finish stop'],
  ],
  [
    'summaries in parts, from details alone',
    [
      delta({ reasoning_details: [{ type: 'reasoning.summary', summary: 's', index: 0 }] }),
      delta({ reasoning_details: [{ type: 'reasoning.summary', summary: 't', index: 1 }] }),
      stop(),
    ],
    ['reasoning [0]s[1]t', 'finish stop'],
  ],
  [
    'encrypted details behind the text',
    [delta({ content: 'a' }), delta({ reasoning_details: [{ type: 'reasoning.encrypted', data: 'x' }] }), stop()],
    ['text a', 'reasoning  + state', 'finish stop'],
    { reasoningState: 'reasoning_details' },
  ],
  [
    'details that nobody wants back',
    [delta({ reasoning_details: [{ type: 'reasoning.encrypted', data: 'x' }] }), delta({ content: 'a' }), stop()],
    ['text a', 'finish stop'],
  ],

  [
    'think tags in one piece',
    [delta({ content: '<think>\nr\n</think>\n\na' }), stop()],
    ['reasoning r\n', 'text a', 'finish stop'],
  ],
  [
    'think tags in pieces of one character',
    [...'<think>r</think>a'].map((content) => delta({ content })).concat(stop()),
    ['reasoning r', 'text a', 'finish stop'],
  ],
  [
    'an empty thought',
    [delta({ content: '<think>\n\n</think>\n\n' }), delta({ content: 'a' }), stop()],
    ['text a', 'finish stop'],
  ],
  ['a thought that never ends', [delta({ content: '<think>r' }), stop('length')], ['reasoning r', 'finish length']],
  [
    'a tag that was none',
    [delta({ content: ' <thi' }), delta({ content: 's is' }), stop()],
    ['text  <this is', 'finish stop'],
  ],
  [
    'a tag in the middle as text',
    [delta({ content: 'a<think>b</think>' }), stop()],
    ['text a<think>b</think>', 'finish stop'],
  ],
  ['half a tag at the end', [delta({ content: '<thi' }), stop()], ['text <thi', 'finish stop']],
  [
    'tags where they mean nothing',
    [delta({ content: '<think>r</think>a' }), stop()],
    ['text <think>r</think>a', 'finish stop'],
    { thinkTags: false },
  ],
  [
    'a prefilled tag',
    [delta({ content: 'r</th' }), delta({ content: 'ink>a' }), stop()],
    ['reasoning r', 'text a', 'finish stop'],
    { thinkTagPrefilled: true },
  ],
  [
    'a prefilled tag that is written again',
    [delta({ content: '<think>r</think>a' }), stop()],
    ['reasoning r', 'text a', 'finish stop'],
    { thinkTagPrefilled: true },
  ],
  [
    'a call right after a thought',
    [delta({ content: '<think>r</think>' }), calls(whole('get_time', '{}', { index: 0, id: 'a' })), stop()],
    ['reasoning r', 'function get_time#a {}', 'finish tool_calls'],
  ],

  [
    'parts of content',
    [
      delta({
        content: [
          { type: 'thinking', thinking: 'r' },
          { type: 'text', text: 'a' },
        ],
      }),
      delta({ content: [{ type: 'refusal', refusal: 'No' }] }),
      stop(),
    ],
    ['reasoning r', 'text a', 'refusal No', 'finish stop'],
  ],

  ['a content filter', [delta({ content: 'a' }), stop('content_filter')], ['text a', 'finish content_filter']],
  ['a foreign word for a filter', [stop('SAFETY')], ['finish content_filter']],
  ['a foreign word for the limit', [stop('MAX_TOKENS')], ['finish length']],
  ['a word nobody knows', [delta({ content: 'a' }), stop('because')], ['text a', 'finish stop']],
]

const FAILURES: readonly (readonly [string, readonly (Json | string)[], ModelErrorKind, RegExp])[] = [
  ['JSON that is none', [delta({ content: 'a' }), '{"id": oops'], 'malformed', /not a JSON object/],
  ['a list', ['[1]'], 'malformed', /not a JSON object/],
  ['an end in the middle', [delta({ content: 'a' })], 'malformed', /ended in the middle/],
  ['an end without any choice', [{ usage: { prompt_tokens: 1 } }, '[DONE]'], 'malformed', /no choice/],
  ['nothing at all', [], 'malformed', /ended in the middle/],
  [
    'an unknown tool',
    [calls(whole('rm_rf', '{}', { index: 0, id: 'a' })), stop()],
    'malformed',
    /'rm_rf', which is not a tool/,
  ],
  [
    'the beginning of a name only',
    [calls({ index: 0, function: { name: 'get_' } }), stop()],
    'malformed',
    /'get_', which is not a tool/,
  ],
  [
    'a call without a name',
    [calls({ index: 0, id: 'a', function: { arguments: '{}' } }), stop()],
    'malformed',
    /without a name/,
  ],
  [
    'arguments that go on after their end',
    [
      calls(whole('get_time', '{}', { index: 0, id: 'a' })),
      calls(whole('get_time', '{}', { index: 1, id: 'b' })),
      calls({ index: 0, function: { arguments: '{}' } }),
    ],
    'malformed',
    /went on after their end/,
  ],
  [
    'a call of everything',
    Array.from({ length: 300 }, (_, index) => calls(whole('get_time', '{}', { index, id: `c${index}` }))),
    'malformed',
    /more than 256/,
  ],
  [
    'a reason that says it failed',
    [delta({ content: 'a' }), stop('insufficient_system_resource')],
    'unavailable',
    /gave up/,
  ],
  [
    'an error object',
    [{ error: { message: 'died at http://10.0.0.1', type: 'server_error', code: 500 } }],
    'unavailable',
    /not available/,
  ],
  ['an error that is a text', [{ error: 'rate limit reached' }], 'rate_limit', /limits its rate/],
  [
    'an error in an old form',
    [
      {
        object: 'error',
        message: 'prompt is too long: maximum context length is 10',
        type: 'BadRequestError',
        code: 400,
      },
    ],
    'context_length',
    /maximum context/,
  ],
  [
    'an error with a choice beside it',
    [{ error: { code: 429, message: 'slow down' }, choices: [{ delta: {}, finish_reason: 'error' }] }],
    'rate_limit',
    /limits its rate/,
  ],
]

describe('decode stream', () => {
  for (const [title, chunks, expected, quirks] of CASES) {
    it(`reads ${title}`, () => assert.deepEqual(brief(decode(chunks, quirks)), expected))
  }
  for (const [title, chunks, kind, message] of FAILURES) {
    it(`fails on ${title}`, () => {
      assert.throws(
        () => decode(chunks),
        (error) => error instanceof ModelError && error.kind === kind && message.test(error.message),
      )
    })
  }

  it('never cuts a character in two, and replaces a half that stays alone', () => {
    const texts = decode([
      delta({ content: 'a\ud83c' }),
      delta({ content: '\udf89' }),
      delta({ content: '\ud83c' }),
      stop(),
    ])
    assert.deepEqual(
      texts.flatMap((event) => (event.type === 'text-delta' ? [event.delta] : [])),
      ['a', '🎉', '\ufffd'],
    )
  })

  it('keeps log probabilities with their text, also of text that had to wait and of tokens without any', () => {
    const token = (text: string) => ({ token: text, logprob: -1 })
    const logprobs = (...texts: string[]) => ({ logprobs: { content: texts.map(token) } })
    const events = decode([
      delta({ content: '<' }, logprobs('<')),
      delta({ content: 'a' }, logprobs('a')),
      delta({ content: '\ud83c' }, logprobs('x')),
      delta({ content: '\udf89' }, logprobs('y')),
      delta({ content: '' }, logprobs('z')),
      stop(),
    ])
    const deltas = events.flatMap((event) =>
      event.type === 'text-delta' ? [[event.delta, event.logprobs?.map((one) => one.token).join('')]] : [],
    )
    assert.deepEqual(deltas, [
      ['<a', '<a'],
      ['🎉', 'xy'],
      ['', 'z'],
    ])
    const [first] = events.flatMap((event) => (event.type === 'text-delta' ? (event.logprobs ?? []) : []))
    assert.deepEqual(first, { token: '<', logprob: -1, bytes: [60], top_logprobs: [] })
  })

  it('keeps citations until there is text, nested or flat, and drops what names no URL', () => {
    const flat = { type: 'url_citation', url: 'https://b', title: 'B', start_index: 1, end_index: 2 }
    const events = decode([
      delta({ annotations: [{ type: 'url_citation', url_citation: { url: 'https://a' } }, { type: 'file' }] }),
      delta({ content: 'text' }),
      delta({ annotations: [flat] }),
      stop(),
    ])
    assert.deepEqual(
      events.flatMap((event) => (event.type === 'annotation' ? [event.annotation] : [])),
      [{ type: 'url_citation', url: 'https://a', title: 'https://a', start_index: 0, end_index: 0 }, flat],
    )
  })

  it('reads the same however vendors cut text and tags', () => {
    const full = '<think>\nSome thought 🎉 < done </thin </think>\n\nThe answer <b> 😀.'
    const expected = mergeDeltas(decode([delta({ content: full }), stop()]))
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: full.length - 1 }), { maxLength: 12 }), (cuts) => {
        const at = [0, ...new Set(cuts.sort((a, b) => a - b)), full.length]
        const pieces = at.slice(1).map((end, index) => delta({ content: full.slice(at[index], end) }))
        assert.deepEqual(mergeDeltas(decode([...pieces, stop()])), expected)
      }),
      { numRuns: 200 },
    )
  })

  it('never breaks the grammar, whatever comes in whatever order', () => {
    const fragment = fc.record(
      {
        index: fc.constantFrom(0, 1, 2),
        id: fc.constantFrom('a', 'b', ''),
        function: fc.record(
          {
            name: fc.constantFrom('get_time', 'get_weather', ''),
            arguments: fc.constantFrom('{', '}', '{}', '', '"x"'),
          },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: ['function'] },
    )
    const any = fc.record(
      {
        content: fc.constantFrom('a', '<think>', '</think>', '\ud83c', '\udf89', ' '),
        reasoning: fc.constantFrom('r', '\ud83c'),
        refusal: fc.constantFrom('n'),
        tool_calls: fc.array(fragment, { maxLength: 2 }),
        reasoning_details: fc.constant([{ type: 'reasoning.encrypted', data: 'd' }]),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.array(any, { maxLength: 12 }), (deltas) => {
        const out: ModelEvent[] = []
        try {
          decode([...deltas.map((fields) => delta(fields)), stop()], { reasoningState: 'reasoning_details' }, out)
        } catch (error) {
          assert.ok(error instanceof ModelError && error.kind === 'malformed')
          assert.ok(!out.some(({ type }) => type === 'finish'))
          return
        }
        assertModelEvents(out)
      }),
      { numRuns: 500 },
    )
  })
})
