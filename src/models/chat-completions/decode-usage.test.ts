import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readUsage } from './decode-usage.ts'

type Case = readonly [title: string, chunk: Record<string, unknown>, expected: readonly number[] | null]
/** input, cached, cache writes, output, reasoning, total */
const CASES: readonly Case[] = [
  ['plain counts', { usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 } }, [3, 0, 0, 4, 0, 7]],
  [
    'details',
    {
      usage: {
        prompt_tokens: 30,
        completion_tokens: 4,
        total_tokens: 34,
        prompt_tokens_details: { cached_tokens: 20 },
        completion_tokens_details: { reasoning_tokens: 2 },
      },
    },
    [30, 20, 0, 4, 2, 34],
  ],
  ['a count that cannot be one', { usage: { prompt_tokens: 1e300, completion_tokens: 4 } }, [0, 0, 0, 4, 0, 4]],
  ['counts below zero', { usage: { prompt_tokens: -5, completion_tokens: -1, total_tokens: -6 } }, null],
  [
    'cache hits by another name',
    { usage: { prompt_tokens: 30, completion_tokens: 4, total_tokens: 34, prompt_cache_hit_tokens: 8 } },
    [30, 8, 0, 4, 0, 34],
  ],
  [
    'cache writes',
    { usage: { prompt_tokens: 30, completion_tokens: 4, total_tokens: 34, cache_creation_input_tokens: 9 } },
    [30, 0, 9, 4, 0, 34],
  ],
  ['a missing total', { usage: { prompt_tokens: 3, completion_tokens: 4 } }, [3, 0, 0, 4, 0, 7]],
  ['a total too small', { usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 1 } }, [3, 0, 0, 4, 0, 7]],
  [
    'reasoning counted only in the total',
    { usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 17 } },
    [3, 0, 0, 14, 10, 17],
  ],
  [
    'reasoning beside the completion',
    {
      usage: {
        prompt_tokens: 3,
        completion_tokens: 4,
        total_tokens: 17,
        completion_tokens_details: { reasoning_tokens: 10 },
      },
    },
    [3, 0, 0, 14, 10, 17],
  ],
  [
    'the names of the Responses API',
    { usage: { input_tokens: 3, output_tokens: 4, total_tokens: 7 } },
    [3, 0, 0, 4, 0, 7],
  ],
  ['counts in the choice', { choices: [], choiceUsage: true }, [1, 0, 0, 2, 0, 3]],
  [
    "Groq's place",
    { x_groq: { usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 } } },
    [3, 0, 0, 4, 0, 7],
  ],
  ["llama.cpp's timings", { timings: { cache_n: 5, prompt_n: 3, predicted_n: 4 } }, [8, 5, 0, 4, 0, 12]],
  ['nonsense', { usage: { prompt_tokens: -1, completion_tokens: 'x' } }, null],
  ['null', { usage: null }, null],
]

describe('decode usage', () => {
  for (const [title, chunk, expected] of CASES) {
    it(`reads ${title}`, () => {
      const choice = chunk.choiceUsage ? { usage: { prompt_tokens: 1, completion_tokens: 2 } } : null
      const usage = readUsage(chunk, choice)
      const flat = usage && [
        usage.input_tokens,
        usage.input_tokens_details.cached_tokens,
        usage.input_tokens_details.cache_write_tokens,
        usage.output_tokens,
        usage.output_tokens_details.reasoning_tokens,
        usage.total_tokens,
      ]
      assert.deepEqual(flat, expected)
    })
  }
})
