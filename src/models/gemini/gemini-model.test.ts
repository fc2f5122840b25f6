import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TEST_CAPABILITIES } from '../../../test/fakes/chat-fixtures.ts'
import type { ChatUpstream, ScriptedReply } from '../../../test/fakes/chat-upstream.ts'
import { GEMINI_TURN, readGeminiWire } from '../../../test/fakes/gemini-fixtures.ts'
import { badField, badKey, quotaUsed, refusal, statusBody } from '../../../test/fakes/gemini-status.ts'
import { startGeminiUpstream } from '../../../test/fakes/gemini-upstream.ts'
import { openContext } from '../../../test/support/decorated-models.ts'
import { startServer } from '../../../test/support/fake-server.ts'
import { systemClock } from '../../lib/clock.ts'
import { createCountingIds } from '../../lib/ids.ts'
import { DEFAULT_UPSTREAM_CLOCKS } from '../../lib/upstream-http.ts'
import { ModelError, type ModelErrorKind } from '../model.ts'
import { runModel } from '../model-run.contract.ts'
import { authHeaders, isVertex, methodUrl } from './endpoint.ts'
import { createGeminiModel } from './gemini-model.ts'

const API = { baseUrl: 'https://generativelanguage.googleapis.com/v1beta' }
const VERTEX = { baseUrl: 'https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google' }

const open = (baseUrl: string, apiKey: string | null = 'AIza-secret-key') =>
  createGeminiModel({
    provider: 'gemini',
    baseUrl,
    apiKey,
    capabilities: TEST_CAPABILITIES,
    clocks: DEFAULT_UPSTREAM_CLOCKS,
    clock: systemClock,
    ids: createCountingIds(),
  })

async function withModel(
  reply: ScriptedReply,
  use: (model: ReturnType<typeof open>, upstream: ChatUpstream) => Promise<void>,
) {
  const upstream = await startGeminiUpstream({ script: () => reply })
  const model = open(upstream.url)
  try {
    await use(model, upstream)
  } finally {
    await model.close()
    await upstream.close()
  }
}

const bodyOf = (failure: ReturnType<typeof refusal>) => JSON.stringify(statusBody(failure))

type Failure = {
  readonly kind: ModelErrorKind
  readonly param?: string
  readonly retryAfterMs?: number
}
const FAILURES: readonly (readonly [string, number, string, Failure])[] = [
  ['a key that is not valid', 400, bodyOf(badKey()), { kind: 'auth' }],
  [
    'a used up quota, with its wait',
    429,
    bodyOf(quotaUsed('34.074824224s')),
    { kind: 'rate_limit', retryAfterMs: 34_075 },
  ],
  ['an overload', 503, bodyOf(refusal(503, 'The model is overloaded.')), { kind: 'unavailable' }],
  ['an unknown model', 404, bodyOf(refusal(404, 'models/x is not found')), { kind: 'model_not_found', param: 'model' }],
  [
    'a field, by its path',
    400,
    bodyOf(badField('generation_config.stop_sequences', 'at most 5')),
    { kind: 'invalid_request', param: 'stop' },
  ],
  [
    'a field inside of one that is known',
    400,
    bodyOf(badField('GenerateContentRequest.contents[0].parts[1].inline_data', 'Base64 decoding failed')),
    { kind: 'invalid_request', param: 'input' },
  ],
  ['a field nobody knows', 400, bodyOf(badField('generation_config', 'Unknown name')), { kind: 'invalid_request' }],
  [
    'a prompt that is too long',
    400,
    bodyOf(refusal(400, 'The input token count (1048578) exceeds the maximum number of tokens allowed (1048576).')),
    { kind: 'context_length', param: 'input' },
  ],
  [
    'a prompt that is too long, as Vertex AI says it',
    400,
    bodyOf(refusal(400, 'The input token count is 2000000 but model only supports up to 1048575')),
    { kind: 'context_length', param: 'input' },
  ],
  [
    'a place that may not be served',
    400,
    JSON.stringify({
      error: { code: 400, message: 'User location is not supported for the API use.', status: 'FAILED_PRECONDITION' },
    }),
    { kind: 'auth' },
  ],
  [
    'the list that a stream without events is',
    503,
    `[${bodyOf(refusal(503, 'Overloaded.'))}]`,
    { kind: 'unavailable' },
  ],
]

