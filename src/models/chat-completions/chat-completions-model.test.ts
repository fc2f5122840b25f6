import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { fixtureTurn, TEST_CAPABILITIES, TEST_TURN } from '../../../test/fakes/chat-fixtures.ts'
import { CHAT_SHAPES } from '../../../test/fakes/chat-shapes.ts'
import {
  type ChatUpstream,
  type ChatUpstreamOptions,
  startChatUpstream,
  waitUntil,
} from '../../../test/fakes/chat-upstream.ts'
import { createManualClock } from '../../../test/support/manual-clock.ts'
import { systemClock } from '../../lib/clock.ts'
import { createCountingIds } from '../../lib/ids.ts'
import { DEFAULT_UPSTREAM_CLOCKS, UpstreamHttpError } from '../../lib/upstream-http.ts'
import { ModelError, type ModelTurn } from '../model.ts'
import { assertModelEvents, type ModelRun, runModel } from '../model-run.contract.ts'
import type { AdapterModel } from '../upstream/adapter-options.ts'
import { type ChatCompletionsOptions, createChatCompletionsModel } from './chat-completions-model.ts'

const asked = (text: string, turn: ModelTurn = TEST_TURN): ModelTurn => ({
  ...turn,
  items: [{ id: 'm', type: 'message', status: 'completed', role: 'user', content: [{ type: 'input_text', text }] }],
})
const textOf = ({ events }: ModelRun) =>
  events.map((event) => (event.type === 'text-delta' ? event.delta : '')).join('')
const thoughtOf = ({ events }: ModelRun) =>
  events.map((event) => (event.type === 'reasoning-delta' ? event.delta : '')).join('')
const finishOf = ({ events }: ModelRun) => events.find((event) => event.type === 'finish')

