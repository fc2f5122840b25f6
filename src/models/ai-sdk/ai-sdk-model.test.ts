import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { LanguageModelV4StreamPart } from '@ai-sdk/provider'
import { createBridgedOpenAi } from '../../../test/fakes/bridge-subject.ts'
import { fixtureTurn, readFixtures, TEST_CAPABILITIES, TEST_TURN } from '../../../test/fakes/chat-fixtures.ts'
import { startChatUpstream } from '../../../test/fakes/chat-upstream.ts'
import {
  createScriptedLanguageModel,
  type ScriptedLanguageModel,
  type ScriptedParts,
} from '../../../test/support/scripted-language-model.ts'
import { systemClock } from '../../lib/clock.ts'
import { createUpstreamAgent, DEFAULT_UPSTREAM_CLOCKS } from '../../lib/upstream-http.ts'
import { ModelError, type ModelErrorKind, type ModelEvent, type ModelTurn } from '../model.ts'
import { assertModelEvents, flattenEvents, mergeDeltas, runModel } from '../model-run.contract.ts'
import { createAiSdkModel } from './ai-sdk-model.ts'
import { createBridgeFetch } from './bridge-fetch.ts'

const SECRET = 'very-secret-key'
type Finish = Extract<LanguageModelV4StreamPart, { type: 'finish' }>
type Rest = { readonly packageName?: string; readonly clocks?: Partial<typeof DEFAULT_UPSTREAM_CLOCKS> }

function open(script: ScriptedParts, { packageName = '@ai-sdk/google-vertex', clocks: some }: Rest = {}) {
  const clocks = { ...DEFAULT_UPSTREAM_CLOCKS, ...some }
  const scripted: ScriptedLanguageModel = createScriptedLanguageModel(script)
  const bridge = createBridgeFetch({ dispatcher: createUpstreamAgent(clocks), clock: systemClock, clocks })
  const model = createAiSdkModel({
    provider: 'test',
    packageName,
    secrets: [SECRET],
    headers: { 'x-own': 'yes' },
    capabilities: TEST_CAPABILITIES,
    bridge,
    clock: systemClock,
    clocks,
    model: () => scripted,
  })
  return { model, scripted }
}

const TURN: ModelTurn = fixtureTurn({ logprobs: false })
const finish = (unified: Finish['finishReason']['unified'], raw: string | undefined = 'stop'): Finish => ({
  type: 'finish',
  finishReason: { unified, raw },
  usage: {
    inputTokens: { total: 12, noCache: 4, cacheRead: 6, cacheWrite: 2 },
    outputTokens: { total: 8, text: 3, reasoning: 5 },
  },
})
/** Without the provider's own word. */
const unnamed = (unified: Finish['finishReason']['unified']): Finish => ({
  ...finish(unified),
  finishReason: { unified, raw: undefined },
})
const signed = (signature: string) => ({ vertex: { thoughtSignature: signature } })

const WHOLE: readonly LanguageModelV4StreamPart[] = [
  { type: 'stream-start', warnings: [] },
  { type: 'response-metadata', id: 'r1' },
  { type: 'ping' },
  { type: 'reasoning-start', id: '0' },
  { type: 'reasoning-delta', id: '0', delta: 'Let me ' },
  { type: 'reasoning-delta', id: '0', delta: 'think.', providerMetadata: signed('sig-1') },
  { type: 'reasoning-end', id: '0' },
  { type: 'text-start', id: '1' },
  { type: 'text-delta', id: '1', delta: 'It is ' },
  { type: 'source', sourceType: 'url', id: 's1', url: 'https://example.com/a', title: 'A' },
  { type: 'source', sourceType: 'document', id: 's2', mediaType: 'text/plain', title: 'B' },
  { type: 'text-delta', id: '1', delta: 'warm.' },
  {
    type: 'text-end',
    id: '1',
    citations: [
      {
        source: { type: 'source', sourceType: 'url', id: 's3', url: 'https://example.com/c' },
        startIndex: 6,
        endIndex: 11,
      },
    ],
  },
  { type: 'tool-input-start', id: 'c1', toolName: 'get_weather', providerMetadata: signed('sig-2') },
  { type: 'tool-input-delta', id: 'c1', delta: '{"city":' },
  { type: 'tool-input-delta', id: 'c1', delta: '"Bern"}' },
  { type: 'tool-input-end', id: 'c1' },
  { type: 'tool-call', toolCallId: 'c1', toolName: 'get_weather', input: '{"city":"Bern"}' },
  { type: 'custom', kind: 'vendor.note' },
  { type: 'tool-call', toolCallId: 'c2', toolName: 'get_time', input: '{}' },
  { type: 'tool-input-start', id: 'h1', toolName: 'search', providerExecuted: true },
  { type: 'tool-input-delta', id: 'h1', delta: '{}' },
  { type: 'tool-call', toolCallId: 'h1', toolName: 'search', input: '{}', providerExecuted: true },
  { type: 'tool-result', toolCallId: 'h1', toolName: 'search', result: {} },
  finish('tool-calls', 'STOP'),
]