describe('the Gemini adapter', () => {
  for (const [title, status, wire, expected] of FAILURES) {
    it(`understands ${title}`, () =>
      withModel({ status, wire, headers: { 'content-type': 'application/json' } }, async (model) => {
        const { error, events } = await runModel(model, GEMINI_TURN)
        assert.deepEqual(events, [])
        assert.ok(error instanceof ModelError)
        const { kind, param, retryAfterMs } = error
        assert.deepEqual(
          { kind, param, retryAfterMs },
          { kind: expected.kind, param: expected.param ?? null, retryAfterMs: expected.retryAfterMs ?? null },
        )
        assert.equal(error.status, status)
      }))
  }

  it('reads a reply that came as a list of chunks instead of a stream', () => {
    const chunks = Buffer.from(readGeminiWire('text'))
      .toString()
      .split(/\r\n\r\n/)
      .filter(Boolean)
    const wire = `[${chunks.map((chunk) => chunk.replace('data: ', '')).join(',')}]`
    return withModel({ wire, headers: { 'content-type': 'application/json' } }, async (model) => {
      const { events, error } = await runModel(model, GEMINI_TURN)
      assert.equal(error, null)
      assert.match(events.map((event) => ('delta' in event ? event.delta : '')).join(''), /^Hello there!.*👋$/)
    })
  })

  it('counts by the provider, and estimates where it does not answer', async () => {
    await withModel({}, async (model, upstream) => {
      const counted = await model.countInputTokens(GEMINI_TURN, openContext())
      assert.ok(counted > 5)
      assert.match(upstream.requests[0]?.path ?? '', /:countTokens$/)
    })
    const server = await startServer(() => ({ status: 500 }))
    const model = open(`${server.root}/v1beta`)
    try {
      const turn = { ...GEMINI_TURN, instructions: 'word '.repeat(200) }
      for (const _ of [1, 2]) {
        const estimated = await model.countInputTokens(turn, openContext())
        assert.ok(estimated >= 200 && estimated < 300, String(estimated))
      }
      assert.equal(server.requests.length, 1, 'one that failed is left alone for a while')
    } finally {
      await model.close()
      await server.close()
    }
  })

  it('stops counting when the caller leaves', () =>
    withModel({}, async (model) => {
      await assert.rejects(
        model.countInputTokens(GEMINI_TURN, openContext(AbortSignal.abort())),
        (error: unknown) => error instanceof ModelError && error.kind === 'aborted',
      )
    }))

  it('refuses a base URL that no request could be sent to', () => {
    assert.throws(() => open('https://user:pass@example.com/v1beta'), TypeError)
  })
})

describe('where Gemini is called', () => {
  it('the model is one segment of the path, whatever a client put into its name', () => {
    const path = (model: string) => methodUrl(API, model, 'countTokens').href.slice(API.baseUrl.length)
    assert.equal(path('gemini-2.5-pro'), '/models/gemini-2.5-pro:countTokens')
    assert.equal(path('models/gemini-2.5-pro'), '/models/gemini-2.5-pro:countTokens')
    assert.equal(path('tunedModels/mine'), '/tunedModels/mine:countTokens')
    assert.equal(path('../../x?key=y#z'), '/models/..%2F..%2Fx%3Fkey%3Dy%23z:countTokens')
  })

  it('a stream is asked for as events', () => {
    assert.equal(methodUrl(API, 'm', 'streamGenerateContent').search, '?alt=sse')
    const moved = { baseUrl: 'https://proxy.example/v1beta/?tenant=a' }
    assert.equal(
      methodUrl(moved, 'm', 'streamGenerateContent').href,
      'https://proxy.example/v1beta/models/m:streamGenerateContent?tenant=a&alt=sse',
    )
  })

  it('Vertex AI is told by its address, and takes a token or the key of its express mode', () => {
    assert.equal(isVertex(API), false)
    assert.equal(isVertex(VERTEX), true)
    assert.deepEqual(authHeaders(' AIzaKey ', API), { 'x-goog-api-key': 'AIzaKey' })
    assert.deepEqual(authHeaders('ya29.token', VERTEX), { authorization: 'Bearer ya29.token' })
    assert.deepEqual(authHeaders('AQ.key', VERTEX), { 'x-goog-api-key': 'AQ.key' })
    assert.deepEqual(authHeaders(null, VERTEX), {})
  })
})
