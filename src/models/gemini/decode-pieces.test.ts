import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toAnnotations } from './decode-citations.ts'
import { readUsage } from './decode-usage.ts'
import { readFinishReason } from './finish-reason.ts'
import { createPartialArgs } from './partial-args.ts'

const USAGES: readonly (readonly [string, unknown, readonly [number, number, number, number] | null])[] = [
  ['thoughts are output', { promptTokenCount: 10, candidatesTokenCount: 5, thoughtsTokenCount: 7 }, [10, 0, 12, 7]],
  [
    'what a tool read is input',
    { promptTokenCount: 10, toolUsePromptTokenCount: 90, candidatesTokenCount: 1 },
    [100, 0, 1, 0],
  ],
  [
    'what came from a cache is part of the input',
    { promptTokenCount: 10, cachedContentTokenCount: 8, candidatesTokenCount: 1 },
    [10, 8, 1, 0],
  ],
  [
    'a cache cannot hold more than the input',
    { promptTokenCount: 10, cachedContentTokenCount: 80, candidatesTokenCount: 1 },
    [10, 10, 1, 0],
  ],
  [
    'an answer that is counted only in the total',
    { promptTokenCount: 10, thoughtsTokenCount: 2, totalTokenCount: 20 },
    [10, 0, 10, 2],
  ],
  ['a prompt alone', { promptTokenCount: 10, totalTokenCount: 10 }, [10, 0, 0, 0]],
  ['numbers that are none', { promptTokenCount: -1, totalTokenCount: 'x' }, null],
  ['nothing', undefined, null],
]

describe('token counts of Gemini', () => {
  for (const [title, usageMetadata, expected] of USAGES) {
    it(title, () => {
      const usage = readUsage({ usageMetadata })
      if (expected === null) return assert.equal(usage, null)
      const [input, cached, output, reasoning] = expected
      assert.deepEqual(usage, {
        input_tokens: input,
        input_tokens_details: { cached_tokens: cached, cache_write_tokens: 0 },
        output_tokens: output,
        output_tokens_details: { reasoning_tokens: reasoning },
        total_tokens: input + output,
      })
    })
  }
})

describe('reasons to stop', () => {
  const CASES: readonly (readonly [string, boolean, string])[] = [
    ['STOP', false, 'stop'],
    ['STOP', true, 'tool_calls'],
    ['MAX_TOKENS', true, 'length'],
    ...[
      'SAFETY',
      'RECITATION',
      'LANGUAGE',
      'BLOCKLIST',
      'PROHIBITED_CONTENT',
      'SPII',
      'IMAGE_SAFETY',
      'MODEL_ARMOR',
    ].map((word) => [word, false, 'content_filter'] as const),
    ...['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'OTHER'].map((word) => [word, false, 'failed'] as const),
    ['NEW_WORD', false, 'stop'],
  ]
  for (const [word, hasCalls, expected] of CASES) {
    it(`${word}${hasCalls ? ' after calls' : ''} is ${expected}`, () =>
      assert.equal(readFinishReason(word, hasCalls), expected))
  }
})

describe('citations', () => {
  const at = (start: number, end: number) => [{ start, end, url: 'u', title: 't' }]
  const places = (text: string, start: number, end: number, skipped = 0) =>
    toAnnotations(at(start, end), text, skipped).map((annotation) =>
      annotation.type === 'url_citation' ? [annotation.start_index, annotation.end_index] : [],
    )[0]

  it('are places in characters, whatever the bytes of each', () => {
    assert.deepEqual(places('aé日🗼z', 0, 11), [0, 5])
    assert.deepEqual(places('aé日🗼z', 3, 10), [2, 4])
  })
  it('end where the text ends, and count from the block they are in', () => {
    assert.deepEqual(places('abc', 1, 99), [1, 3])
    assert.deepEqual(places('abc', 11, 13, 10), [1, 3])
    assert.deepEqual(places('abc', 2, 12, 10), [0, 2])
  })
  it('are told once, however often they came', () => {
    assert.equal(toAnnotations([...at(0, 1), ...at(0, 1), ...at(0, 2)], 'abc', 0).length, 2)
  })
})

describe('arguments in pieces', () => {
  const built = (...pieces: readonly unknown[]) => {
    const args = createPartialArgs()
    args.add(pieces)
    return args.value()
  }
  it('are put where their paths say, texts joined', () => {
    assert.deepEqual(
      built(
        { jsonPath: '$.a', stringValue: 'x' },
        { jsonPath: '$.b[1].c', numberValue: 2 },
        { jsonPath: '$.a', stringValue: 'y' },
        { jsonPath: "$['odd key'][0]", boolValue: false },
        { jsonPath: '$.n', nullValue: 'NULL_VALUE' },
      ),
      { a: 'xy', b: [null, { c: 2 }], 'odd key': [false], n: null },
    )
  })
  it('with a path that is none, or too far, are left out', () => {
    const paths = ['', 'a', '$', '$.', '$.a[99999999]', '$x', `$${'.a'.repeat(65)}`]
    assert.deepEqual(built(...paths.map((jsonPath) => ({ jsonPath, stringValue: 'x' })), 7, null), {})
  })
  it('cannot reach a prototype', () => {
    built({ jsonPath: '$.__proto__.polluted', stringValue: 'x' })
    assert.equal(Reflect.get({}, 'polluted'), undefined)
  })
})
