import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { calcPrice } from '@pydantic/genai-prices'
import { systemClock } from '../../lib/clock.ts'
import { costOf, dayOf } from '../../protocol/cost.ts'
import type { Usage } from '../../protocol/response.ts'
import { noPrices } from '../price-book.ts'
import { createConfiguredPrices } from './configured-prices.ts'
import { createPublicPrices, PRICE_LIST } from './public-prices.ts'

const provider = (name: string, apiBase: string, priceList: string | null = null) => ({ name, apiBase, priceList })
const bookOf = (...providers: ReturnType<typeof provider>[]) => createPublicPrices({ providers, clock: systemClock })
const usage = (input: number, output: number, cached = 0, written = 0): Usage => ({
  input_tokens: input,
  input_tokens_details: { cached_tokens: cached, cache_write_tokens: written },
  output_tokens: output,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: input + output,
})

const LISTS = [
  ['openai', 'https://api.openai.com/v1', ['gpt-4o', 'gpt-4o-2024-11-20', 'gpt-5.4', 'o3', 'gpt-4.1-mini']],
  ['anthropic', 'https://api.anthropic.com/v1', ['claude-sonnet-4-5', 'claude-opus-4-1', 'claude-haiku-4-5']],
  ['google', 'https://generativelanguage.googleapis.com/v1beta/openai', ['gemini-2.5-pro', 'gemini-2.5-flash']],
  ['groq', 'https://api.groq.com/openai/v1', ['llama-3.3-70b-versatile']],
  ['mistral', 'https://api.mistral.ai/v1', ['mistral-large-latest']],
  ['openrouter', 'https://openrouter.ai/api/v1', ['anthropic/claude-sonnet-4']],
] as const
const USAGES = [
  usage(1_000, 100),
  usage(1_000, 0),
  usage(0, 7),
  usage(10_000, 500, 4_000),
  usage(400_000, 9_000, 50_000),
  usage(271_999, 1),
  usage(272_000, 1),
]

test('our arithmetic agrees with that of the package to a billionth of a dollar', async (t) => {
  let cases = 0
  for (const [id, apiBase, models] of LISTS) {
    const book = bookOf(provider('p', apiBase))
    for (const model of models) {
      const sheet = await book.priceOf('p', model)
      assert.ok(sheet, `${id} ${model}`)
      for (const used of USAGES) {
        const theirs = calcPrice(
          {
            input_tokens: used.input_tokens,
            cache_read_tokens: used.input_tokens_details.cached_tokens,
            output_tokens: used.output_tokens,
          },
          model,
          { providerId: id },
        )
        const ours = costOf(used, sheet, dayOf(systemClock.now()))
        assert.ok(ours && theirs)
        assert.ok(Math.abs(ours.usd - theirs.total_price) < 1e-9, `${model} ${JSON.stringify(used)}`)
        const sum = ours.lines.reduce((total, line) => total + line.usd, 0)
        assert.equal(sum, ours.usd)
        cases += 1
      }
    }
  }
  t.diagnostic(`${cases} cases`)
  assert.ok(cases >= 60)
})

test('cache writes are charged at their own price', async () => {
  const sheet = await bookOf(provider('p', 'https://api.anthropic.com')).priceOf('p', 'claude-sonnet-4-5')
  assert.ok(sheet)
  const theirs = calcPrice(
    { input_tokens: 5_000, cache_write_tokens: 4_000, cache_read_tokens: 500, output_tokens: 10 },
    'claude-sonnet-4-5',
    { providerId: 'anthropic' },
  )
  const ours = costOf(usage(5_000, 10, 500, 4_000), sheet, '2027-01-31')
  assert.ok(ours && theirs && Math.abs(ours.usd - theirs.total_price) < 1e-9)
  assert.deepEqual(
    ours.lines.map(({ unit, quantity }) => [unit, quantity]),
    [
      ['input', 500],
      ['cached_input', 500],
      ['cache_write', 4_000],
      ['output', 10],
    ],
  )
  assert.equal(ours.source, PRICE_LIST)
  assert.equal(ours.date, '2027-01-31')
})

test('what nobody prices is unknown, never free', async () => {
  const book = bookOf(
    provider('openai', 'https://api.openai.com/v1'),
    provider('gpu', 'http://vllm:8000/v1'),
    provider('local', 'http://127.0.0.1:11434/v1'),
    provider('off', 'https://api.openai.com/v1', 'none'),
  )
  assert.equal(await book.priceOf('openai', 'a-model-nobody-has'), null)
  for (const name of ['gpu', 'local', 'off', 'stranger']) assert.equal(book.priceOf(name, 'gpt-4o'), null, name)
})

test('an operator can say whose price list a proxy has', async () => {
  const book = bookOf(provider('proxy', 'http://10.0.0.1/v1', 'openai'))
  assert.equal((await book.priceOf('proxy', 'gpt-4o'))?.input.base, 2.5)
  assert.notEqual(book.priceOf('proxy', 'gpt-4o'), null)
  assert.ok(!(book.priceOf('proxy', 'gpt-4o') instanceof Promise), 'once loaded nobody waits')
})

test('the prices of the configuration stand before all others, also a price of zero', () => {
  const prices = new Map([
    ['gpu/qwen', { input: 1, cachedInput: 0.1, cacheWrite: null, output: 2 }],
    ['gpu/free', { input: 0, cachedInput: null, cacheWrite: null, output: 0 }],
  ])
  const book = createConfiguredPrices(prices, noPrices)
  const costs = ['qwen', 'free', 'other'].map((model) => {
    const sheet = book.priceOf('gpu', model)
    assert.ok(!(sheet instanceof Promise))
    return sheet && costOf(usage(1_000_000, 500_000, 500_000, 100_000), sheet, '2027-01-31')?.usd
  })
  assert.deepEqual(costs, [0.4 + 0.05 + 0.1 + 1, 0, null])
})

test('an output without a price makes the whole cost unknown', async () => {
  const sheet = await bookOf(provider('p', 'https://api.openai.com/v1')).priceOf('p', 'text-embedding-3-small')
  assert.ok(sheet)
  assert.equal(costOf(usage(1_000_000, 0), sheet, '')?.usd, 0.02)
  assert.equal(costOf(usage(1, 1), sheet, ''), null)
})

test('the source names the version that is installed', () => {
  const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  assert.equal(PRICE_LIST, `@pydantic/genai-prices ${manifest.dependencies['@pydantic/genai-prices']}`)
})
