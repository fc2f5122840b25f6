import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ScriptedReply, startChatUpstream } from '../../../test/fakes/chat-upstream.ts'
import { systemClock } from '../../lib/clock.ts'
import { createCountingIds } from '../../lib/ids.ts'
import { createUpstreamAgent, DEFAULT_UPSTREAM_CLOCKS } from '../../lib/upstream-http.ts'
import { embedderContract } from '../embedder.contract.ts'
import { type ModelAttempt, ModelError } from '../model.ts'
import { createRetryBudget } from '../retry-budget.ts'
import { retryingEmbedder } from '../retrying-embedder.ts'
import { createOpenAiEmbedder } from './openai-embedder.ts'

async function open(script: (index: number) => ScriptedReply = () => ({})) {
  const upstream = await startChatUpstream({ script: (_, index) => script(index) })
  const dispatcher = createUpstreamAgent(DEFAULT_UPSTREAM_CLOCKS)
  const embedder = createOpenAiEmbedder({
    provider: 'test',
    baseUrl: upstream.url,
    apiKey: 'secret-key',
    limits: { dimensions: null, maxInputs: 4, maxInputTokens: null },
    clock: systemClock,
    clocks: DEFAULT_UPSTREAM_CLOCKS,
    ids: createCountingIds(),
    dispatcher,
  })
  const close = async () => {
    await dispatcher.destroy()
    await upstream.close()
  }
  return { embedder, upstream, close, model: 'embed-test', otherDimensions: 5 }
}

embedderContract('openai-style', () => open())

const REQUEST = { model: 'embed-test', inputs: ['a', 'b'], dimensions: null, user: null }

async function failure(reply: ScriptedReply, change: { dimensions?: number } = {}) {
  const { embedder, close } = await open(() => reply)
  const attempts: ModelAttempt[] = []
  const signal = new AbortController().signal
  try {
    await embedder.embed({ ...REQUEST, ...change }, { signal, onAttempt: (attempt) => attempts.push(attempt) })
  } catch (error) {
    assert.ok(error instanceof ModelError)
    assert.equal(error.provider, 'test')
    assert.deepEqual(
      attempts.map(({ outcome }) => outcome),
      ['failed'],
    )
    return error
  } finally {
    await close()
  }
  throw new Error('nothing failed')
}

const wire = (data: unknown) => ({ wire: JSON.stringify({ data }), headers: { 'content-type': 'application/json' } })
const vector = (index: number, embedding: unknown = [1, 2]) => ({ index, embedding })

test('every broken reply is malformed, and never a wrong vector', async () => {
  const broken: readonly ScriptedReply[] = [
    wire([vector(0)]),
    wire([vector(0), vector(0)]),
    wire([vector(0), vector(2)]),
    wire([vector(0), vector(1, [1])]),
    wire([vector(0), vector(1, [])]),
    wire([vector(0), vector(1, [1, null])]),
    wire([vector(0), vector(1, ['1', '2'])]),
    wire([vector(0), vector(1, 'AAA=')]),
    wire(null),
    { wire: '<html>', headers: { 'content-type': 'text/html' } },
    { wire: '[]' },
  ]
  for (const reply of broken) assert.equal((await failure(reply)).kind, 'malformed', JSON.stringify(reply))
})

test('failures of the provider keep their kind', async () => {
  const cases: readonly (readonly [number, string])[] = [
    [400, 'invalid_request'],
    [401, 'auth'],
    [404, 'model_not_found'],
    [429, 'rate_limit'],
    [503, 'unavailable'],
  ]
  for (const [status, kind] of cases) assert.equal((await failure({ status })).kind, kind)
  const connection = await failure({ wire: '{"data": [', stopAt: 5, stopBy: 'reset' })
  assert.ok(['connection', 'malformed'].includes(connection.kind))
})

test('a provider that ignores the dimensions is not believed', async () => {
  const error = await failure(wire([vector(0), vector(1)]), { dimensions: 5 })
  assert.deepEqual([error.kind, error.param], ['invalid_request', 'dimensions'])
})

test('vectors are put in order, also when they come as base64', async () => {
  const floats = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer).toString('base64')
  const { embedder, close } = await open(() => wire([vector(1, floats(0.5, 2)), vector(0, [1, -1])]))
  try {
    const { vectors } = await embedder.embed(REQUEST, { signal: new AbortController().signal })
    assert.deepEqual(vectors, [
      [1, -1],
      [0.5, 2],
    ])
  } finally {
    await close()
  }
})

test('a call that was refused for now is repeated, at the next place first, and no more often than allowed', async () => {
  const broken = await open(() => ({ status: 503 }))
  const healthy = await open()
  const options = {
    clock: systemClock,
    ids: createCountingIds(),
    budget: createRetryBudget({ clock: systemClock }),
    maxAttempts: 3,
  }
  const signal = new AbortController().signal
  try {
    const both = retryingEmbedder(
      [
        { embedder: broken.embedder, upstreamModel: 'one' },
        { embedder: healthy.embedder, upstreamModel: 'two' },
      ],
      options,
    )
    assert.equal((await both.embed(REQUEST, { signal })).vectors.length, 2)
    assert.equal(Object(healthy.upstream.requests.at(-1)?.body).model, 'two')
    const alone = retryingEmbedder([{ embedder: broken.embedder, upstreamModel: 'one' }], options)
    const before = broken.upstream.requests.length
    await assert.rejects(alone.embed(REQUEST, { signal }), ModelError)
    assert.equal(broken.upstream.requests.length - before, 3)
  } finally {
    await Promise.all([broken.close(), healthy.close()])
  }
})
