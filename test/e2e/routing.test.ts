/** Several providers behind one name: the official SDK over a socket, against upstreams that fail, refuse and lie. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { after, afterEach, before, describe, test } from 'node:test'
import OpenAI, { BadRequestError, RateLimitError } from 'openai'
import { createLog } from '../../src/telemetry/log.ts'
import { type ChatUpstream, type ScriptedReply, startChatUpstream } from '../fakes/chat-upstream.ts'
import { send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'

const CONFIG = `
models:
  - { model_name: smart, deployments: [{ model: upstream/big }], fallbacks: [spare] }
  - { model_name: spare, deployments: [{ model: other/small }] }
  - { model_name: pair, deployments: [{ model: upstream/one }, { model: other/two }] }
  - { model_name: limited, deployments: [{ model: upstream/few, rpm: 1 }, { model: other/few, rpm: 1 }] }
  - { model_name: careful, deployments: [{ model: upstream/strict }], content_policy_fallbacks: [spare] }
  - { model_name: thinker, deployments: [{ model: router/deep }], fallbacks: [spare] }
router: { num_retries: 0, cooldown_time: 1h, allowed_fails: 1 }
`
const OPENROUTER = readFileSync(new URL('../fixtures/chat-completions/openrouter-reasoning.sse', import.meta.url))

let first: ChatUpstream
let second: ChatUpstream
let third: ChatUpstream
let server: TestServer
let client: OpenAI
const lines: string[] = []

before(async () => {
  ;[first, second, third] = [await startChatUpstream(), await startChatUpstream(), await startChatUpstream()]
})
after(() => Promise.all([first, second, third].map((upstream) => upstream.close())))

/** A server of its own for each, because what failed rests. */
async function start(config = CONFIG) {
  lines.length = 0
  const other = (name: string, upstream: ChatUpstream, type = 'openai_compatible') =>
    `${name}: { type: ${type}, api_base: "${upstream.url}", api_key: other-secret-key }`
  server = await startServer({
    upstream: first,
    providers: [other('other', second), other('router', third, 'openrouter')],
    config,
    telemetry: createLog({
      level: 'info',
      format: 'json',
      colour: false,
      secrets: [],
      write: (line) => lines.push(line),
    }),
  })
  client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
}
afterEach(() => server.close())

const callsOf = (upstream: ChatUpstream) => upstream.requests.filter(({ method }) => method === 'POST')
const ask = (body: Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming>) =>
  client.responses.create({ model: 'smart', input: 'Say hello.', ...body }).withResponse()
const metrics = async () => (await send(server, 'GET', '/metrics')).text
const down = (status: number, headers: Record<string, string> = {}): ScriptedReply => ({ status, headers })

describe('fallback', () => {
  for (const status of [429, 500, 503, 401]) {
    test(`a ${status} of the first provider is answered by the next, and who answered is said`, async () => {
      await start()
      first.push(down(status))
      const { data, response } = await ask({})
      assert.equal(data.status, 'completed')
      assert.equal(data.model, 'smart')
      assert.deepEqual(
        ['provider', 'model', 'deployment', 'fallback', 'attempts'].map((name) =>
          response.headers.get(`x-antiphon-${name}`),
        ),
        ['other', 'small', 'other/small', 'upstream/big', '2'],
      )
      assert.match(await metrics(), /antiphon_fallbacks_total\{provider="upstream",reason="\w+"\} 1\n/)
      const told = lines.find((line) => line.includes('fallback to another deployment')) ?? ''
      assert.ok(told.includes('"from":"upstream/big"') && told.includes('"to":"other/small"'), told)
    })
  }

  test('a stream goes on to the next provider before its first event, never after', async () => {
    await start()
    first.push(down(503))
    const stream = await client.responses.create({ model: 'smart', input: 'Say hello.', stream: true })
    const types: string[] = []
    for await (const event of stream) types.push(event.type)
    assert.deepEqual([types[0], types.at(-1)], ['response.created', 'response.completed'])

    await server.close()
    await start()
    first.push({ stopAt: 2000, stopBy: 'reset' })
    const before = callsOf(second).length
    const cut = await client.responses.create({ model: 'smart', input: 'count to 50', stream: true })
    const last: string[] = []
    for await (const event of cut) last.push(event.type)
    assert.equal(last.at(-1), 'response.failed')
    assert.equal(callsOf(second).length, before)
  })

  test('an input that is too long goes to another model, and a refusal of content to the one named for it', async () => {
    await start()
    const refusal = (code: string, message: string): ScriptedReply => ({
      status: 400,
      wire: JSON.stringify({ error: { message, type: 'invalid_request_error', param: 'messages', code } }),
      headers: { 'content-type': 'application/json' },
    })
    first.push(refusal('context_length_exceeded', "This model's maximum context length is 8192 tokens."))
    assert.equal((await ask({})).response.headers.get('x-antiphon-provider'), 'other')
    first.push(refusal('content_policy_violation', 'Your request was rejected by our safety system.'))
    assert.equal((await ask({ model: 'careful' })).response.headers.get('x-antiphon-provider'), 'other')
    first.push(refusal('content_policy_violation', 'Your request was rejected by our safety system.'))
    await assert.rejects(ask({ model: 'smart' }), BadRequestError)
  })

  test('what the request itself is to blame for is not asked elsewhere', async () => {
    await start()
    first.push(down(400))
    const before = callsOf(second).length
    await assert.rejects(ask({}), BadRequestError)
    assert.equal(callsOf(second).length, before)
  })

  test('a provider that says when to come back is left alone until then', async () => {
    await start()
    first.push(down(429, { 'retry-after': '3600' }))
    const before = callsOf(first).length
    for (let index = 0; index < 3; index += 1) {
      assert.equal((await ask({})).response.headers.get('x-antiphon-provider'), 'other')
    }
    assert.equal(callsOf(first).length, before + 1)
  })
})

