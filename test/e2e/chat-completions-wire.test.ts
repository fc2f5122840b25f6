/** `POST /v1/chat/completions` as bytes: what the SDKs do not show. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { request } from 'undici'
import { waitUntil } from '../fakes/chat-upstream.ts'
import { framesOf, send } from '../support/http.ts'
import { startServer, type TestServer, UPSTREAM_MODEL } from '../support/server.ts'

const PATH = '/v1/chat/completions'
let server: TestServer
before(async () => {
  server = await startServer()
})
after(() => server.close())

const chat = (body: object, headers: Record<string, string> = {}) =>
  send(
    server,
    'POST',
    PATH,
    { model: UPSTREAM_MODEL, messages: [{ role: 'user', content: 'Say hello.' }], ...body },
    { headers },
  )
const asked = (content: unknown) => ({ messages: [{ role: 'user', content }] })
const messageOf = (json: Record<string, unknown>) => Object(json).choices[0].message
const chunksOf = (text: string) =>
  framesOf(text).map(({ data }) => (data === '[DONE]' ? data : Object(JSON.parse(data))))

test('an error has the envelope of every other endpoint, whatever went wrong', async () => {
  const cases: readonly (readonly [object, number, string | null, string | null])[] = [
    [{ messages: undefined }, 400, 'messages', 'missing_required_parameter'],
    [{ model: 'nobody' }, 400, 'model', 'model_not_found'],
    [{ model: undefined }, 400, 'model', 'missing_required_parameter'],
    [asked('[[status 400]]'), 400, null, null],
    [asked('[[status 401]]'), 502, null, null],
    [{ response_format: { type: 'json_object' } }, 400, 'messages', null],
    [
      {
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'n', strict: true, schema: { type: 'object', properties: { a: { type: 'string' } } } },
        },
      },
      400,
      'response_format.json_schema.schema',
      null,
    ],
  ]
  for (const [body, status, param] of cases) {
    for (const stream of [false, true]) {
      const reply = await chat({ ...body, stream })
      assert.equal(reply.status, status, reply.text)
      const { error } = Object(reply.json)
      assert.deepEqual(Object.keys(error).sort(), ['code', 'message', 'param', 'type'])
      if (param !== null) assert.equal(error.param, param)
      assert.ok(reply.headers['x-request-id'])
      assert.doesNotMatch(error.message, /'(input|text\.format)/)
    }
  }
})

test('a stream that broke off says so in its data, and ends', async () => {
  const reply = await chat({ ...asked('Say a long sentence about rivers. [[cut 600]]'), stream: true })
  assert.equal(reply.status, 200)
  const chunks = chunksOf(reply.text)
  assert.equal(chunks.at(-1), '[DONE]')
  assert.deepEqual(Object.keys(chunks.at(-2).error).sort(), ['code', 'message', 'param', 'type'])
  assert.ok(chunks.every((chunk) => chunk.choices?.[0]?.finish_reason !== 'stop'))
})

test('what the model thought comes as reasoning_content, whole and streamed', async () => {
  const body = { model: 'demo', ...asked('What is 6 * 7?'), reasoning_effort: 'low' }
  const whole = messageOf((await chat(body)).json)
  assert.ok(whole.reasoning_content.length > 0)
  const chunks = chunksOf((await chat({ ...body, stream: true })).text)
  const streamed = chunks.map((chunk) => chunk.choices?.[0]?.delta?.reasoning_content ?? '').join('')
  assert.equal(streamed, whole.reasoning_content)
})

test('refusals, filters and custom tools keep their meaning, whole and streamed', async () => {
  const refused = { model: 'demo', ...asked('[refuse] Hello') }
  const message = messageOf((await chat(refused)).json)
  assert.equal(message.content, null)
  assert.ok(message.refusal.length > 0)
  const chunks = chunksOf((await chat({ ...refused, stream: true })).text)
  assert.equal(chunks.map((chunk) => chunk.choices?.[0]?.delta?.refusal ?? '').join(''), message.refusal)

  const filtered = await chat({ model: 'demo', ...asked('[filter] Tell me about rivers.') })
  assert.equal(Object(filtered.json).choices[0].finish_reason, 'content_filter')

  const tools = [{ type: 'custom', custom: { name: 'run_code', description: 'Runs code' } }]
  const custom = { model: 'demo', ...asked('Use run_code with input: print(1)'), tools, tool_choice: 'required' }
  const [call] = messageOf((await chat(custom)).json).tool_calls
  assert.equal(call.type, 'custom')
  assert.equal(call.custom.name, 'run_code')
  const streamed = chunksOf((await chat({ ...custom, stream: true })).text)
  const inputs = streamed.flatMap((chunk) => chunk.choices?.[0]?.delta?.tool_calls ?? [])
  assert.equal(inputs.map((it) => it.custom?.input ?? '').join(''), call.custom.input)
  assert.ok(inputs.every(({ index }) => index === 0))
})

test('parallel calls are told apart by their index', async () => {
  const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
  const tools = [
    { type: 'function', function: { name: 'get_weather', description: 'The weather of a city', parameters } },
  ]
  const body = { model: 'demo', ...asked('What is the weather in Paris and Tokyo?'), tools }
  const whole = messageOf((await chat(body)).json).tool_calls
  assert.equal(whole.length, 2)
  const deltas = chunksOf((await chat({ ...body, stream: true })).text).flatMap(
    (chunk) => chunk.choices?.[0]?.delta?.tool_calls ?? [],
  )
  const joined = [0, 1].map((index) =>
    deltas
      .filter((it) => it.index === index)
      .map((it) => it.function.arguments)
      .join(''),
  )
  assert.deepEqual(
    joined,
    whole.map((it: { function: { arguments: string } }) => it.function.arguments),
  )
})

test('nothing is stored unless it is asked for, and then it is the response of the same name', async () => {
  const plain = await chat({})
  const responseId = (json: Record<string, unknown>) => String(json.id).replace('chatcmpl-', 'resp_')
  assert.equal((await send(server, 'GET', `/v1/responses/${responseId(plain.json)}`)).status, 404)
  const kept = await chat({ store: true, metadata: { a: 'b' } })
  const response = await send(server, 'GET', `/v1/responses/${responseId(kept.json)}`)
  assert.equal(response.json.output_text, messageOf(kept.json).content)
  assert.deepEqual(response.json.metadata, { a: 'b' })
})

test('what was ignored is in a header, in the words of the request', async () => {
  const reply = await chat({ seed: 1, verbosity: 'low', nonsense: true })
  const warnings = String(reply.headers['x-antiphon-warnings'])
  assert.match(warnings, /seed is not carried/)
  assert.match(warnings, /(^|; )verbosity:/)
  assert.match(warnings, /nonsense is unknown/)
  assert.equal(reply.headers['x-antiphon-provider'], 'upstream')
})

test('an idempotency key makes two requests one run', async () => {
  const body = asked('Say something [once].')
  const first = await chat(body, { 'idempotency-key': 'chat-1' })
  const second = await chat(body, { 'idempotency-key': 'chat-1' })
  assert.equal(second.headers['idempotency-replayed'], 'true')
  assert.deepEqual(second.json, first.json)
})

test('a key without the scope, a wrong method and the legacy endpoint are told what they are', async () => {
  assert.equal((await send(server, 'POST', PATH, {}, { key: null })).status, 401)
  const wrong = await send(server, 'GET', PATH)
  assert.equal(wrong.status, 405)
  assert.match(String(wrong.headers.allow), /POST/)
  const legacy = await send(server, 'POST', '/v1/completions', { prompt: 'x' })
  assert.equal(legacy.status, 404)
  assert.match(Object(legacy.json).error.message, /\/v1\/chat\/completions/)
})

test('who leaves a stream, or gives up waiting, stops the upstream', async () => {
  for (const stream of [true, false]) {
    const before = server.upstream.requests.length
    const abort = new AbortController()
    const body = { model: UPSTREAM_MODEL, ...asked('Write a long essay. [[delay 50]]'), stream }
    const gone = request(`${server.url}${PATH}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: abort.signal,
    }).then(
      (reply) => reply.body.dump().catch(() => {}),
      () => {},
    )
    await waitUntil(() => server.upstream.requests.length > before, 5_000)
    abort.abort()
    await gone
    await waitUntil(() => server.upstream.requests.at(-1)?.closedEarly === true, 5_000)
  }
})
