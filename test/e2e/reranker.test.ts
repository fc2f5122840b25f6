/** A reranker behind searches of vector stores: a real server, real files, and an endpoint that is a fake. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import OpenAI, { toFile } from 'openai'
import type { ModelAttempt } from '../../src/models/model.ts'
import { silentTelemetry } from '../../src/telemetry/telemetry.ts'
import { startRerankUpstream } from '../fakes/rerank-upstream.ts'
import { startServer, type TestServer } from '../support/server.ts'

const KEY = 'sk-of-the-test-reranker'
const TEXTS = [
  'The heron nests in March. Heron, heron, heron: the heron is a bird of the heron family.',
  'The heron eats fish.',
  'A colony of herons was seen at the lake in winter.',
]
const QUERY = 'heron'
const NONE = { ranker: 'none' } as const

describe('a reranker', () => {
  let upstream: Awaited<ReturnType<typeof startRerankUpstream>>
  let server: TestServer
  let client: OpenAI
  let storeId: string
  const attempts: ModelAttempt[] = []
  before(async () => {
    upstream = await startRerankUpstream()
    const reranker = `{ url: "${upstream.url}", api_key: ${KEY}, model: rank-1, timeout: 500ms }`
    server = await startServer({
      config: `tools: { file_search: { reranker: ${reranker} } }\n`,
      telemetry: {
        ...silentTelemetry,
        modelAttempted({ attempt }) {
          if (attempt.provider === 'reranker') attempts.push(attempt)
        },
      },
    })
    client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
    storeId = (await client.vectorStores.create({ name: 'birds' })).id
    for (const [at, text] of TEXTS.entries()) {
      const file = await toFile(Buffer.from(text), `${at}.txt`)
      await client.vectorStores.files.uploadAndPoll(storeId, file, { pollIntervalMs: 50 })
    }
  })
  beforeEach(() => {
    upstream.calls.length = 0
    attempts.length = 0
    upstream.script(null)
  })
  after(async () => {
    await server?.close()
    await upstream?.close()
  })
  /** What each text is worth to the reranker, by a word that only it has. */
  const scoreTexts = (worth: Readonly<Record<string, number>>) => {
    const scores = upstream.calls.at(-1)?.body.documents.map((text) => {
      return Object.entries(worth).find(([word]) => text.includes(word))?.[1] ?? 0
    })
    upstream.script({ type: 'scores', scores: scores ?? [] })
  }
  const search = async (more: object = {}) =>
    (await client.vectorStores.search(storeId, { query: QUERY, ...more })).data.map(
      ({ filename, score }) => [filename, score] as const,
    )
  const names = (found: Awaited<ReturnType<typeof search>>) => found.map(([filename]) => filename)

  test('what is found comes in its order, with its scores, and it gets the key, the model and every candidate', async () => {
    await search()
    const [call] = upstream.calls
    assert.equal(call?.authorization, `Bearer ${KEY}`)
    assert.deepEqual([call?.body.model, call?.body.query, call?.body.top_n], ['rank-1', QUERY, 3])
    assert.deepEqual(call?.body.documents.toSorted(), TEXTS.toSorted())
    scoreTexts({ fish: 0.9, colony: 7, nests: -2 })
    assert.deepEqual(await search({ max_num_results: 2 }), [
      ['2.txt', 1],
      ['1.txt', 0.9],
    ])
    assert.deepEqual(await search({ ranking_options: { score_threshold: 0.95 } }), [['2.txt', 1]])
    assert.deepEqual(
      attempts.map(({ outcome }) => outcome),
      ['completed', 'completed', 'completed'],
    )
  })

  test("with the ranker 'none', and when nothing was found, it is not asked", async () => {
    assert.equal((await search({ ranking_options: NONE })).length, 3)
    assert.deepEqual(await search({ query: 'zeppelin' }), [])
    assert.deepEqual(upstream.calls, [])
  })

  test('each query of several is asked by itself, and a chunk counts with the best of its scores', async () => {
    const found = await search({ query: ['heron fish', 'heron colony'] })
    assert.deepEqual(upstream.calls.map(({ body }) => body.query).sort(), ['heron colony', 'heron fish'])
    assert.deepEqual(
      found
        .filter(([, score]) => score === 1)
        .map(([name]) => name)
        .sort(),
      ['1.txt', '2.txt'],
    )
  })

  test('when it fails or takes too long the order of the search stays, and the failure is counted', async () => {
    const alone = await search({ ranking_options: NONE })
    for (const script of [
      { type: 'raw', status: 500, body: 'oops' },
      { type: 'raw', status: 200, body: '{"results": [{"index": 9, "relevance_score": 1}]}' },
      { type: 'hangs' },
      { type: 'cuts' },
    ] as const) {
      attempts.length = 0
      upstream.script(script)
      assert.deepEqual(await search(), alone, script.type)
      assert.deepEqual(
        attempts.map(({ outcome }) => outcome),
        ['failed'],
      )
    }
    upstream.script({ type: 'leaves-out', indexes: [0, 2] })
    assert.deepEqual(
      (await search()).map(([, score]) => score),
      [0.5, 0, 0],
    )
  })

  test('the tool uses it as well, and what was deleted is never sent to it', async () => {
    const gone = await client.vectorStores.files.uploadAndPoll(
      storeId,
      await toFile(Buffer.from('The secret heron.'), 'gone.txt'),
      { pollIntervalMs: 50 },
    )
    await client.files.delete(gone.id)
    await search()
    scoreTexts({ fish: 0.9, colony: 0.8, nests: 0.1 })
    const response = await client.responses.create({
      model: 'demo',
      input: 'Search the files: heron',
      tools: [{ type: 'file_search', vector_store_ids: [storeId] }],
      include: ['file_search_call.results'],
    })
    const call = response.output.find(({ type }) => type === 'file_search_call')
    assert.ok(call?.type === 'file_search_call')
    assert.deepEqual(
      call.results?.map(({ filename }) => filename),
      ['1.txt', '2.txt', '0.txt'],
    )
    assert.ok(upstream.calls.length >= 2)
    assert.ok(upstream.calls.every(({ body }) => !body.documents.some((text) => text.includes('secret'))))
    assert.deepEqual(names(await search()), ['1.txt', '2.txt', '0.txt'])
  })
})
