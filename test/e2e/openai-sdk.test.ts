/** The official SDK, unmodified, over a socket: on the demo model and on a strict Chat Completions upstream. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import OpenAI, {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from 'openai'
import { zodTextFormat } from 'openai/helpers/zod'
import type { ResponseInput } from 'openai/resources/responses/responses'
import { z } from 'zod'
import { BACKENDS, startServer, type TestServer } from '../support/server.ts'

const WEATHER_TOOL = {
  type: 'function' as const,
  name: 'get_weather',
  description: 'The weather in a city',
  strict: true,
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
}

for (const backend of BACKENDS) {
  describe(`openai SDK on ${backend.name}`, () => {
    let server: TestServer
    let client: OpenAI
    const { model } = backend
    before(async () => {
      server = await startServer({ checked: true })
      client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
    })
    after(() => server.close())

    test(`create answers a string input with text and usage on ${backend.name} (req 1, 10, 23, 199)`, async () => {
      const response = await client.responses.create({ model, input: 'Say hello.' })
      assert.equal(response.status, 'completed')
      assert.ok(response.output_text.length > 0)
      const usage = response.usage
      assert.ok(usage && usage.input_tokens > 0 && usage.output_tokens > 0)
      assert.equal(usage.total_tokens, usage.input_tokens + usage.output_tokens)
    })

    test(`a stream of events says what the final response says on ${backend.name} (req 79, 93, 103)`, async () => {
      const stream = await client.responses.create({ model, input: 'Say hello.', stream: true })
      let text = ''
      let final = ''
      for await (const event of stream) {
        if (event.type === 'response.output_text.delta') text += event.delta
        if (event.type === 'response.completed') final = event.response.output_text ?? ''
      }
      assert.ok(text.length > 0)
      assert.equal(text, final)
    })

    test(`responses.stream accumulates to the final response on ${backend.name} (req 105)`, async () => {
      const stream = client.responses.stream({ model, input: 'Say hello.' })
      let text = ''
      stream.on('response.output_text.delta', (event) => {
        text = event.snapshot
      })
      const final = await stream.finalResponse()
      assert.equal(final.output_text, text)
      const stored = await client.responses.retrieve(final.id)
      assert.deepEqual(
        stored.output.map((item) => item.id),
        final.output.map((item) => item.id),
      )
    })

    test(`parse fills a zod schema on ${backend.name} (req 33)`, async () => {
      const Person = z.object({ name: z.string(), age: z.number().int(), tags: z.array(z.string()) })
      const response = await client.responses.parse({
        model,
        input: 'Describe Ada, who is 36.',
        text: { format: zodTextFormat(Person, 'person') },
      })
      assert.ok(Person.safeParse(response.output_parsed).success)
    })

    test(`a function call loop ends with an answer from the tool's output on ${backend.name} (req 18, 122, 129)`, async () => {
      const input: ResponseInput = [{ role: 'user', content: 'call get_weather with {"city":"Paris"}' }]
      const first = await client.responses.create({ model, input, tools: [WEATHER_TOOL] })
      const call = first.output.find((item) => item.type === 'function_call')
      assert.ok(call)
      assert.deepEqual(JSON.parse(call.arguments), { city: 'Paris' })
      const second = await client.responses.create({
        model,
        tools: [WEATHER_TOOL],
        input: [
          ...input,
          ...(first.output as ResponseInput),
          { type: 'function_call_output', call_id: call.call_id, output: '17 degrees and foggy' },
        ],
      })
      assert.match(second.output_text, /17 degrees/)
    })

    test(`streamed function arguments arrive whole on ${backend.name} (req 87, 88)`, async () => {
      const stream = client.responses.stream({
        model,
        input: 'call get_weather with {"city":"Paris"}',
        tools: [WEATHER_TOOL],
        tool_choice: 'required',
      })
      const final = await stream.finalResponse()
      const call = final.output.find((item) => item.type === 'function_call')
      assert.ok(call)
      assert.equal(typeof JSON.parse(call.arguments).city, 'string')
    })

    test(`previous_response_id continues a stored chain without its instructions on ${backend.name} (req 49, 50)`, async () => {
      const first = await client.responses.create({
        model,
        input: 'My name is Ada.',
        instructions: 'Always answer in capitals.',
      })
      const second = await client.responses.create({
        model,
        input: 'What is my name?',
        previous_response_id: first.id,
      })
      assert.match(second.output_text, /Ada/)
      assert.equal(second.instructions, null)
      const items = await client.responses.inputItems.list(second.id, { order: 'asc' })
      assert.deepEqual(
        items.data.map((item) => item.type),
        ['message', 'message', 'message'],
      )
    })

    test(`retrieve, list, delete and cancel behave as documented on ${backend.name} (req 60, 62, 163)`, async () => {
      const created = await client.responses.create({ model, input: 'Say hello.' })
      const retrieved = await client.responses.retrieve(created.id)
      assert.equal(retrieved.output_text, created.output_text)
      const items = await client.responses.inputItems.list(created.id)
      assert.equal(items.data.length, 1)
      await assert.rejects(client.responses.cancel(created.id), BadRequestError)
      await client.responses.delete(created.id)
      await assert.rejects(client.responses.retrieve(created.id), NotFoundError)
    })

    test(`input tokens are counted without generating on ${backend.name} (req 40)`, async () => {
      const counted = await client.responses.inputTokens.count({ model, input: 'Count these tokens, please.' })
      assert.ok(counted.input_tokens >= 5 && counted.input_tokens < 100)
    })
  })
}

const READ_KEY = 'sk-test-that-may-only-read'

describe('openai SDK errors', () => {
  let server: TestServer
  let client: OpenAI
  before(async () => {
    server = await startServer({
      checked: true,
      config: `keys: [{ key_alias: reader, key: ${READ_KEY}, scopes: [read] }]\n`,
    })
    client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
  })
  after(() => server.close())

  test('an unknown model is a BadRequestError that names the field (req 11)', async () => {
    await assert.rejects(client.responses.create({ model: 'no-such-model', input: 'x' }), (error: unknown) => {
      assert.ok(error instanceof BadRequestError)
      assert.equal(error.code, 'model_not_found')
      assert.equal(error.param, 'model')
      assert.ok(error.requestID)
      return true
    })
  })

  test('a wrong key is an AuthenticationError (req 187)', async () => {
    const stranger = new OpenAI({ baseURL: server.baseUrl, apiKey: 'sk-antiphon-wrong', maxRetries: 0 })
    await assert.rejects(stranger.responses.create({ model: 'demo', input: 'x' }), AuthenticationError)
  })

  test('an unknown parent is a BadRequestError with its own code (req 52)', async () => {
    const create = client.responses.create({ model: 'demo', input: 'x', previous_response_id: 'resp_nope' })
    await assert.rejects(create, (error: unknown) => {
      assert.ok(error instanceof BadRequestError)
      assert.equal(error.code, 'previous_response_not_found')
      return true
    })
  })

  test('each kind of failure is the SDK class made for it (req 46)', async () => {
    const create = (input: string, options?: OpenAI.RequestOptions) =>
      client.responses.create({ model: 'demo', input }, options)
    await assert.rejects(create('[fail:429]'), RateLimitError)
    await assert.rejects(create('[fail:500]'), InternalServerError)
    await assert.rejects(create('[delay:5000]', { timeout: 100 }), APIConnectionTimeoutError)
    const left = new AbortController()
    const pending = create('[delay:5000]', { signal: left.signal })
    left.abort()
    await assert.rejects(pending, APIUserAbortError)
  })

  test('a key that may only read is a PermissionDeniedError when it creates, and reads all the same (req 187)', async () => {
    const reader = new OpenAI({ baseURL: server.baseUrl, apiKey: READ_KEY, maxRetries: 0 })
    await assert.rejects(reader.responses.create({ model: 'demo', input: 'x' }), PermissionDeniedError)
    const created = await client.responses.create({ model: 'demo', input: 'Say hello.' })
    assert.equal((await reader.responses.retrieve(created.id)).id, created.id)
  })

  test('a failure in the middle of a stream is a failed response, not a broken connection', async () => {
    const stream = await client.responses.create({ model: 'demo', input: '[fail-after:3]', stream: true })
    const types: string[] = []
    for await (const event of stream) types.push(event.type)
    assert.equal(types.at(-1), 'response.failed')
  })

  test('the SDK retries what we say may be retried, and leaves alone what we say may not', async () => {
    const patient = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 2 })
    const model = 'upstream/gpt-test'
    const wire = JSON.stringify({ error: { message: 'slow down', code: 'rate_limit_exceeded' } })
    server.upstream.push({ status: 429, headers: { 'retry-after-ms': '3000', 'retry-after': '3' }, wire })
    const response = await patient.responses.create({ model, input: 'Say hello.' })
    assert.equal(response.status, 'completed')
    const before = server.upstream.requests.length
    server.upstream.push({ status: 401, wire: '{"error":{"message":"bad key"}}' })
    await assert.rejects(patient.responses.create({ model, input: 'Say hello.' }), InternalServerError)
    assert.equal(server.upstream.requests.length - before, 1)
  })

  test('a server that is not there is an APIConnectionError', async () => {
    const nowhere = new OpenAI({ baseURL: 'http://127.0.0.1:9/v1', apiKey: 'x', maxRetries: 0 })
    await assert.rejects(nowhere.responses.create({ model: 'demo', input: 'x' }), APIConnectionError)
  })

  test('models are listed and retrieved in the SDK shape (req 41)', async () => {
    const models = await client.models.list()
    assert.ok(models.data.some((model) => model.id === 'demo'))
    const demo = await client.models.retrieve('demo')
    assert.equal(demo.object, 'model')
    await assert.rejects(client.models.retrieve('no-such-model'), NotFoundError)
  })
})
