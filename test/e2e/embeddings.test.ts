/** `POST /v1/embeddings` with the SDKs, on the demo model and on an OpenAI-style upstream. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createOpenAI } from '@ai-sdk/openai'
import { OpenAIEmbeddings } from '@langchain/openai'
import { embedMany } from 'ai'
import OpenAI, { BadRequestError } from 'openai'
import { openUsage } from '../../src/app/open-usage.ts'
import { send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'

const CONFIG = `
models:
  - model_name: vectors
    deployments: [{ model: upstream/text-embedding-test }]
    model_info: { input_cost_per_mtok: 20, output_cost_per_mtok: 0 }
aliases: { text-embedding-3-small: demo-embedding }
`
const BACKENDS = [
  { name: 'the demo model', model: 'demo-embedding', dimensions: 256 },
  { name: 'an OpenAI-style upstream', model: 'upstream/text-embedding-test', dimensions: 8 },
  { name: 'a configured name', model: 'vectors', dimensions: 8 },
]

let server: TestServer
let client: OpenAI
before(async () => {
  server = await startServer({ config: CONFIG })
  client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
})
after(() => server.close())

for (const { name, model, dimensions } of BACKENDS) {
  describe(`embeddings on ${name}`, () => {
    test(`the SDK gets the same numbers by base64, its default, and as floats on ${name} (req 42)`, async () => {
      const input = ['The quick brown fox', 'jumps over the lazy dog']
      const packed = await client.embeddings.create({ model, input })
      const plain = await client.embeddings.create({ model, input, encoding_format: 'float' })
      assert.equal(packed.object, 'list')
      assert.equal(packed.model, model)
      assert.deepEqual(
        packed.data.map(({ index, object }) => [index, object]),
        [
          [0, 'embedding'],
          [1, 'embedding'],
        ],
      )
      for (const [at, { embedding }] of packed.data.entries()) {
        assert.equal(embedding.length, dimensions)
        const floats = plain.data[at]?.embedding ?? []
        assert.ok(embedding.every((value, index) => Math.abs(value - (floats[index] ?? 9)) < 1e-6))
      }
      assert.ok(packed.usage.prompt_tokens > 0)
      assert.equal(packed.usage.total_tokens, packed.usage.prompt_tokens)
    })

    test(`a text, a list, tokens and lists of tokens are taken on ${name}`, async () => {
      const counts = []
      for (const input of ['x', ['x', 'y'], [1, 2, 3], [[1, 2], [3]]]) {
        counts.push((await client.embeddings.create({ model, input })).data.length)
      }
      assert.deepEqual(counts, [1, 2, 1, 2])
    })

    test(`dimensions are what was asked for on ${name}`, async () => {
      const { data } = await client.embeddings.create({ model, input: 'x', dimensions: 4, encoding_format: 'float' })
      assert.equal(data[0]?.embedding.length, 4)
    })

    test(`LangChain and the AI SDK embed on ${name}`, async () => {
      const langchain = new OpenAIEmbeddings({
        model,
        apiKey: server.apiKey,
        maxRetries: 0,
        configuration: { baseURL: server.baseUrl },
      })
      assert.equal((await langchain.embedQuery('Say hello.')).length, dimensions)
      assert.equal((await langchain.embedDocuments(['a', 'b', 'c'])).length, 3)
      const openai = createOpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey })
      const { embeddings, usage } = await embedMany({ model: openai.embedding(model), values: ['a', 'b'] })
      assert.equal(embeddings[1]?.length, dimensions)
      assert.ok(usage.tokens > 0)
    })
  })
}

test('what is wrong is refused by the name of the field', async () => {
  const cases: readonly (readonly [object, string])[] = [
    [{ input: undefined }, 'input'],
    [{ input: '' }, 'input'],
    [{ input: [] }, 'input'],
    [{ input: ['a', ''] }, 'input[1]'],
    [{ input: ['a', [1]] }, 'input[1]'],
    [{ input: Array(2049).fill('a') }, 'input'],
    [{ input: [1.5] }, 'input[0]'],
    [{ dimensions: 0 }, 'dimensions'],
    [{ dimensions: 257 }, 'dimensions'],
    [{ encoding_format: 'hex' }, 'encoding_format'],
    [{ model: undefined }, 'model'],
    [{ model: 'nobody' }, 'model'],
    [{ model: 'demo' }, 'model'],
  ]
  for (const [change, param] of cases) {
    const { status, json } = await send(server, 'POST', '/v1/embeddings', {
      model: 'demo-embedding',
      input: 'x',
      ...change,
    })
    assert.equal(status, 400, JSON.stringify(change).slice(0, 80))
    assert.deepEqual(Object.keys(Object(json).error).sort(), ['code', 'message', 'param', 'type'])
    assert.equal(Object(json).error.param, param, JSON.stringify(json))
  }
  await assert.rejects(client.embeddings.create({ model: 'demo', input: 'x' }), BadRequestError)
})

test('a failing upstream is repeated as often as it may be, then told', async () => {
  const before = server.upstream.requests.length
  server.upstream.push({ status: 503 }, { status: 503 })
  await client.embeddings.create({ model: 'vectors', input: 'x' })
  assert.equal(server.upstream.requests.length - before, 3)
  server.upstream.push({ status: 401 })
  const refused = await send(server, 'POST', '/v1/embeddings', { model: 'vectors', input: 'x' })
  assert.equal(refused.status, 502)
  assert.equal(refused.headers['x-antiphon-attempts'], undefined)
})

test('a call is in the ledger, with its cost in the header', async () => {
  const reply = await send(server, 'POST', '/v1/embeddings', { model: 'vectors', input: 'x'.repeat(400), nonsense: 1 })
  const tokens = Object(reply.json).usage.prompt_tokens
  assert.ok(Math.abs(Number(reply.headers['x-antiphon-cost']) - (tokens * 20) / 1e6) < 1e-12)
  assert.equal(reply.headers['x-antiphon-provider'], 'upstream')
  assert.match(String(reply.headers['x-antiphon-warnings']), /nonsense/)
  const storage = { dataDir: server.dataDir, databasePath: join(server.dataDir, 'antiphon.db') }
  const admin = await openUsage({ storage })
  try {
    const ofModel = async () => (await admin.sumUsage(0)).find(({ model }) => model === 'text-embedding-test')
    const before = (await ofModel())?.calls ?? 0
    await client.embeddings.create({ model: 'vectors', input: 'x' })
    // Nobody waits for the row of a request that stores nothing.
    for (let wait = 0; wait < 200 && ((await ofModel())?.calls ?? 0) <= before; wait++)
      await new Promise((resolve) => setTimeout(resolve, 20))
    assert.ok(((await ofModel())?.calls ?? 0) > before)
  } finally {
    await admin[Symbol.asyncDispose]()
  }
})

test('models of embeddings are listed with their kind, and found by their id', async () => {
  const { json } = await send(server, 'GET', '/v1/models')
  const models: { id: string; kind: string }[] = Object(json).data
  const kindOf = (id: string) => models.find((model) => model.id === id)?.kind
  assert.equal(kindOf('demo'), 'chat')
  assert.equal(kindOf('demo-embedding'), 'embedding')
  assert.equal(kindOf('vectors'), 'embedding')
  assert.equal(models.filter(({ id }) => id === 'vectors').length, 1)
  assert.ok(Object(json).models.every(({ slug }: { slug: string }) => slug !== 'demo-embedding' && slug !== 'vectors'))
  const one = await send(server, 'GET', '/v1/models/demo-embedding')
  assert.deepEqual(one.json, {
    id: 'demo-embedding',
    object: 'model',
    created: Object(one.json).created,
    owned_by: 'antiphon',
    kind: 'embedding',
    dimensions: 256,
    max_inputs: 2048,
    max_input_tokens: 8192,
  })
})
