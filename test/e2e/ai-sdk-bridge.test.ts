/** The official SDK, unmodified, over a socket: on a provider that only a package of the AI SDK reaches. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import OpenAI, { APIError } from 'openai'
import { type ChatUpstream, startChatUpstream } from '../fakes/chat-upstream.ts'
import { startServer, type TestServer } from '../support/server.ts'

const KEY = 'key-of-the-package'
const model = 'bridged/gpt-4.1-mini'
const TOOL = {
  type: 'function' as const,
  name: 'get_weather',
  strict: false,
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
}

describe('openai SDK on a package of the AI SDK', () => {
  let upstream: ChatUpstream
  let server: TestServer
  let client: OpenAI
  before(async () => {
    upstream = await startChatUpstream({ apiKey: KEY })
    const bridged = `package: "@ai-sdk/openai", method: chat, api_base: "${upstream.url}"`
    server = await startServer({
      providers: [
        `bridged: { ${bridged}, api_key: "${KEY}" }`,
        `revoked: { ${bridged}, api_key: "key-that-was-revoked" }`,
        `missing: { package: "@ai-sdk/not-installed" }`,
      ],
    })
    client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
  })
  after(async () => {
    await server.close()
    await upstream.close()
  })

  test('answers, streams, and goes on from what it said', async () => {
    const first = await client.responses.create({ model, input: 'Hello there' })
    assert.equal(first.status, 'completed')
    assert.ok(first.output_text.length > 0)
    assert.ok((first.usage?.output_tokens ?? 0) > 0)
    const stream = await client.responses.create({
      model,
      input: 'And now?',
      previous_response_id: first.id,
      stream: true,
    })
    const types: string[] = []
    for await (const { type } of stream) types.push(type)
    assert.equal(types.at(-1), 'response.completed')
    assert.ok(types.includes('response.output_text.delta'))
    const sent = JSON.stringify(upstream.requests.at(-1)?.body)
    assert.ok(sent.includes('Hello there') && sent.includes('And now?'), sent)
  })

  test('calls a tool and reads its output', async () => {
    const tools = [TOOL]
    const asked = await client.responses.create({ model, tools, tool_choice: 'required', input: 'Weather in Bern?' })
    const call = asked.output.find((item) => item.type === 'function_call')
    assert.ok(call?.type === 'function_call' && call.name === 'get_weather')
    const output = { type: 'function_call_output' as const, call_id: call.call_id, output: '20 degrees' }
    const answer = await client.responses.create({ model, tools, previous_response_id: asked.id, input: [output] })
    assert.equal(answer.status, 'completed')
    assert.ok(answer.output_text.length > 0)
  })

  test('a refused key is the operator’s fault, and the missing package is a model that is not there', async () => {
    for (const [name, pattern] of [
      ['revoked/gpt-4.1-mini', /revoked|credentials|provider/i],
      ['missing/any', /missing\/any/],
    ] as const) {
      await assert.rejects(client.responses.create({ model: name, input: 'Hello' }), (error: unknown) => {
        assert.ok(error instanceof APIError)
        assert.match(error.message, pattern)
        assert.doesNotMatch(error.message, /key-that-was-revoked|127\.0\.0\.1/)
        return true
      })
    }
  })
})
