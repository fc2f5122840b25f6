/** The official SDK, unmodified, over a socket: on a Gemini API as strict as the real one. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import OpenAI, { APIError } from 'openai'
import { zodTextFormat } from 'openai/helpers/zod'
import type { ResponseInput, ResponseInputItem, ResponseOutputItem } from 'openai/resources/responses/responses'
import { z } from 'zod'
import type { ChatUpstream } from '../fakes/chat-upstream.ts'
import { startGeminiUpstream } from '../fakes/gemini-upstream.ts'
import { send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'

const KEY = 'AIzaSy-key-of-the-fake'
const MODELS = ['gemini-2.5-flash', 'gemini-embedding-001', 'gemini-3-flash-preview', 'gemini-3-pro-preview']
const model = 'gemini/gemini-3-flash-preview'
const PNG =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const PDF = `data:application/pdf;base64,${Buffer.from('%PDF-1.4 %%EOF').toString('base64')}`

const tool = (name: string, property: string) => ({
  type: 'function' as const,
  name,
  description: `It knows the ${property}.`,
  strict: true,
  parameters: {
    type: 'object',
    properties: { [property]: { type: 'string' } },
    required: [property],
    additionalProperties: false,
  },
})
const TOOLS = [tool('get_weather', 'city'), tool('get_time', 'zone')]

type Asked = {
  readonly contents: readonly { readonly role: string; readonly parts: readonly Record<string, unknown>[] }[]
  readonly generationConfig?: Readonly<Record<string, unknown>>
  readonly toolConfig?: { readonly functionCallingConfig: Readonly<Record<string, unknown>> }
}

describe('openai SDK on the Gemini API', () => {
  let upstream: ChatUpstream
  let server: TestServer
  let client: OpenAI
  before(async () => {
    upstream = await startGeminiUpstream({ apiKey: KEY, models: MODELS })
    server = await startServer({
      checked: true,
      providers: [
        `gemini: { api_base: "${upstream.url}", api_key: "${KEY}" }`,
        `revoked: { type: gemini, api_base: "${upstream.url}", api_key: "AIzaSy-key-that-was-revoked" }`,
      ],
    })
    client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
  })
  after(async () => {
    await server.close()
    await upstream.close()
  })

  const create = (body: Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming>) =>
    client.responses.create({ model, ...body })
  /** What the provider was asked last. */
  const asked = (): Asked => {
    const request = upstream.requests.findLast(({ path }) => path.includes(':streamGenerateContent'))
    assert.ok(request)
    assert.equal(request.refused, null)
    return JSON.parse(request.raw)
  }
  const callsIn = (output: readonly ResponseOutputItem[]) => output.filter((item) => item.type === 'function_call')
  const answersTo = (output: readonly ResponseOutputItem[]): ResponseInputItem[] =>
    callsIn(output).map(({ call_id, name }) => ({
      type: 'function_call_output',
      call_id,
      output: `${name} says 17`,
    }))
  const signatures = (parts: readonly Record<string, unknown>[] = []) => parts.map((part) => part.thoughtSignature)

  test('create and stream answer with text and the counts of the provider', async () => {
    const response = await create({ input: 'Say hello.', instructions: 'Be brief.' })
    assert.equal(response.output_text, 'hello.')
    assert.equal(response.status, 'completed')
    assert.ok(response.usage && response.usage.input_tokens > 0)
    let text = ''
    const types: string[] = []
    for await (const event of await client.responses.create({ model, input: 'Count to 30.', stream: true })) {
      types.push(event.type)
      if (event.type === 'response.output_text.delta') text += event.delta
    }
    assert.match(text, /^1 2 3 .* 30$/)
    assert.ok(types.filter((type) => type === 'response.output_text.delta').length > 3, 'it came in pieces')
    assert.equal(types.at(-1), 'response.completed')
    const request = upstream.requests.at(-1)
    assert.equal(request?.headers['x-goog-api-key'], KEY)
    assert.ok(!request?.path.includes(KEY))
  })

  test('a tool loop over stored responses brings every signature back where it was', async () => {
    const input = 'call get_weather with {"city":"Paris"}, then call get_time with {"zone":"CET"}'
    const first = await create({ input, tools: TOOLS })
    const [weather] = callsIn(first.output)
    assert.deepEqual(JSON.parse(weather?.arguments ?? ''), { city: 'Paris' })
    const second = await create({ previous_response_id: first.id, input: answersTo(first.output), tools: TOOLS })
    assert.equal(callsIn(second.output)[0]?.name, 'get_time')
    const third = await create({ previous_response_id: second.id, input: answersTo(second.output), tools: TOOLS })
    assert.match(third.output_text, /get_time says 17/)
    assert.deepEqual(
      asked().contents.map(({ role }) => role),
      ['user', 'model', 'user', 'model', 'user'],
    )
    for (const { role, parts } of asked().contents) {
      if (role === 'model') assert.match(String(parts[0]?.thoughtSignature), /^[\w+/]{43}=$/)
    }
  })

  test('parallel calls come and go in one content, the first of them signed', async () => {
    const input = 'call get_weather with {"city":"Oslo"} and get_time with {"zone":"CET"}'
    const first = await create({ input, tools: TOOLS })
    assert.deepEqual(
      callsIn(first.output).map(({ name }) => name),
      ['get_weather', 'get_time'],
    )
    // A client may answer in any order.
    const answers = answersTo(first.output).reverse()
    const second = await create({ previous_response_id: first.id, input: answers, tools: TOOLS })
    assert.match(second.output_text, /get_weather says 17 \| get_time says 17/)
    const [signed, unsigned] = signatures(asked().contents[1]?.parts)
    assert.ok(signed && unsigned === undefined)
  })

  test('one call at a time is kept where the model makes two', async () => {
    const input = 'call get_weather with {"city":"Oslo"} and get_time with {"zone":"CET"}'
    const response = await create({ input, tools: TOOLS, parallel_tool_calls: false })
    assert.deepEqual(
      callsIn(response.output).map(({ name }) => name),
      ['get_weather'],
    )
  })

  test("a forced tool, a required one and a choice among some are the provider's own", async () => {
    const config = () => asked().toolConfig?.functionCallingConfig
    const forced = await create({ input: 'Hi.', tools: TOOLS, tool_choice: { type: 'function', name: 'get_time' } })
    assert.equal(callsIn(forced.output)[0]?.name, 'get_time')
    assert.deepEqual(config(), { mode: 'ANY', allowedFunctionNames: ['get_time'] })
    await create({ input: 'Hi.', tools: TOOLS, tool_choice: 'required' })
    assert.deepEqual(config(), { mode: 'ANY' })
    const some = { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'get_time' }] } as const
    await create({ input: 'Hi.', tools: TOOLS, tool_choice: { ...some, tools: [...some.tools] } })
    assert.deepEqual(config(), { mode: 'VALIDATED', allowedFunctionNames: ['get_time'] })
    await create({ input: 'Hi.', tools: TOOLS, tool_choice: 'none' })
    assert.deepEqual(config(), { mode: 'NONE' })
  })

  test('a custom tool goes as a function with one text', async () => {
    const custom = { type: 'custom' as const, name: 'run_code', description: 'Runs code.' }
    const response = await create({ input: 'call run_code with {"input":"1+1"}', tools: [custom] })
    const call = response.output.find((item) => item.type === 'custom_tool_call')
    assert.equal(call?.input, '1+1')
  })

  test('a strict schema is filled and parsed', async () => {
    const Person = z.object({ name: z.string(), age: z.number().int(), note: z.string().nullable() })
    const response = await client.responses.parse({
      model,
      input: 'Describe Ada.',
      text: { format: zodTextFormat(Person, 'person') },
    })
    assert.ok(Person.safeParse(response.output_parsed).success)
    assert.equal(asked().generationConfig?.responseMimeType, 'application/json')
  })

  test('reasoning is summarised, and goes round over two turns without being stored', async () => {
    const input: ResponseInput = [{ role: 'user', content: 'think, then say one' }]
    const reasoning = { effort: 'high', summary: 'auto' } as const
    const options = { store: false, include: ['reasoning.encrypted_content' as const], reasoning }
    const first = await create({ ...options, input })
    assert.deepEqual(asked().generationConfig, { thinkingConfig: { thinkingLevel: 'high', includeThoughts: true } })
    const [thought] = first.output
    assert.ok(thought?.type === 'reasoning')
    assert.match(thought.summary[0]?.text ?? '', /The user wrote/)
    assert.ok(first.usage && first.usage.output_tokens_details.reasoning_tokens > 0)
    const next = await create({
      ...options,
      input: [...input, ...(first.output as ResponseInput), { role: 'user', content: 'Say two.' }],
    })
    assert.equal(next.output_text, 'two.')
    // The text was signed behind its end, in a part of its own.
    assert.deepEqual(
      asked().contents[1]?.parts.map(({ text }) => text),
      [first.output_text, ''],
    )
    const [, signature] = signatures(asked().contents[1]?.parts)
    assert.match(String(signature), /^[\w+/]{43}=$/)
  })

  test('a call that another model made is signed with the value made for that', async () => {
    const input: ResponseInput = [
      { role: 'user', content: 'What is the weather?' },
      { type: 'function_call', call_id: 'call_other', name: 'get_weather', arguments: '{"city":"Rome"}' },
      { type: 'function_call_output', call_id: 'call_other', output: '{"degrees":21}' },
    ]
    const response = await create({ input, tools: TOOLS })
    assert.match(response.output_text, /21/)
    assert.deepEqual(signatures(asked().contents[1]?.parts), ['skip_thought_signature_validator'])
  })

  test('images and PDFs go as data, and a URL as a URL', async () => {
    const response = await create({
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'What is this?' },
            { type: 'input_image', image_url: PNG, detail: 'auto' },
            { type: 'input_image', image_url: 'https://example.com/cat.jpg', detail: 'auto' },
            { type: 'input_file', filename: 'a.pdf', file_data: PDF },
          ],
        },
      ],
    })
    assert.match(response.output_text, /image\/png.*image\/jpeg.*application\/pdf/s)
  })

  test('what cannot be sent is refused by name, before the provider is asked', async () => {
    const count = upstream.requests.length
    const file = { type: 'input_file' as const, filename: 'deck.pptx', file_data: 'UEsDBA==' }
    const input: ResponseInput = [{ role: 'user', content: [file] }]
    for (const attempt of [
      () => create({ input }),
      () => client.responses.create({ model, input, stream: true }),
      () => client.responses.inputTokens.count({ model, input }),
    ]) {
      await assert.rejects(attempt, (error: unknown) => {
        assert.ok(error instanceof APIError)
        assert.equal(error.status, 400)
        assert.equal(error.param, 'input[0].content[0].file_data')
        assert.match(error.message, /deck\.pptx/)
        return true
      })
    }
    assert.equal(upstream.requests.length, count)
  })

  test('a blocked prompt and a length stop are incomplete, with the reason', async () => {
    const blocked = await create({ input: 'Something bad [[block SAFETY]]' })
    assert.equal(blocked.status, 'incomplete')
    assert.deepEqual(blocked.incomplete_details, { reason: 'content_filter' })
    const long = await create({ input: 'Count to 100.', max_output_tokens: 16 })
    assert.equal(long.status, 'incomplete')
    assert.deepEqual(long.incomplete_details, { reason: 'max_output_tokens' })
    assert.match(long.output_text, /^1 2 3/)
  })

  test("an answer that a filter stops keeps what there was, and says the provider's words as a refusal", async () => {
    const chunk = (candidate: object) => `data: ${JSON.stringify({ candidates: [{ index: 0, ...candidate }] })}\r\n\r\n`
    const text = chunk({ content: { role: 'model', parts: [{ text: 'First,' }] } })
    upstream.push({ wire: text + chunk({ finishReason: 'SAFETY', finishMessage: 'Stopped by a filter.' }) })
    const response = await create({ input: 'Hi.' })
    assert.deepEqual(response.incomplete_details, { reason: 'content_filter' })
    const message = response.output.find((item) => item.type === 'message')
    assert.deepEqual(
      message?.content.map((part) => (part.type === 'refusal' ? part.refusal : part.text)),
      ['First,', 'Stopped by a filter.'],
    )
  })

  test('what the provider read from its cache is told', async () => {
    const input = `Say yes. ${'A long story that is told again and again. '.repeat(40)}`
    await create({ input })
    const again = await create({ input })
    assert.ok(again.usage && again.usage.input_tokens_details.cached_tokens > 64)
  })

  test('tokens are counted by the provider', async () => {
    const counted = await client.responses.inputTokens.count({ model, input: 'Count these tokens, please.' })
    assert.ok(counted.input_tokens > 0)
    assert.match(upstream.requests.at(-1)?.path ?? '', /gemini-3-flash-preview:countTokens$/)
  })

  test('failures have the status and code that clients know', async () => {
    const failed = async (body: Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming>) => {
      const error = await create(body).then(
        () => null,
        (reason: unknown) => reason,
      )
      assert.ok(error instanceof APIError)
      assert.doesNotMatch(error.message, /AIza|10\.0\.0\.1/)
      return error
    }
    const key = await failed({ model: 'revoked/gemini-3-flash-preview', input: 'Hi.' })
    assert.equal(key.status, 502)
    assert.match(key.message, /refused this server's credentials/)
    const unknown = await failed({ model: 'gemini/gemini-0', input: 'Hi.' })
    assert.deepEqual([unknown.status, unknown.code], [404, 'model_not_found'])
    const limited = await failed({ input: 'Hi. [[status 429]]' })
    assert.deepEqual([limited.status, limited.code], [429, 'rate_limit_exceeded'])
    assert.equal(limited.headers?.get('retry-after'), '7')
    assert.equal((await failed({ input: 'Hi. [[status 503]]' })).status, 503)
    const field = await failed({ input: 'Hi.', stop: ['a', 'b', 'c', 'd', 'e', 'f'] } as object)
    assert.deepEqual([field.status, field.param], [400, 'stop'])
  })

  test('the models of the provider are listed page by page, without those that do not generate', async () => {
    const ids = (await client.models.list()).data.map(({ id }) => id)
    for (const id of MODELS)
      assert.equal(
        ids.some((listed) => listed.endsWith(id)),
        id !== 'gemini-embedding-001',
        id,
      )
  })

  test('what has no effect is said in a header', async () => {
    const body = {
      model,
      input: 'Say hi.',
      text: { verbosity: 'low' },
      safety_identifier: 'u1',
      reasoning: { effort: 'xhigh' },
    }
    const reply = await send(server, 'POST', '/v1/responses', body)
    assert.equal(reply.status, 200)
    const warnings = String(reply.headers['x-antiphon-warnings'])
    for (const field of ['text.verbosity', 'safety_identifier', 'reasoning.effort']) assert.ok(warnings.includes(field))
  })
})
