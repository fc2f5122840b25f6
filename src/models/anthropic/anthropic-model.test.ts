import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createTestModel, fixtureTurn } from '../../../test/fakes/anthropic-fixtures.ts'
import { type AnthropicOptions as FakeOptions, startAnthropicUpstream } from '../../../test/fakes/anthropic-upstream.ts'
import { ModelError, type ModelTurn } from '../model.ts'
import { runModel } from '../model-run.contract.ts'
import type { AnthropicOptions } from './anthropic-model.ts'

async function withModel(
  fake: FakeOptions,
  options: Partial<AnthropicOptions>,
  use: (parts: {
    readonly model: ReturnType<typeof createTestModel>
    readonly upstream: Awaited<ReturnType<typeof startAnthropicUpstream>>
  }) => Promise<void>,
): Promise<void> {
  const upstream = await startAnthropicUpstream(fake)
  const model = createTestModel(upstream.url, options)
  try {
    await use({ model, upstream })
  } finally {
    await model.close()
    await upstream.close()
  }
}
const context = () => ({ signal: new AbortController().signal })
const turn: ModelTurn = { ...fixtureTurn, reasoning: { effort: 'low', summary: null } }

describe('a call of the Messages API', () => {
  it('lets itself in and asks for what it needs, beside what the operator asks for', async () => {
    const headers = { 'Anthropic-Beta': 'files-api-2025-04-14, interleaved-thinking-2025-05-14', 'x-team': 'blue' }
    await withModel({ apiKey: 'secret-key' }, { headers }, async ({ model, upstream }) => {
      assert.equal((await runModel(model, turn)).error, null)
      const sent = upstream.requests[0]?.headers
      assert.equal(sent?.['x-api-key'], 'secret-key')
      assert.equal(sent?.['anthropic-version'], '2023-06-01')
      assert.equal(sent?.['anthropic-beta'], 'files-api-2025-04-14,interleaved-thinking-2025-05-14')
      assert.equal(sent?.['x-team'], 'blue')
      assert.equal(sent?.authorization, undefined)
    })
  })

  it('works at another address with the headers of that place and no key', async () => {
    const headers = { authorization: 'Bearer of-a-gateway' }
    await withModel({}, { headers, apiKey: null }, async ({ model, upstream }) => {
      assert.equal((await runModel(model, turn)).error, null)
      assert.equal(upstream.requests[0]?.headers.authorization, 'Bearer of-a-gateway')
      assert.equal(upstream.requests[0]?.headers['x-api-key'], undefined)
    })
  })

  it('understands a provider that does not stream', async () => {
    await withModel({ script: [{ plainJson: true }] }, {}, async ({ model }) => {
      const { events, error } = await runModel(model, fixtureTurn)
      assert.equal(error, null)
      assert.deepEqual(events.at(-1)?.type, 'finish')
    })
  })

  it('is refused before it is sent when it cannot be written', async () => {
    await withModel({}, {}, async ({ model, upstream }) => {
      const tools = [{ type: 'custom', name: 'c', description: null, format: { type: 'text' } }] as const
      const { error, attempts } = await runModel(model, { ...turn, tools })
      assert.ok(error instanceof ModelError && error.param === 'tools')
      assert.equal(upstream.requests.length, 0)
      assert.deepEqual(attempts, [])
    })
  })
})

describe('input tokens', () => {
  const paths = (upstream: { readonly requests: readonly { readonly path: string }[] }) =>
    upstream.requests.map(({ path }) => path)

  it('are what the provider counts, of a request it would take', async () => {
    await withModel({}, {}, async ({ model, upstream }) => {
      const tokens = await model.countInputTokens({ ...turn, temperature: 1, maxOutputTokens: 9000 }, context())
      assert.equal(upstream.requests[0]?.refused, null)
      const { tools, system, messages } = (upstream.requests[0]?.body ?? {}) as Record<string, unknown>
      assert.equal(tokens, Math.ceil(JSON.stringify([tools, system ?? [], messages]).length / 4))
    })
  })

  it('are estimated where it does not count, and it is not asked again', async () => {
    await withModel({ counts: false }, {}, async ({ model, upstream }) => {
      const image = { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'auto' } as const
      const [message] = fixtureTurn.items
      assert.ok(message?.type === 'message' && message.role === 'user')
      const short = await model.countInputTokens(turn, context())
      const seen = await model.countInputTokens({ ...turn, items: [{ ...message, content: [image] }] }, context())
      assert.ok(short > 5 && short < 100, String(short))
      assert.ok(seen > 1000, String(seen))
      assert.deepEqual(paths(upstream), ['/v1/messages/count_tokens'])
    })
  })

  it('are estimated for once when the provider is busy', async () => {
    await withModel({ apiKey: 'another' }, {}, async ({ model, upstream }) => {
      assert.ok((await model.countInputTokens(turn, context())) > 0)
      assert.ok((await model.countInputTokens(turn, context())) > 0)
      assert.equal(paths(upstream).length, 2)
    })
  })

  it('are not counted for a caller that has gone', async () => {
    await withModel({}, {}, async ({ model }) => {
      const gone = { signal: AbortSignal.abort() }
      await assert.rejects(
        () => model.countInputTokens(turn, gone),
        (error) => error instanceof ModelError && error.kind === 'aborted',
      )
    })
  })
})