const ofType = <T extends ModelEvent['type']>(events: readonly ModelEvent[], type: T) =>
  events.filter((event): event is Extract<ModelEvent, { type: T }> => event.type === type)

describe('the AI SDK bridge', () => {
  it('reads every kind of part: thoughts, text, sources, streamed and whole calls, usage', async () => {
    const { events, error, attempts } = await runModel(open({ parts: WHOLE }).model, TURN)
    assert.equal(error, null)
    assertModelEvents(events)
    const merged = mergeDeltas(events)
    assert.deepEqual(
      ofType(merged, 'reasoning-delta').map(({ kind, delta }) => [kind, delta]),
      [['summary', 'Let me think.']],
    )
    assert.equal(
      ofType(events, 'text-delta')
        .map(({ delta }) => delta)
        .join(''),
      'It is warm.',
    )
    assert.deepEqual(
      ofType(events, 'annotation').map(({ annotation }) => annotation),
      [
        { type: 'url_citation', url: 'https://example.com/a', title: 'A', start_index: 0, end_index: 0 },
        {
          type: 'url_citation',
          url: 'https://example.com/c',
          title: 'https://example.com/c',
          start_index: 6,
          end_index: 11,
        },
      ],
    )
    assert.deepEqual(
      ofType(events, 'call-start').map(({ name, callId }) => [name, callId]),
      [
        ['get_weather', 'c1'],
        ['get_time', 'c2'],
      ],
    )
    assert.deepEqual(
      ofType(merged, 'call-delta').map(({ delta }) => delta),
      ['{"city":"Bern"}', '{}'],
    )
    assert.deepEqual(events.at(-1), {
      type: 'finish',
      reason: 'tool_calls',
      rawReason: 'STOP',
      usage: {
        input_tokens: 12,
        input_tokens_details: { cached_tokens: 6, cache_write_tokens: 2 },
        output_tokens: 8,
        output_tokens_details: { reasoning_tokens: 5 },
        total_tokens: 20,
      },
    })
    assert.equal(attempts.length, 1)
  })

  it('fails after a prefix of the events wherever the stream ends or breaks, with one attempt each', async () => {
    const whole = flattenEvents((await runModel(open({ parts: WHOLE }).model, TURN)).events)
    for (let at = 0; at < WHOLE.length; at++) {
      const ends: readonly ScriptedParts[] = [
        { parts: WHOLE.slice(0, at) },
        { parts: WHOLE.slice(0, at), after: { error: new TypeError('terminated') } },
        { parts: [...WHOLE.slice(0, at), { type: 'error', error: { message: 'overloaded' } }] },
        { parts: [...WHOLE.slice(0, at), unnamed('interrupted')] },
        { parts: [...WHOLE.slice(0, at), unnamed('other')] },
        { parts: [...WHOLE.slice(0, at), unnamed('error')] },
      ]
      for (const script of ends) {
        const { events, error, attempts } = await runModel(open(script).model, TURN)
        assert.ok(error instanceof ModelError, `after ${at} parts`)
        const part = flattenEvents(events)
        assert.deepEqual(part, whole.slice(0, part.length), `after ${at} parts`)
        assert.deepEqual(
          attempts.map(({ outcome }) => outcome),
          ['failed'],
        )
      }
    }
  })

  it('gives back what a package attached to thoughts and calls, and only to that package', async () => {
    const { events } = await runModel(open({ parts: WHOLE }).model, TURN)
    const states = ofType(events, 'reasoning-end').flatMap(({ state }) => state ?? [])
    assert.equal(states.length, 2)
    const items: ModelTurn['items'] = [
      ...TURN.items,
      ...states.map((state, index) => ({
        id: `rs_${index}`,
        type: 'reasoning' as const,
        status: 'completed' as const,
        summary: [{ type: 'summary_text' as const, text: 'retold' }],
        encrypted_content: state,
      })),
      {
        id: 'fc',
        type: 'function_call',
        status: 'completed',
        call_id: 'c1',
        name: 'get_weather',
        arguments: '{"city":"Bern"}',
      },
      { id: 'fo', type: 'function_call_output', status: 'completed', call_id: 'c1', output: '20 degrees' },
    ]
    const sent = async (packageName: string) => {
      const { model, scripted } = open({ parts: [finish('stop')] }, { packageName })
      await runModel(model, { ...TURN, items })
      return scripted.calls[0]?.prompt.slice(1)
    }
    const call = { type: 'tool-call', toolCallId: 'c1', toolName: 'get_weather', input: { city: 'Bern' } }
    const result = {
      role: 'tool',
      content: [
        {
          type: 'tool-result',
          toolCallId: 'c1',
          toolName: 'get_weather',
          output: { type: 'text', value: '20 degrees' },
        },
      ],
    }
    assert.deepEqual(await sent('@ai-sdk/google-vertex'), [
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'Let me think.', providerOptions: signed('sig-1') },
          { ...call, providerOptions: signed('sig-2') },
        ],
      },
      result,
    ])
    assert.deepEqual(await sent('@ai-sdk/cohere'), [{ role: 'assistant', content: [call] }, result])
  })

  const httpError = (statusCode: number, message: string, responseHeaders: Record<string, string> = {}) =>
    Object.assign(new Error(message), {
      name: 'AI_APICallError',
      url: 'https://internal.example/v1',
      statusCode,
      responseHeaders,
      responseBody: JSON.stringify({ error: { message } }),
    })
  const named = (name: string, message: string) => Object.assign(new Error(message), { name })
  const FAILURES: readonly (readonly [string, unknown, ModelErrorKind])[] = [
    ['a wrong key', httpError(401, `Bad key ${SECRET}`), 'auth'],
    ['an unknown model', httpError(404, 'No such model'), 'model_not_found'],
    ['a full window', httpError(400, 'The prompt is too long for the context window'), 'context_length'],
    ['a limit', httpError(429, 'Slow down', { 'retry-after': '7' }), 'rate_limit'],
    ['an overload', httpError(503, 'Overloaded'), 'unavailable'],
    ['a reply that a package cannot read', httpError(200, 'Failed to process successful response'), 'malformed'],
    ['missing credentials', named('AI_LoadAPIKeyError', `API key is missing: ${SECRET}`), 'auth'],
    ['what a package has no form for', named('AI_UnsupportedFunctionalityError', 'File URL data'), 'invalid_request'],
    ['a broken chunk', named('AI_JSONParseError', 'JSON parsing failed'), 'malformed'],
    [
      'a lost connection',
      Object.assign(new Error('x'), { cause: Object.assign(new Error(), { code: 'ECONNRESET' }) }),
      'connection',
    ],
    ['a bug of a package', new TypeError('undefined is not a function'), 'malformed'],
    ['a text', 'quota exceeded, rate limit', 'rate_limit'],
  ]
  for (const [title, refuse, kind] of FAILURES) {
    it(`understands ${title}, thrown or sent, without a secret or an address`, async () => {
      const sent: ScriptedParts = { parts: [{ type: 'error', error: refuse }] }
      for (const script of [{ parts: [], refuse }, sent]) {
        const { events, error, attempts } = await runModel(open(script).model, TURN)
        assert.deepEqual(events, [])
        assert.ok(error instanceof ModelError, String(error))
        assert.equal(error.kind, kind)
        assert.equal(error.provider, 'test')
        assert.doesNotMatch(error.message, /very-secret|https?:/)
        assert.equal(attempts.length, 1)
        if (kind === 'rate_limit' && refuse instanceof Error) assert.equal(error.retryAfterMs, 7000)
      }
    })
  }

  it('ends on abort although the package heeds nothing', async () => {
    for (const script of [
      { parts: [], deaf: true },
      { parts: WHOLE.slice(0, 9), after: 'hang' },
    ] as const) {
      const controller = new AbortController()
      const running = runModel(open(script).model, TURN, controller.signal)
      await new Promise((resolve) => setTimeout(resolve, 20))
      controller.abort()
      const { error, attempts } = await running
      assert.ok(error instanceof ModelError && error.kind === 'aborted')
      assert.deepEqual(
        attempts.map(({ outcome }) => outcome),
        ['aborted'],
      )
    }
  })

  it('keeps our clocks although the package has none', async () => {
    const clocks = { firstByteMs: 60, idleMs: 60 }
    const silent = await runModel(open({ parts: WHOLE.slice(0, 3), after: 'hang' }, { clocks }).model, TURN)
    assert.ok(silent.error instanceof ModelError && silent.error.kind === 'timeout')
    assert.match(silent.error.message, /no reply within/)
    const idle = await runModel(open({ parts: WHOLE.slice(0, 9), after: 'hang' }, { clocks }).model, TURN)
    assert.ok(idle.error instanceof ModelError && idle.error.kind === 'timeout')
    assert.match(idle.error.message, /nothing new for/)
  })

  it('refuses a call of a tool nobody offered, and an answer with a file', async () => {
    const stray: LanguageModelV4StreamPart = { type: 'tool-call', toolCallId: 'x', toolName: 'rm', input: '{}' }
    const file: LanguageModelV4StreamPart = {
      type: 'file',
      mediaType: 'image/png',
      data: { type: 'data', data: 'AA==' },
    }
    for (const part of [stray, file]) {
      const { error } = await runModel(open({ parts: [part, finish('stop')] }).model, TURN)
      assert.ok(error instanceof ModelError && error.kind === 'malformed')
    }
  })

  it('says why a model stopped', async () => {
    const cases: readonly (readonly [Finish['finishReason']['unified'], string])[] = [
      ['stop', 'stop'],
      ['tool-calls', 'stop'],
      ['other', 'stop'],
      ['length', 'length'],
      ['content-filter', 'content_filter'],
    ]
    for (const [unified, expected] of cases) {
      const { events } = await runModel(open({ parts: [finish(unified, 'word')] }).model, TURN)
      assert.deepEqual(
        ofType(events, 'finish').map(({ reason }) => reason),
        [expected],
      )
    }
  })

  it('sends what a turn asks for, and the options of its package', async () => {
    const { model, scripted } = open({ parts: [finish('stop')] }, { packageName: '@ai-sdk/openai' })
    await runModel(model, {
      ...TURN,
      instructions: 'Be brief.',
      toolChoice: { mode: 'required', allowed: ['get_time'] },
      parallelToolCalls: false,
      text: {
        format: { type: 'json_schema', name: 'answer', schema: { type: 'object' }, strict: true },
        verbosity: 'low',
      },
      reasoning: { effort: 'low', summary: null },
      temperature: 0.5,
      topP: 0.9,
      maxOutputTokens: 64,
      stop: ['END'],
      topLogprobs: 2,
      safetyIdentifier: 'user-1',
    })
    const [call] = scripted.calls
    assert.ok(call)
    const { prompt, abortSignal, ...rest } = call
    assert.ok(abortSignal instanceof AbortSignal)
    assert.deepEqual(prompt, [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
    ])
    assert.deepEqual(rest, {
      tools: [{ type: 'function', name: 'get_time', inputSchema: { type: 'object', properties: {} } }],
      toolChoice: { type: 'tool', toolName: 'get_time' },
      responseFormat: { type: 'json', schema: { type: 'object' }, name: 'answer' },
      temperature: 0.5,
      topP: 0.9,
      maxOutputTokens: 64,
      stopSequences: ['END'],
      reasoning: 'low',
      providerOptions: {
        openai: {
          store: false,
          parallelToolCalls: false,
          logprobs: 2,
          textVerbosity: 'low',
          strictJsonSchema: true,
          safetyIdentifier: 'user-1',
        },
      },
      includeRawChunks: true,
      headers: { 'x-own': 'yes' },
    })
  })

  it('tells what a package does not carry before the model is called', () => {
    const asked: ModelTurn = { ...TEST_TURN, topLogprobs: 1, presencePenalty: 1, promptCacheKey: 'k' }
    assert.deepEqual(open({ parts: [] }, { packageName: '@ai-sdk/amazon-bedrock' }).model.notCarried(asked), [
      { param: 'top_logprobs', weight: 'meaning' },
      { param: 'prompt_cache_key', weight: 'hint' },
      { param: 'presence_penalty', weight: 'meaning' },
    ])
  })
})

/** Block by block: a package tells later than a decoder of ours that a call is over. */
const byBlock = (events: readonly ModelEvent[]): readonly ModelEvent[] =>
  [...Map.groupBy(events, (event) => ('id' in event ? event.id : '')).values()].flat()

describe('a real package over sockets', () => {
  for (const fixture of readFixtures().filter(({ name }) => name.startsWith('openai-'))) {
    it(`${fixture.name}: means the same as our own adapter reads`, async () => {
      const upstream = await startChatUpstream({ script: () => ({ wire: fixture.wire }) })
      const model = createBridgedOpenAi({ baseUrl: upstream.url })
      try {
        const { events, error } = await runModel(model, fixtureTurn(fixture))
        assert.equal(error, null)
        assert.deepEqual(flattenEvents(byBlock(events)), flattenEvents(byBlock(fixture.events)))
        assert.deepEqual(
          ofType(events, 'text-delta').flatMap(({ logprobs }) => logprobs ?? []),
          ofType(fixture.events, 'text-delta').flatMap(({ logprobs }) => logprobs ?? []),
        )
      } finally {
        await model.close()
        await upstream.close()
      }
    })
  }
})
