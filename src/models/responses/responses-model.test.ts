import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { TEST_CAPABILITIES, TEST_TURN } from '../../../test/fakes/chat-fixtures.ts'
import type { ChatUpstream } from '../../../test/fakes/chat-upstream.ts'
import { fixtureTurn, readFixtures } from '../../../test/fakes/responses-fixtures.ts'
import {
  COUNT_PATH,
  jsonReply,
  type ResponsesUpstreamOptions,
  startResponsesUpstream,
} from '../../../test/fakes/responses-upstream.ts'
import { systemClock } from '../../lib/clock.ts'
import { createCountingIds } from '../../lib/ids.ts'
import { DEFAULT_UPSTREAM_CLOCKS } from '../../lib/upstream-http.ts'
import { ModelError, type TurnItem } from '../model.ts'
import { runModel } from '../model-run.contract.ts'
import { keyHeaders, responsesQuirksOf } from './providers.ts'
import { createResponsesModel, type ResponsesModelOptions } from './responses-model.ts'

const TEXT = readFixtures().find(({ name }) => name === 'openai-text')
const context = { signal: new AbortController().signal }

describe('a model behind a Responses endpoint', () => {
  const open: { close(): Promise<void> }[] = []
  const start = async (options: Partial<ResponsesUpstreamOptions> = {}): Promise<ChatUpstream> => {
    const upstream = await startResponsesUpstream({ script: () => ({ wire: TEXT?.wire ?? '' }), ...options })
    open.push(upstream)
    return upstream
  }
  const modelFor = (upstream: ChatUpstream, options: Partial<ResponsesModelOptions> = {}) => {
    const model = createResponsesModel({
      provider: 'acme',
      baseUrl: upstream.url,
      apiKey: 'sk-secret-key-1234',
      quirks: responsesQuirksOf('openai'),
      capabilities: TEST_CAPABILITIES,
      clocks: DEFAULT_UPSTREAM_CLOCKS,
      clock: systemClock,
      ids: createCountingIds(),
      ...options,
    })
    open.push(model)
    return model
  }
  afterEach(async () => {
    for (const resource of open.splice(0).reverse()) await resource.close()
  })

  it('sends its key as a bearer token, or as the header of Azure', async () => {
    const upstream = await start()
    await runModel(modelFor(upstream), TEST_TURN)
    await runModel(modelFor(upstream, { keyHeaders: (key) => keyHeaders('azure', key) }), TEST_TURN)
    const [plain, azure] = upstream.requests
    assert.equal(plain?.path, '/v1/responses')
    assert.equal(plain?.headers.authorization, 'Bearer sk-secret-key-1234')
    assert.match(String(plain?.headers['x-client-request-id']), /^req_/)
    assert.equal(azure?.headers['api-key'], 'sk-secret-key-1234')
    assert.equal(azure?.headers.authorization, undefined)
  })

  it('keeps the query of its address behind every path', async () => {
    const upstream = await start()
    const model = modelFor(upstream, { baseUrl: `${upstream.url}?api-version=2025-03-01-preview` })
    await runModel(model, TEST_TURN)
    await model.countInputTokens(TEST_TURN, context)
    assert.deepEqual(
      upstream.requests.map(({ path }) => path),
      ['/v1/responses?api-version=2025-03-01-preview', `${COUNT_PATH}?api-version=2025-03-01-preview`],
    )
  })

  it('every form of context it writes is taken by a strict server', async () => {
    const upstream = await start()
    const items: readonly TurnItem[] = [
      ...TEST_TURN.items,
      {
        id: 'rs_1',
        type: 'reasoning',
        summary: [],
        encrypted_content: '{"v":1,"id":"rs_theirs","encrypted_content":"gAAA"}',
      },
      { id: 'fc_1', type: 'function_call', status: 'completed', call_id: 'c1', name: 'get_time', arguments: '{}' },
      { id: 'fco_1', type: 'function_call_output', status: 'completed', call_id: 'c1', output: 'noon' },
    ]
    const { error } = await runModel(modelFor(upstream), { ...fixtureTurn(), items })
    assert.equal(error, null)
    assert.equal(upstream.requests[0]?.refused, null)
  })

  it('tells a refusal with the field that is to blame', async () => {
    const upstream = await start()
    const refused = await runModel(modelFor(upstream, { quirks: {} }), { ...TEST_TURN, presencePenalty: 1 })
    assert.ok(refused.error instanceof ModelError)
    assert.equal(refused.error.kind, 'invalid_request')
    assert.equal(refused.error.param, 'presence_penalty')
    assert.equal(refused.error.message, "Unknown parameter: 'presence_penalty'.")
  })

  it('counts as the provider counts, with what the model is shown and nothing else', async () => {
    const upstream = await start()
    const tokens = await modelFor(upstream).countInputTokens({ ...fixtureTurn(), maxOutputTokens: 50 }, context)
    const [request] = upstream.requests
    assert.equal(request?.path, COUNT_PATH)
    assert.equal(tokens, Math.ceil((request?.raw.length ?? 0) / 4))
    assert.equal(request?.refused, null)
  })

  it('estimates where the provider does not count, and asks it no more', async () => {
    const upstream = await start({ count: () => ({ status: 404 }) })
    const model = modelFor(upstream)
    const short = await model.countInputTokens(TEST_TURN, context)
    const long = await model.countInputTokens({ ...TEST_TURN, instructions: 'Be brief and kind. '.repeat(50) }, context)
    assert.ok(short > 3 && short < 20, `${short} tokens`)
    assert.ok(long - short > 200, `${long - short} more tokens`)
    assert.equal(upstream.requests.length, 1)
  })

  it('estimates when the count fails or makes no sense, and asks again the next time', async () => {
    let reply = { status: 500 } as ReturnType<typeof jsonReply>
    const upstream = await start({ count: () => reply })
    const model = modelFor(upstream)
    for (const next of [reply, jsonReply({ input_tokens: -1 }), jsonReply([]), { wire: '<html>' }]) {
      reply = next
      assert.ok((await model.countInputTokens(TEST_TURN, context)) < 20)
    }
    reply = jsonReply({ object: 'response.input_tokens', input_tokens: 4321 })
    assert.equal(await model.countInputTokens(TEST_TURN, context), 4321)
  })

  it('estimates when the count takes too long: somebody waits for it', async () => {
    const upstream = await start({ count: () => ({ silent: true }) })
    const fast = { ...DEFAULT_UPSTREAM_CLOCKS, firstByteMs: 50 }
    assert.ok((await modelFor(upstream, { clocks: fast }).countInputTokens(TEST_TURN, context)) < 20)
  })

  it('an aborted count throws', async () => {
    const upstream = await start({ count: () => ({ silent: true }) })
    const controller = new AbortController()
    const counted = modelFor(upstream).countInputTokens(TEST_TURN, { signal: controller.signal })
    controller.abort(new Error('gone'))
    await assert.rejects(counted, (error) => error instanceof ModelError && error.kind === 'aborted')
  })

  it('reports what it will not carry', async () => {
    const model = modelFor(await start())
    const turn = { ...TEST_TURN, presencePenalty: 1, frequencyPenalty: 1, stop: ['x'], serviceTier: 'flex' }
    assert.deepEqual(model.notCarried(turn), [
      { param: 'presence_penalty', weight: 'meaning' },
      { param: 'frequency_penalty', weight: 'meaning' },
      { param: 'stop', weight: 'meaning' },
    ])
  })
})