describe('limits per minute', () => {
  test('deployments take turns within them; then the client is told when to come back, also for a stream', async () => {
    await start()
    const providers = [await ask({ model: 'limited' }), await ask({ model: 'limited' })].map(({ response }) =>
      response.headers.get('x-antiphon-provider'),
    )
    assert.deepEqual(providers.sort(), ['other', 'upstream'])
    const refused = [
      () => ask({ model: 'limited' }),
      () => client.responses.create({ model: 'limited', input: 'x', stream: true }),
    ]
    for (const again of refused) {
      await assert.rejects(again, (error: unknown) => {
        assert.ok(error instanceof RateLimitError)
        const seconds = Number(error.headers.get('retry-after'))
        assert.ok(seconds >= 1 && seconds <= 61, String(seconds))
        return true
      })
    }
  })
})

test('tokens are counted whatever the limits', async () => {
  await start()
  for (let index = 0; index < 4; index += 1) {
    const { status } = await send(server, 'POST', '/v1/responses/input_tokens', { model: 'limited', input: 'x' })
    assert.equal(status, 200)
    if (index < 2) await ask({ model: 'limited' })
  }
})

describe('where a turn goes', () => {
  test('turns with one prompt cache key stay together, others are spread', async () => {
    await start()
    const providersOf = async (key: (index: number) => string) => {
      const seen = new Set<string | null>()
      for (let index = 0; index < 12; index += 1) {
        const { response } = await ask({ model: 'pair', prompt_cache_key: key(index) })
        seen.add(response.headers.get('x-antiphon-provider'))
      }
      return seen
    }
    assert.equal((await providersOf(() => 'one')).size, 1)
    assert.equal((await providersOf((index) => `key ${index}`)).size, 2)
  })

  test('reasoning goes back to the provider that made it; another one gets its text, and that is said', async () => {
    await start()
    third.push({ wire: OPENROUTER })
    const thought = await ask({ model: 'thinker', input: 'What is the weather in Paris?' })
    const state = /"data":"([^"]+)"|"signature":"([^"]+)"/.exec(OPENROUTER.toString())
    const secret = state?.[1] ?? state?.[2] ?? 'no state in the fixture'
    const call = thought.data.output.find((item) => item.type === 'function_call')
    const output = { type: 'function_call_output' as const, call_id: call?.call_id ?? '', output: 'sunny' }
    const next = { model: 'thinker', previous_response_id: thought.data.id, input: call ? [output] : 'Go on.' }

    const back = await ask(next)
    assert.equal(back.response.headers.get('x-antiphon-provider'), 'router')
    assert.ok(callsOf(third).at(-1)?.raw.includes(secret), 'its own provider gets its state')
    assert.equal(back.response.headers.get('x-antiphon-warnings'), null)

    third.push(down(503))
    const elsewhere = await ask(next)
    assert.equal(elsewhere.response.headers.get('x-antiphon-fallback'), 'router/deep')
    assert.ok(!callsOf(second).at(-1)?.raw.includes(secret), 'another provider does not')
    const warned = elsewhere.response.headers.get('x-antiphon-warnings') ?? ''
    assert.match(warned, /reasoning of the provider 'router' goes to 'other' as readable text at most/)
  })

  test('nothing in a request can choose an address', async () => {
    await start()
    let connections = 0
    const trap = createServer((socket) => {
      connections += 1
      socket.destroy()
    })
    await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve))
    const address = trap.address()
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/v1`
    const names = [
      'api_base',
      'base_url',
      'api-base',
      'openai-base-url',
      'x-antiphon-api-base',
      'x-api-base',
      'x-base-url',
    ]
    const forwarded = {
      'x-forwarded-host': new URL(url).host,
      forwarded: `host=${new URL(url).host}`,
      'x-original-url': url,
    }
    const evil = Object.fromEntries(names.map((name) => [name, url]))
    const body = {
      model: 'smart',
      input: 'x',
      metadata: evil,
      ...evil,
      headers: evil,
      user: url,
      prompt_cache_key: 'k',
    }
    const reply = await send(server, 'POST', '/v1/responses', body, { headers: { ...evil, ...forwarded } })
    assert.equal(reply.status, 200)
    for (const model of [url, `${url}/smart`, 'http:smart', `//${new URL(url).host}/x`, 'upstream/../../x']) {
      const { status } = await send(server, 'POST', '/v1/responses', { model, input: 'x' })
      assert.ok(status === 200 || status === 400, `${model}: ${status}`)
    }
    for (const { path } of callsOf(first)) assert.equal(path, '/v1/chat/completions')
    assert.equal(connections, 0)
    await new Promise((resolve) => trap.close(resolve))
  })
})
