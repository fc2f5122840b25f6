import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createManualClock } from '../../test/support/decorated-models.ts'
import { type Answer, startServer } from '../../test/support/fake-server.ts'
import { systemClock } from '../lib/clock.ts'
import { createUpstreamAgent, DEFAULT_UPSTREAM_CLOCKS } from '../lib/upstream-http.ts'
import { ModelError } from './model.ts'
import {
  createModelLister,
  fetchModels,
  LIST_FRESH_MS,
  LIST_RETRY_MS,
  type ListKind,
  MAX_LIST_BYTES,
} from './provider-models.ts'

async function list(answer: (path: string, body: string) => Answer, kind: ListKind = 'openai', timeoutMs?: number) {
  const server = await startServer(answer)
  const dispatcher = createUpstreamAgent(DEFAULT_UPSTREAM_CLOCKS)
  try {
    const headers = { authorization: 'Bearer sk-x' }
    const from = { baseUrl: `${server.root}/v1/`, kind, headers, clock: systemClock, timeoutMs, dispatcher }
    return { models: await fetchModels(from), server }
  } finally {
    await dispatcher.destroy()
    await server.close()
  }
}
const rows =
  (...data: readonly unknown[]) =>
  () => ({ json: { object: 'list', data } })

describe('models of a provider', () => {
  it('asks with the provider key and reads ids, dates and owners', async () => {
    const { models, server } = await list(
      rows(
        { id: 'a', created: 5, owned_by: 'me' },
        { id: 'models/b', created_at: '1970-01-01T00:00:07Z' },
        { no: 1 },
        7,
      ),
    )
    assert.deepEqual(models, [
      { id: 'a', created: 5, ownedBy: 'me', info: {} },
      { id: 'b', created: 7, ownedBy: null, info: {} },
    ])
    assert.deepEqual(
      server.requests.map(({ path, authorization }) => [path, authorization]),
      [['/v1/models', 'Bearer sk-x']],
    )
  })

  it('reads all pages of Gemini, and of them the models that generate content', async () => {
    const row = (name: string, more: object = {}) => ({
      name: `models/${name}`,
      supportedGenerationMethods: ['generateContent'],
      inputTokenLimit: 1_048_576,
      ...more,
    })
    const pages: Readonly<Record<string, object>> = {
      '/v1/models?pageSize=1000': {
        models: [row('gemini-a', { outputTokenLimit: 65_536, thinking: true }), row('text-embedding-1'), 7],
        nextPageToken: 'a/b',
      },
      '/v1/models?pageSize=1000&pageToken=a%2Fb': {
        models: [row('gemini-b', { thinking: false }), row('veo', { supportedGenerationMethods: ['predict'] }), {}],
      },
    }
    const { models, server } = await list((path) => ({ json: pages[path] }), 'gemini')
    assert.deepEqual(models, [
      {
        id: 'gemini-a',
        created: null,
        ownedBy: 'google',
        info: { contextWindow: 1_048_576, maxOutputTokens: 65_536, reasoning: true },
      },
      { id: 'gemini-b', created: null, ownedBy: 'google', info: { contextWindow: 1_048_576, reasoning: false } },
    ])
    assert.equal(server.requests.length, 2)
  })

  it('stops at a bound where Gemini always knows of one more page, and asks nobody where there is no list', async () => {
    const endless = await list(() => ({ json: { models: [], nextPageToken: 'on' } }), 'gemini')
    assert.equal(endless.server.requests.length, 5)
    const none = await list(() => ({ status: 500 }), 'none')
    assert.deepEqual([none.models, none.server.requests], [[], []])
  })

  it('reads windows and abilities as each vendor spells them', async () => {
    const { models } = await list(
      rows(
        { id: 'vllm', max_model_len: 4096 },
        { id: 'groq', context_window: 131072, max_completion_tokens: 8192 },
        { id: 'together', context_length: 32768, type: 'chat' },
        {
          id: 'mistral',
          max_context_length: 128000,
          capabilities: { completion_chat: true, vision: true, function_calling: true },
        },
        {
          id: 'router/x',
          top_provider: { context_length: 200000, max_completion_tokens: null },
          architecture: { input_modalities: ['text', 'image'] },
          supported_parameters: ['tools', 'reasoning'],
        },
      ),
    )
    assert.deepEqual(
      models.map(({ info }) => info),
      [
        { contextWindow: 4096 },
        { contextWindow: 131072, maxOutputTokens: 8192 },
        { contextWindow: 32768 },
        { contextWindow: 128000, imageInput: true, functionTools: true },
        {
          contextWindow: 200000,
          imageInput: true,
          functionTools: true,
          structuredOutput: false,
          reasoning: true,
          logprobs: false,
        },
      ],
    )
  })

  it('takes a bare array, tells models of embeddings from others, and leaves out what is neither', async () => {
    const { models } = await list(() => ({
      json: [
        { id: 'chat', type: 'chat' },
        { id: 'x', type: 'embedding' },
        { id: 'text-embedding-3-small' },
        { id: 'whisper-1' },
        { id: 'y', type: 'image' },
      ],
    }))
    assert.deepEqual(
      models.map(({ id, kind }) => [id, kind]),
      [
        ['chat', undefined],
        ['x', 'embedding'],
        ['text-embedding-3-small', 'embedding'],
      ],
    )
  })

  it('asks Ollama what its models can do and with which window they are loaded', async () => {
    const { models } = await list((path, body) => {
      if (path === '/api/tags')
        return {
          json: { models: [{ name: 'a:latest', modified_at: '2026-01-01T00:00:00Z' }, { name: 'b' }, { name: 'c' }] },
        }
      if (path === '/api/ps') return { json: { models: [{ name: 'a:latest', context_length: 8192 }] } }
      if (path !== '/api/show' || body.includes('"c"')) return { status: 500 }
      const capabilities = body.includes('"b"') ? ['completion', 'vision'] : ['completion', 'tools', 'thinking']
      return {
        json: { capabilities, parameters: 'stop "x"\nnum_ctx    2048', model_info: { 'llama.context_length': 131072 } },
      }
    }, 'ollama')
    assert.deepEqual(
      models.map(({ id, info }) => [id, info]),
      [
        ['a:latest', { contextWindow: 8192, functionTools: true, imageInput: false, reasoning: true }],
        ['b', { contextWindow: 2048, functionTools: false, imageInput: true, reasoning: false }],
        ['c', {}],
      ],
    )
  })

  it('asks LM Studio and llama.cpp for the window they really serve', async () => {
    const lmstudio = await list((path) => {
      assert.equal(path, '/api/v0/models')
      const data = [
        { id: 'l', type: 'llm', state: 'loaded', max_context_length: 32768, loaded_context_length: 4096 },
        { id: 'v', type: 'vlm', state: 'not-loaded', max_context_length: 32768 },
        { id: 'e', type: 'embeddings', state: 'not-loaded' },
      ]
      return { json: { data } }
    }, 'lmstudio')
    assert.deepEqual(
      lmstudio.models.map(({ id, info }) => [id, info]),
      [
        ['l', { contextWindow: 4096, imageInput: false }],
        ['v', { imageInput: true }],
        ['e', {}],
      ],
    )
    const llamacpp = await list(
      (path) => (path === '/props' ? { json: { default_generation_settings: { n_ctx: 512 } } } : rows({ id: 'g' })()),
      'llamacpp',
    )
    assert.deepEqual(llamacpp.models[0]?.info, { contextWindow: 512 })
  })

  it('fails in words that name neither address nor key', async () => {
    const failures: readonly [Answer, string, RegExp][] = [
      [{ status: 401 }, 'auth', /key was refused/],
      [{ status: 302 }, 'unavailable', /status 302/],
      [{ text: '<html>' }, 'malformed', /not JSON/],
      [{ text: ' '.repeat(MAX_LIST_BYTES + 1) }, 'malformed', /above/],
      [{ hang: true }, 'timeout', /within 200 ms/],
    ]
    for (const [answer, kind, message] of failures) {
      await assert.rejects(
        list(() => answer, 'openai', answer.hang ? 200 : undefined),
        (error) => {
          assert.ok(error instanceof ModelError)
          assert.equal(error.kind, kind)
          assert.match(error.message, message)
          assert.doesNotMatch(error.message, /127\.0\.0\.1|sk-x/)
          return true
        },
      )
    }
  })

  it('asks once for all who wait, then remembers', async () => {
    const clock = createManualClock()
    let calls = 0
    const lister = createModelLister(async () => [{ id: `m${++calls}`, created: null, ownedBy: null, info: {} }], clock)
    const [a, b] = await Promise.all([lister(), lister()])
    assert.equal(a, b)
    assert.equal((await lister())[0]?.id, 'm1')
    clock.advance(20_000)
    assert.equal((await lister(10_000))[0]?.id, 'm2')
    clock.advance(LIST_FRESH_MS)
    assert.equal((await lister())[0]?.id, 'm3')
  })

  it('serves the old rows while the provider is down, and leaves it alone for a while', async () => {
    const clock = createManualClock()
    let down = false
    let calls = 0
    const lister = createModelLister(async () => {
      calls += 1
      if (down) throw new ModelError('connection', 'no')
      return [{ id: 'm', created: null, ownedBy: null, info: {} }]
    }, clock)
    await lister()
    down = true
    clock.advance(LIST_FRESH_MS)
    assert.equal((await lister())[0]?.id, 'm')
    await lister()
    assert.equal(calls, 2)
    clock.advance(LIST_RETRY_MS)
    down = false
    await lister()
    assert.equal(calls, 3)
  })

  it('remembers a first failure as well', async () => {
    const clock = createManualClock()
    let calls = 0
    const lister = createModelLister(() => {
      calls += 1
      throw new ModelError('auth', 'no')
    }, clock)
    await assert.rejects(lister(), { kind: 'auth' })
    await assert.rejects(lister(), { kind: 'auth' })
    assert.equal(calls, 1)
    clock.advance(LIST_RETRY_MS)
    await assert.rejects(lister(), { kind: 'auth' })
    assert.equal(calls, 2)
  })
})

