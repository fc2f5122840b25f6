/** The official OpenAI SDK over sockets on a strict Anthropic behind the server: what a user of Claude gets. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import OpenAI, { BadRequestError, InternalServerError, NotFoundError, RateLimitError } from 'openai'
import type { ResponseFunctionToolCall, ResponseInput, ResponseInputItem } from 'openai/resources/responses/responses'
import { type AnthropicUpstream, startAnthropicUpstream } from '../fakes/anthropic-upstream.ts'
import { isJson, type Json } from '../fakes/chat-validate.ts'
import { startServer, type TestServer } from '../support/server.ts'

const KEY = 'sk-ant-api03-the-operators-own-key'
const model = 'anthropic/claude-opus-5-5'
const OLDER = 'anthropic/claude-sonnet-4-5'

const functionTool = (name: string) => ({
  type: 'function' as const,
  name,
  strict: true,
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
})
const TOOLS = [functionTool('get_weather'), functionTool('get_time')]

describe('openai SDK on Anthropic', () => {
  let upstream: AnthropicUpstream
  let server: TestServer
  let client: OpenAI
  let seen = 0

  before(async () => {
    upstream = await startAnthropicUpstream({ apiKey: KEY })
    server = await startServer({
      checked: true,
      // As its own clients write the address: without the version.
      providers: [`anthropic: { api_base: "${upstream.url.replace('/v1', '')}", api_key: ${KEY} }`],
      config: 'router: { num_retries: 0 }',
    })
    client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
  })
  after(async () => {
    await server.close()
    await upstream.close()
  })
  beforeEach(() => {
    seen = upstream.requests.length
  })

  /** The bodies of this test's calls of `/v1/messages`. */
  const bodies = (): Json[] =>
    upstream.requests.slice(seen).flatMap(({ path, body }) => (path === '/v1/messages' && isJson(body) ? [body] : []))
  const calls = (output: readonly { type: string }[]) =>
    output.filter((item): item is ResponseFunctionToolCall => item.type === 'function_call')
  const answers = (made: readonly ResponseFunctionToolCall[]): ResponseInputItem.FunctionCallOutput[] =>
    made.map(({ call_id, name }) => ({ type: 'function_call_output', call_id, output: `${name} is fine` }))

  test('create answers with text and usage', async () => {
    const response = await client.responses.create({ model, input: 'Hello', instructions: 'Be kind.' })
    assert.equal(response.output_text, 'You said: Hello')
    assert.equal(response.status, 'completed')
    const { usage } = response
    assert.ok(usage && usage.input_tokens > 0 && usage.total_tokens === usage.input_tokens + usage.output_tokens)
    assert.equal(usage.output_tokens_details.reasoning_tokens, 12)
    const [body] = bodies()
    assert.deepEqual(body?.system, [{ type: 'text', text: 'Be kind.' }])
    assert.equal(upstream.requests.at(-1)?.headers['x-api-key'], KEY)
    assert.equal(upstream.requests.at(-1)?.headers['anthropic-version'], '2023-06-01')
  })

  test('a stream says what the final response says, with a summary of the thoughts', async () => {
    const reasoning = { effort: 'low', summary: 'auto' } as const
    const stream = client.responses.stream({ model, input: 'Hello', reasoning })
    let text = ''
    let summary = ''
    stream.on('response.output_text.delta', ({ delta }) => {
      text += delta
    })
    stream.on('response.reasoning_summary_text.delta', ({ delta }) => {
      summary += delta
    })
    const final = await stream.finalResponse()
    assert.equal(text, final.output_text)
    assert.equal(summary, 'I think about Hello.')
    assert.deepEqual(
      final.output.map(({ type }) => type),
      ['reasoning', 'message'],
    )
  })

  test('parallel calls, and a loop over stored responses in which the signed thoughts go back unchanged', async () => {
    const input = '[[call get_weather {"city":"Oslo"}]] [[call get_time {"city":"Rome"}]]'
    const first = await client.responses.create({ model, input, tools: TOOLS, reasoning: { effort: 'low' } })
    const made = calls(first.output)
    assert.deepEqual(
      made.map(({ name, arguments: args }) => `${name} ${args}`),
      ['get_weather {"city":"Oslo"}', 'get_time {"city":"Rome"}'],
    )
    const second = await client.responses.create({
      model,
      previous_response_id: first.id,
      input: answers(made),
      tools: TOOLS,
      reasoning: { effort: 'low' },
    })
    assert.equal(second.output_text, 'Results: get_weather is fine; get_time is fine.')
    const messages = bodies().at(-1)?.messages as { content: Json[] }[]
    assert.deepEqual(
      messages[1]?.content.map(({ type }) => type),
      ['thinking', 'tool_use', 'tool_use'],
    )
    assert.match(String(messages[1]?.content[0]?.signature), /^signature\+of/)
    const third = await client.responses.create({ model, previous_response_id: second.id, input: 'And now?' })
    assert.equal(third.output_text, 'You said: And now?')
  })

  test('a stateless loop carries the thoughts in encrypted_content, redacted ones too (req 64)', async () => {
    for (const extra of ['', '[[redacted]]']) {
      const asked = `[[call get_weather {"city":"Oslo"}]]${extra}`
      const options = {
        model: OLDER,
        store: false,
        tools: TOOLS,
        reasoning: { effort: 'medium' as const },
        include: ['reasoning.encrypted_content' as const],
      }
      const history: ResponseInput = [{ role: 'user', content: asked }]
      const first = await client.responses.create({ ...options, input: history })
      const [thought] = first.output
      assert.ok(thought?.type === 'reasoning' && thought.encrypted_content)
      assert.ok(!thought.encrypted_content.includes('signature'), 'sealed')
      history.push(...(first.output as ResponseInputItem[]), ...answers(calls(first.output)))
      const second = await client.responses.create({ ...options, input: history })
      assert.equal(second.output_text, 'Results: get_weather is fine.')
      const messages = bodies().at(-1)?.messages as { content: Json[] }[]
      assert.equal(messages[1]?.content[0]?.type, extra === '' ? 'thinking' : 'redacted_thinking')
      assert.ok(isJson(bodies().at(-1)?.thinking), 'the loop goes on thinking')
    }
  })

  test('a client that loses the thoughts of a loop still gets its answer, and is told', async () => {
    const input: ResponseInput = [{ role: 'user', content: '[[call get_weather {"city":"Oslo"}]]' }]
    const options = { model: OLDER, store: false, tools: TOOLS, reasoning: { effort: 'low' as const } }
    const first = await client.responses.create({ ...options, input })
    const made = calls(first.output)
    const { data, response } = await client.responses
      .create({ ...options, input: [...input, ...made, ...answers(made)] })
      .withResponse()
    assert.equal(data.output_text, 'Results: get_weather is fine.')
    assert.match(response.headers.get('x-antiphon-warnings') ?? '', /reasoning\.effort/)
  })

  test('images, PDFs and text files reach the model', async () => {
    const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
    const response = await client.responses.create({
      model,
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_image', detail: 'auto', image_url: `data:image/png;base64,${pixel}` },
            { type: 'input_image', detail: 'auto', image_url: 'https://images.test/a.png' },
            { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0xLjQK' },
            { type: 'input_file', filename: 'notes.md', file_data: 'data:text/markdown;base64,IyBIaQ==' },
            { type: 'input_text', text: '[[cite]]' },
          ],
        },
      ],
    })
    const sent = (bodies()[0]?.messages ?? []) as { content: Json[] }[]
    assert.deepEqual(
      sent[0]?.content.map(({ type, source }) => `${type} ${isJson(source) ? source.type : ''}`),
      ['image base64', 'image url', 'document base64', 'document text', 'text '],
    )
    const item = response.output.at(-1)
    const part = item?.type === 'message' ? item.content[0] : null
    assert.ok(part?.type === 'output_text')
    assert.deepEqual(part.annotations, [{ type: 'file_citation', file_id: 'document_0', filename: 'a.pdf', index: 0 }])
  })

  test('a spreadsheet is refused by name before anything is sent', async () => {
    const content = [{ type: 'input_file' as const, filename: 'a.xlsx', file_data: 'UEsDBA==' }]
    const error = await rejected(client.responses.create({ model, input: [{ role: 'user', content }] }))
    assert.ok(error instanceof BadRequestError)
    assert.equal(error.param, 'input[0].content[0].file_data')
    assert.match(error.message, /a\.xlsx/)
    const input = [{ role: 'user' as const, content }]
    assert.ok((await rejected(client.responses.inputTokens.count({ model, input }))) instanceof BadRequestError)
    assert.equal(bodies().length, 0)
  })

  test('a cached prompt is written once, then read, and both are counted as input', async () => {
    const options = { model: OLDER, instructions: 'Be kind. '.repeat(200), prompt_cache_key: 'one' }
    const first = await client.responses.create({ ...options, input: 'Hello' })
    const second = await client.responses.create({ ...options, input: 'More', previous_response_id: first.id })
    const written = first.usage?.input_tokens_details as unknown as Record<string, number>
    assert.ok((written.cache_write_tokens ?? 0) > 400)
    assert.equal(written.cached_tokens, 0)
    assert.ok((second.usage?.input_tokens_details.cached_tokens ?? 0) > 400)
    assert.ok((second.usage?.input_tokens ?? 0) > (second.usage?.input_tokens_details.cached_tokens ?? 0))
  })

  test('a refusal is a refusal part of an incomplete response (req 37)', async () => {
    const response = await client.responses.create({ model, input: '[[refuse]]' })
    assert.equal(response.status, 'incomplete')
    assert.equal(response.incomplete_details?.reason, 'content_filter')
    const item = response.output.at(-1)
    assert.ok(item?.type === 'message')
    assert.deepEqual(item.content, [{ type: 'refusal', refusal: 'This request was declined for safety.' }])
  })

  test('a limit of tokens and a stop sequence end the text', async () => {
    const cut = await client.responses.create({ model: OLDER, input: '[[words 300]]', max_output_tokens: 40 })
    assert.equal(cut.incomplete_details?.reason, 'max_output_tokens')
    assert.equal(cut.output_text.length, 160)
    const body = { model: OLDER, input: '[[words 9]]', stop: ['word3'] }
    const stopped = await client.responses.create(body)
    assert.equal(stopped.output_text, 'word0 word1 word2 ')
    assert.equal(stopped.status, 'completed')
  })

  test('a schema is held by the provider, or by this server where the provider cannot', async () => {
    const text = (schema: Record<string, unknown>) => ({
      format: { type: 'json_schema' as const, name: 'n', strict: true, schema },
    })
    const closed = (n: object) => ({
      type: 'object',
      properties: { n },
      required: ['n'],
      additionalProperties: false,
    })
    const native = await client.responses.create({
      model,
      input: '[[json {"n":1}]]',
      text: text(closed({ type: 'integer' })),
    })
    assert.equal(native.output_text, '{"n":1}')
    const config = bodies()[0]?.output_config
    assert.ok(isJson(config) && isJson(config.format))

    const bounded = text(closed({ type: 'integer', minimum: 5 }))
    const checked = await client.responses.create({ model, input: '[[json {"n":7}]]', text: bounded })
    assert.equal(checked.output_text, '{"n":7}')
    assert.equal(bodies()[1]?.output_config, undefined)
    const error = await rejected(client.responses.create({ model, input: '[[json {"n":1}]]', text: bounded }))
    assert.ok(error instanceof InternalServerError, 'an answer outside of the schema is never passed on')
  })

  test('what this provider cannot do is refused by name (req 38)', async () => {
    const cases: readonly [string, object][] = [
      ['temperature', { model, temperature: 0.3 }],
      ['temperature', { model: OLDER, temperature: 1.4 }],
      ['stop', { model: OLDER, stop: ['\n'] }],
      ['include', { model: OLDER, include: ['message.output_text.logprobs'] }],
    ]
    for (const [param, fields] of cases) {
      const error = await rejected(client.responses.create({ model, input: 'x', ...fields }))
      assert.ok(error instanceof BadRequestError, param)
      assert.equal(error.param, param)
    }
    assert.equal(bodies().length, 0)
  })

  test('a demanded call of a model that cannot be forced is asked for in words, twice at most', async () => {
    const body = { model, tools: TOOLS, tool_choice: 'required' as const }
    const heeded = await client.responses.create({ ...body, input: '[[call get_time {"city":"Rome"}]]' })
    assert.equal(calls(heeded.output)[0]?.name, 'get_time')
    const [request] = bodies()
    assert.equal(request?.tool_choice, undefined)
    const last = ((request?.messages ?? []) as { role: string }[]).at(-1)
    assert.equal(last?.role, 'system', 'the operator speaks, not the user')
    const error = await rejected(client.responses.create({ ...body, input: 'Just talk.' }))
    assert.ok(error instanceof InternalServerError)
    assert.match(error.message, /did not call a tool/)
    assert.equal(bodies().length, 3)
  })

  test('a demanded call of a model that can be forced (req 125)', async () => {
    const body = { model: OLDER, input: '[[call get_weather {"city":"Oslo"}]]', tools: TOOLS }
    const choice = { type: 'function' as const, name: 'get_weather' }
    const response = await client.responses.create({ ...body, tool_choice: choice, parallel_tool_calls: false })
    assert.equal(calls(response.output).length, 1)
    const expected = { type: 'tool', name: 'get_weather', disable_parallel_tool_use: true }
    assert.deepEqual(bodies()[0]?.tool_choice, expected)
  })

  test('a custom tool is a function to the model and a custom call to the client', async () => {
    const tools = [{ type: 'custom' as const, name: 'write' }]
    const input = '[[call write {"input":"plain words"}]]'
    const response = await client.responses.create({ model, input, tools })
    const item = response.output.find(({ type }) => type === 'custom_tool_call')
    assert.ok(item?.type === 'custom_tool_call')
    assert.equal(item.input, 'plain words')
    const output: ResponseInputItem = { type: 'custom_tool_call_output', call_id: item.call_id, output: 'written' }
    const next = await client.responses.create({ model, previous_response_id: response.id, input: [output], tools })
    assert.equal(next.output_text, 'Results: written.')
  })

  test('instructions that change between turns do not break a conversation of signed thoughts', async () => {
    const first = await client.responses.create({ model, input: 'one', instructions: 'Be kind.' })
    const second = await client.responses.create({
      model,
      input: 'two',
      instructions: 'Be short.',
      previous_response_id: first.id,
    })
    assert.equal(second.output_text, 'You said: two')
    const header = upstream.requests.at(-1)?.headers['anthropic-beta']
    assert.equal(header, 'thinking-binding-controls-2026-08-01')
  })

  test('the conversation may move to Claude and away from it', async () => {
    const first = await client.responses.create({ model: 'demo', input: 'Hello', reasoning: { effort: 'low' } })
    const second = await client.responses.create({ model, input: 'two', previous_response_id: first.id })
    assert.equal(second.output_text, 'You said: two')
    const third = await client.responses.create({ model: 'demo', input: 'Three', previous_response_id: second.id })
    assert.equal(third.status, 'completed')
  })

  test('input tokens are counted by the provider', async () => {
    const { input_tokens } = await client.responses.inputTokens.count({ model, input: 'word '.repeat(100) })
    assert.ok(input_tokens >= 125 && input_tokens < 200, String(input_tokens))
    assert.equal(upstream.requests.at(-1)?.path, '/v1/messages/count_tokens')
  })

  test('models are listed with what their provider says of them', async () => {
    const ids: string[] = []
    for await (const { id } of client.models.list()) ids.push(id)
    assert.ok(ids.includes('claude-opus-5-5'))
    const entry = (await client.models.retrieve('claude-opus-5-5')) as unknown as Json
    assert.equal(entry.display_name, 'claude-opus-5-5')
    assert.equal(entry.context_window, 1_000_000)
  })

  test('errors of the provider are the errors of the API, without its secrets', async () => {
    const credit = { type: 'invalid_request_error', message: 'Your credit balance is too low to access the API.' }
    const long = { type: 'invalid_request_error', message: 'prompt is too long: 213462 tokens > 200000 maximum' }
    const field = { type: 'invalid_request_error', message: 'max_tokens: 9 > 8, which is the maximum' }
    const cases = [
      [{ status: 401 }, InternalServerError, 502, 'upstream_auth_error'],
      [{ status: 403 }, InternalServerError, 502, 'upstream_auth_error'],
      [{ status: 404 }, NotFoundError, 404, 'model_not_found'],
      [{ status: 413 }, BadRequestError, 400, null],
      [{ status: 429, headers: { 'retry-after': '7' } }, RateLimitError, 429, 'rate_limit_exceeded'],
      [{ status: 529 }, InternalServerError, 503, 'server_error'],
      [{ status: 400, error: credit }, RateLimitError, 429, 'insufficient_quota'],
      [{ status: 400, error: long }, BadRequestError, 400, 'context_length_exceeded'],
      [{ status: 400, error: field }, BadRequestError, 400, null],
    ] as const
    for (const [reply, kind, status, code] of cases) {
      upstream.push(reply)
      const error = await rejected(client.responses.create({ model, input: 'x' }))
      assert.ok(error instanceof kind, `${JSON.stringify(reply)}: ${error}`)
      assert.equal(error.status, status)
      assert.equal(error.code, code)
      assert.ok(!`${error.message}${JSON.stringify(error.error)}`.includes(KEY))
      if (reply.status === 429) assert.equal(error.headers?.get('retry-after'), '7')
      if ('error' in reply && reply.error === field) assert.equal(error.param, 'max_output_tokens')
    }
  })

  test('an overload in the middle of a stream is a failed response', async () => {
    const start =
      'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":3,"output_tokens":1}}}\n\n'
    const error = 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    upstream.push({ wire: `${start}${error}` })
    const stream = await client.responses.create({ model, input: 'x', stream: true })
    const types: string[] = []
    for await (const event of stream) types.push(event.type)
    assert.equal(types.at(-1), 'response.failed')
  })
})

async function rejected(promise: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  try {
    await promise
  } catch (error) {
    if (error instanceof OpenAI.APIError) return error
    throw error
  }
  return assert.fail('expected an error')
}