describe('chat completions model', () => {
  const open: { close(): Promise<void> }[] = []
  let upstream: ChatUpstream
  const modelFor = (baseUrl: string, options: Partial<ChatCompletionsOptions> = {}): AdapterModel => {
    const model = createChatCompletionsModel({
      provider: 'acme',
      baseUrl,
      apiKey: 'sk-secret-key-1234',
      quirks: {},
      capabilities: TEST_CAPABILITIES,
      clocks: DEFAULT_UPSTREAM_CLOCKS,
      clock: systemClock,
      ids: createCountingIds(),
      ...options,
    })
    open.push(model)
    return model
  }
  const start = async (options: ChatUpstreamOptions = {}) => {
    upstream = await startChatUpstream(options)
    open.push(upstream)
    return upstream
  }
  const serve = async (listener: RequestListener): Promise<string> => {
    const server = createServer(listener)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    open.push({
      close: () =>
        new Promise((resolve) => {
          server.close(() => resolve())
          server.closeAllConnections()
        }),
    })
    const address = server.address()
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/v1`
  }
  beforeEach(async () => void (await start()))
  afterEach(async () => {
    for (const resource of open.splice(0).reverse()) await resource.close()
  })

  for (const shape of CHAT_SHAPES) {
    it(`understands the ${shape} shape: reasoning, text, calls, usage`, async () => {
      const model = modelFor(upstream.url)
      const said = await runModel(model, asked(`[[shape ${shape}]] think and say 🎉 <b>done</b>`))
      assert.equal(said.error, null)
      assertModelEvents(said.events)
      assert.equal(textOf(said), '🎉 <b>done</b>')
      assert.match(thoughtOf(said), /^The user wrote \d+ characters/)
      const usage = finishOf(said)?.usage
      assert.ok(usage && usage.total_tokens === usage.input_tokens + usage.output_tokens && usage.output_tokens > 0)
      const turn = asked(
        `[[shape ${shape}]] call get_weather with {"city":"Zürich 🎉"} and get_time`,
        fixtureTurn({ logprobs: false }),
      )
      const called = await runModel(model, turn)
      assertModelEvents(called.events)
      assert.equal(finishOf(called)?.reason, 'tool_calls')
      const inputs = new Map<string, string>()
      for (const event of called.events)
        if (event.type === 'call-delta') inputs.set(event.id, (inputs.get(event.id) ?? '') + event.delta)
      assert.deepEqual([...inputs.values()].sort(), ['{"city":"Zürich 🎉"}', '{}'])
      assert.deepEqual(
        upstream.requests.map(({ refused }) => refused),
        [null, null],
      )
    })
  }

  it('sends its key and a request id in headers, and reports the attempt', async () => {
    const model = modelFor(`${upstream.url}/`, { headers: { 'X-Team': 'a' } })
    const { attempts } = await runModel(model, TEST_TURN)
    const { headers, path } = upstream.requests[0] ?? assert.fail()
    assert.equal(path, '/v1/chat/completions')
    assert.equal(headers.authorization, 'Bearer sk-secret-key-1234')
    assert.equal(headers['x-team'], 'a')
    assert.match(String(headers['x-client-request-id']), /^req_/)
    const [attempt] = attempts
    assert.ok(attempt && attempt.firstEventMs !== null && attempt.firstEventMs <= attempt.durationMs)
    assert.deepEqual(
      [attempt.provider, attempt.model, attempt.status, attempt.upstreamRequestId],
      ['acme', 'test-model', 200, 'req_fake_1'],
    )
  })

  it('uses connections again for calls that follow each other', async () => {
    const model = modelFor(upstream.url)
    for (let call = 0; call < 8; call++) assert.equal((await runModel(model, TEST_TURN)).error, null)
    assert.ok(upstream.openSockets() <= 2, `${upstream.openSockets()} connections`)
  })

  it('delivers what one network chunk carried as one batch', async () => {
    const model = modelFor(upstream.url)
    const { batches, events } = await runModel(model, asked('count to 500'))
    assert.ok(events.length > 500)
    assert.ok(batches < events.length / 4, `${batches} batches for ${events.length} events`)
  })

  it('takes one JSON object in place of a stream', async () => {
    const model = modelFor(upstream.url)
    const said = await runModel(model, asked('[[json]] think and say hello'))
    assertModelEvents(said.events)
    assert.equal(textOf(said), 'hello')
    assert.ok(thoughtOf(said))
    assert.ok(finishOf(said)?.usage)
    const called = await runModel(model, asked('[[json]] call get_time', fixtureTurn({ logprobs: false })))
    assert.deepEqual(
      called.events.map(({ type }) => type),
      ['call-start', 'call-delta', 'call-end', 'finish'],
    )
  })

  it('reads log probabilities, refusals and a cut by the limit', async () => {
    const model = modelFor(upstream.url)
    const { events } = await runModel(model, { ...asked('say one two'), topLogprobs: 1 })
    assert.deepEqual(
      events.flatMap((event) => (event.type === 'text-delta' ? (event.logprobs ?? []).map(({ token }) => token) : [])),
      ['one', ' two'],
    )
    const refused = await runModel(model, asked('refuse'))
    assert.equal(refused.events[0]?.type, 'refusal-start')
    const cut = await runModel(model, { ...asked('count to 99'), maxOutputTokens: 3 })
    assert.deepEqual([textOf(cut), finishOf(cut)?.reason], ['1 2 3', 'length'])
  })

  it('gives null for usage nobody reported', async () => {
    const said = await runModel(modelFor(upstream.url), asked('[[no-usage]] hi'))
    assert.deepEqual([finishOf(said)?.usage, said.attempts[0]?.usage], [null, null])
  })

  it('keeps the usage of a call that failed on its way', async () => {
    const usage =
      'data: {"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6}}\n\n'
    const { url } = await start({ script: [{ wire: usage }] })
    const { error, attempts } = await runModel(modelFor(url), TEST_TURN)
    assert.ok(error instanceof ModelError && error.kind === 'malformed')
    assert.equal(attempts[0]?.usage?.total_tokens, 6)
  })

  it('fails on a page of HTML, on garbage, on an unknown tool, on an error in the stream', async () => {
    const model = modelFor(upstream.url)
    const kindOf = async (words: string) => {
      const { error, attempts } = await runModel(model, asked(words))
      assert.ok(error instanceof ModelError)
      assert.equal(error.provider, 'acme')
      assert.equal(attempts.length, 1)
      return `${error.kind}: ${error.message}`
    }
    assert.match(await kindOf('[[html]]'), /^malformed: .*content type is 'text\/html'/)
    assert.match(await kindOf('[[garbage]]'), /^malformed: .*not a JSON object/)
    assert.match(await kindOf('[[unknown-tool]]'), /^malformed: .*'no_such_tool'/)
    assert.match(await kindOf('[[stream-error]]'), /^unavailable: /)
  })

  it('never follows a redirect', async () => {
    let calls = 0
    const url = await serve((request, response) => {
      calls++
      response.writeHead(302, { location: request.url === '/v1/chat/completions' ? '/elsewhere' : '/' }).end()
    })
    const { error } = await runModel(modelFor(url), TEST_TURN)
    assert.ok(error instanceof ModelError && error.kind === 'malformed' && error.status === 302)
    assert.equal(calls, 1)
  })

  it('reports a port where nobody listens as a connection that failed, with its cause for the log', async () => {
    const { url, close } = await startChatUpstream()
    await close()
    const { error, attempts } = await runModel(modelFor(url), TEST_TURN)
    assert.ok(error instanceof ModelError && error.kind === 'connection' && error.status === null)
    assert.match(error.message, /ECONNREFUSED/)
    assert.doesNotMatch(error.message, /127\.0\.0\.1/)
    assert.ok(error.cause instanceof UpstreamHttpError)
    assert.deepEqual([attempts[0]?.status, attempts[0]?.outcome], [null, 'failed'])
  })

  it('reports a server that does not speak HTTP as malformed', async () => {
    const url = await serve((_, response) => void response.socket?.end('SSH-2.0-OpenSSH_9.2\r\n'))
    const { error } = await runModel(modelFor(url), TEST_TURN)
    assert.ok(error instanceof ModelError && error.kind === 'malformed', String(error))
  })

  const CLOCKS = { connectMs: 1000, firstByteMs: 150, idleMs: 150, wholeMs: 5000 }
  const HANGS: readonly (readonly [string, string, Partial<typeof CLOCKS>, RegExp])[] = [
    ['a server that never answers', '[[hang]]', {}, /no reply within 0\.15 s/],
    ['a server that sends its head only', '[[hang 0]]', {}, /no reply within 0\.15 s/],
    ['a server that sends comments only', '[[hang 0]] [[comments]]', {}, /no reply within 0\.15 s/],
    ['silence in the middle', 'count to 90 [[hang 900]]', {}, /nothing new for 0\.15 s/],
    [
      'comments in the middle, which are no progress',
      'count to 90 [[hang 900]] [[comments]]',
      {},
      /nothing new for 0\.15 s/,
    ],
    ['a reply that takes too long as a whole', 'count to 90 [[delay 30]]', { wholeMs: 300 }, /longer than 0\.3 s/],
  ]
  for (const [title, words, clocks, message] of HANGS) {
    it(`runs out of time on ${title}`, async () => {
      const { error, attempts } = await runModel(
        modelFor(upstream.url, { clocks: { ...CLOCKS, ...clocks } }),
        asked(words),
      )
      assert.ok(error instanceof ModelError && error.kind === 'timeout', String(error))
      assert.match(error.message, message)
      assert.equal(attempts[0]?.outcome, 'failed')
      await waitUntil(() => upstream.requests[0]?.closedEarly === true)
    })
  }

  it('does not run out of time while its reader is slow, or while it is fed slowly', async () => {
    const { clock, advance } = createManualClock()
    const model = modelFor(upstream.url, { clocks: CLOCKS, clock })
    let text = ''
    let pieces = 0
    for await (const batch of model.stream(asked('count to 20 [[delay 25]]'), {
      signal: new AbortController().signal,
    })) {
      // First the reader's own time, then the provider's, which is never too long between two pieces.
      advance(text === '' ? 400 : 0)
      for (const event of batch) if (event.type === 'text-delta') text += event.delta
      pieces += 1
      setImmediate(advance, 100)
    }
    assert.ok(pieces > 4, 'together the pieces took longer than any clock but the whole')
    assert.match(text, /^1 2 .* 20$/)
  })

  it('stops at its limits', async () => {
    const model = modelFor(upstream.url, { limits: { lineChars: 2000, streamBytes: 50_000, events: 40 } })
    const failure = async (words: string) => {
      const { error } = await runModel(model, asked(words))
      assert.ok(error instanceof ModelError && error.kind === 'malformed', String(error))
      return error.message
    }
    assert.match(await failure('count to 100'), /more than 40 events/)
    assert.match(await failure(`say ${'x'.repeat(3000)}`), /longer than 2000 characters/)
    assert.match(await failure(`[[json]] say ${'x'.repeat(60_000)}`), /longer than 50000 bytes/)
  })

  it('keeps its key out of every error', async () => {
    const { url } = await start({ apiKey: 'another' })
    const { error } = await runModel(modelFor(url), TEST_TURN)
    assert.ok(error instanceof ModelError && error.kind === 'auth')
    const body = JSON.stringify({ error: { message: 'bad key sk-secret-key-1234 at https://u:p@h/x' } })
    const leaking = await serve((_, response) => void response.writeHead(400).end(body))
    const leaked = await runModel(modelFor(leaking), TEST_TURN)
    assert.ok(leaked.error instanceof ModelError)
    assert.equal(leaked.error.message, 'bad key [key] at [url]')
  })

  it('refuses what it has no form for before it calls anybody', async () => {
    const image: ModelTurn = {
      ...TEST_TURN,
      items: [
        {
          id: 'm',
          type: 'message',
          status: 'completed',
          role: 'user',
          content: [{ type: 'input_image', file_id: 'f', detail: 'auto' }],
        },
      ],
    }
    const { error, attempts } = await runModel(modelFor(upstream.url), image)
    assert.ok(error instanceof ModelError && error.kind === 'invalid_request' && error.param === 'input')
    assert.deepEqual([attempts.length, upstream.requests.length], [0, 0])
  })

  it('refuses to be made with an address or a header no request could carry', () => {
    assert.throws(() => modelFor('http://user:pass@127.0.0.1/v1'), TypeError)
    assert.throws(() => modelFor('nowhere'), TypeError)
    assert.throws(() => modelFor(upstream.url, { apiKey: 'a\r\nx: y' }), /characters that headers cannot hold/)
    assert.throws(() => modelFor(upstream.url, { headers: { 'a b': 'c' } }), /'a b'/)
  })

  it('keeps the query of a base URL, which some gateways need', async () => {
    let path = ''
    const url = await serve((request, response) => {
      path = request.url ?? ''
      response.writeHead(500).end()
    })
    await runModel(modelFor(`${url}/?api-version=2025`), TEST_TURN)
    assert.equal(path, '/v1/chat/completions?api-version=2025')
  })

  it('counts images flat, and text that looks like a control token as text', async () => {
    const model = modelFor(upstream.url)
    const count = (turn: ModelTurn) => model.countInputTokens(turn, { signal: new AbortController().signal })
    const plain = await count(asked('Hello'))
    assert.equal(plain, 7)
    assert.ok((await count(asked('<|endoftext|>'))) > plain)
    const image: ModelTurn = {
      ...TEST_TURN,
      items: [
        {
          id: 'm',
          type: 'message',
          status: 'completed',
          role: 'user',
          content: [{ type: 'input_image', image_url: 'https://e.com/a.png', detail: 'auto' }],
        },
      ],
    }
    assert.equal(await count(image), 765 + 6)
  })
})