describe('models of Anthropic', () => {
  const supported = (value: boolean) => ({ supported: value })
  const row = (id: string, fields: object = {}) => ({
    type: 'model',
    id,
    created_at: '2026-02-04T00:00:00Z',
    ...fields,
  })

  it('are read page by page, with their names and what each of them can do', async () => {
    const known = row('claude-a', {
      display_name: 'Claude A',
      max_input_tokens: 1_000_000,
      max_tokens: 128_000,
      capabilities: {
        image_input: supported(true),
        pdf_input: supported(false),
        structured_outputs: supported(true),
        thinking: supported(true),
      },
    })
    const { models, server } = await list(
      (path) => ({
        json: path.includes('after_id=claude-a')
          ? { data: [row('claude-b', { created_at: '1970-01-01T00:00:00Z', capabilities: null }), 7], has_more: false }
          : { data: [known], has_more: true, last_id: 'claude-a' },
      }),
      'anthropic',
    )
    assert.deepEqual(
      server.requests.map(({ path }) => path),
      ['/v1/models?limit=1000', '/v1/models?limit=1000&after_id=claude-a'],
    )
    const info = { imageInput: true, fileInput: false, structuredOutput: true, reasoning: true }
    assert.deepEqual(models, [
      {
        id: 'claude-a',
        created: 1770163200,
        ownedBy: 'anthropic',
        displayName: 'Claude A',
        info: { contextWindow: 1_000_000, maxOutputTokens: 128_000, ...info },
      },
      { id: 'claude-b', created: null, ownedBy: 'anthropic', info: {} },
    ])
  })

  it('end where a page is empty, and where there are too many', async () => {
    const { server } = await list(() => ({ json: { data: [], has_more: true, last_id: 'x' } }), 'anthropic')
    assert.equal(server.requests.length, 1)
    const page = Array.from({ length: 1000 }, (_, index) => row(`m${index}`))
    const endless = await list(() => ({ json: { data: page, has_more: true, last_id: 'm999' } }), 'anthropic')
    assert.equal(endless.server.requests.length, 5)
  })
})
