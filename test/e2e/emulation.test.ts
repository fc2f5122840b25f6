/** What a provider lacks, done by the server: the official SDK over a socket, against an upstream that can do little. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import OpenAI, { BadRequestError, InternalServerError } from 'openai'
import { send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'

const CONFIG = `
models:
  - model_name: plain
    deployments: [{ model: upstream/plain }]
    model_info: { supports: [], fields: { stop: emulated, parallel_tool_calls: emulated, top_p: ignored, temperature: refused } }
  - model_name: callable
    deployments: [{ model: upstream/callable }]
    model_info: { supports: [tools] }
`
let server: TestServer
let client: OpenAI
before(async () => {
  server = await startServer({ config: CONFIG })
  client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
})
after(() => server.close())

type Body = Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming> & { readonly stop?: readonly string[] }
const ask = (body: Body) => client.responses.create({ model: 'plain', input: 'Hello.', ...body }).withResponse()
const answers = (...texts: readonly string[]) => server.upstream.push(...texts.map((text) => ({ answer: { text } })))
const bodies = () => server.upstream.requests.filter(({ method }) => method === 'POST').map(({ body }) => body)
const lastBody = () => JSON.stringify(bodies().at(-1))
const warningsOf = (response: Response) => response.headers.get('x-antiphon-warnings') ?? ''

/** The events of a streamed request, and the final response. */
async function streamed(body: Body) {
  const stream = await client.responses.create({ model: 'plain', input: 'Hello.', ...body, stream: true })
  const events: OpenAI.Responses.ResponseStreamEvent[] = []
  for await (const event of stream) events.push(event)
  const last = events.at(-1)
  assert.ok(last?.type === 'response.completed' || last?.type === 'response.incomplete', last?.type)
  return { events, response: last.response }
}

const WEATHER = {
  type: 'function' as const,
  name: 'get_weather',
  description: 'The weather.',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  strict: false,
}
const CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Rome"}}\n</tool_call>'

describe('tools in words', () => {
  test('a call is read out of the text, and its result goes back in words', async () => {
    answers(`Let me look.\n${CALL}`)
    const { data, response } = await ask({ tools: [WEATHER] })
    assert.deepEqual(
      data.output.map(({ type }) => type),
      ['message', 'function_call'],
    )
    assert.equal(data.output_text, 'Let me look.')
    assert.match(warningsOf(response), /tools: emulated/)
    assert.ok(!lastBody().includes('"tools"'), 'the upstream is offered none')

    const [, call] = data.output
    assert.ok(call?.type === 'function_call')
    assert.deepEqual(JSON.parse(call.arguments), { city: 'Rome' })
    answers('It is sunny in Rome.')
    const output = { type: 'function_call_output' as const, call_id: call.call_id, output: 'sunny' }
    const next = await ask({ tools: [WEATHER], previous_response_id: data.id, input: [output] })
    assert.equal(next.data.output_text, 'It is sunny in Rome.')
    assert.match(lastBody(), /tool_response name=\\"get_weather\\">\\nsunny/)
  })

  test('the same in a stream, with one repair', async () => {
    answers('Well. <tool_call>{"name": "get_weather", "arguments": oops}</tool_call>', CALL)
    const { events, response } = await streamed({ tools: [WEATHER], tool_choice: 'auto' })
    const text = events.flatMap((event) => (event.type === 'response.output_text.delta' ? [event.delta] : [])).join('')
    assert.equal(text, 'Well.')
    const calls = response.output.filter(({ type }) => type === 'function_call')
    assert.equal(calls.length, 1)
    assert.ok((response.usage?.output_tokens ?? 0) > 10, 'both turns are counted')
  })

  test('a forced call is insisted on, and fails plainly when it never comes', async () => {
    answers('No.', CALL)
    const { data } = await ask({ tools: [WEATHER], tool_choice: 'required' })
    assert.deepEqual(
      data.output.map(({ type }) => type),
      ['function_call'],
    )
    answers('No.', 'Never.')
    await assert.rejects(ask({ tools: [WEATHER], tool_choice: 'required' }), (error: unknown) => {
      assert.ok(error instanceof InternalServerError)
      assert.match(error.message, /in two tries/)
      return true
    })
  })
})

describe('structured output', () => {
  const schema = {
    type: 'object',
    properties: { n: { type: 'integer' } },
    required: ['n'],
    additionalProperties: false,
  }
  const text = { format: { type: 'json_schema' as const, name: 'answer', schema, strict: true } }

  test('an answer that does not fit is repaired before anybody sees it, in a stream too', async () => {
    answers('{"n": "one"}', '```json\n{"n": 1}\n```')
    const { data, response } = await ask({ text })
    assert.equal(data.output_text, '{"n": 1}')
    assert.match(warningsOf(response), /text\.format: emulated/)
    answers('{"n": "one"}', '{"n":2}')
    const { events, response: final } = await streamed({ text })
    const shown = events.flatMap((event) => (event.type === 'response.output_text.delta' ? [event.delta] : [])).join('')
    assert.deepEqual([shown, final.output_text], ['{"n":2}', '{"n":2}'])
  })

  test('a model that can call functions answers through one', async () => {
    server.upstream.push({
      answer: { text: '', calls: [{ kind: 'function', name: 'final_answer', input: '{"n":7}' }] },
    })
    const { data } = await ask({ model: 'callable', text })
    assert.equal(data.output_text, '{"n":7}')
    assert.deepEqual(
      data.output.map(({ type }) => type),
      ['message'],
    )
    assert.match(lastBody(), /"tool_choice":"required"/)
  })
})

describe('custom tools with a grammar', () => {
  const format = {
    type: 'grammar' as const,
    syntax: 'lark' as const,
    definition: 'start: "set " NAME "=" INT\n%import common.INT\n%import common.CNAME -> NAME',
  }
  const tool = { type: 'custom' as const, name: 'assign', description: 'Sets a variable.', format }
  const call = (input: string) => ({
    answer: { text: '', calls: [{ kind: 'function' as const, name: 'assign', input: JSON.stringify({ input }) }] },
  })

  test('an input that breaks the lark grammar is repaired once, and never shown (req 130)', async () => {
    server.upstream.push(call('let x be 1'), call('set x=1'))
    const { events, response } = await streamed({ model: 'callable', tools: [tool] })
    const [item] = response.output
    assert.ok(item?.type === 'custom_tool_call')
    assert.equal(item.input, 'set x=1')
    assert.ok(!JSON.stringify(events).includes('let x'))
    assert.match(lastBody(), /does not match the lark grammar of the tool; it fits up to line 1, column 1, before/)
  })

  test('one that is broken twice fails the response, with the tool named', async () => {
    server.upstream.push(call('let x be 1'), call('x := 1'))
    await assert.rejects(ask({ model: 'callable', tools: [tool] }), /'assign' is not usable, in two tries/)
  })
})

describe('single fields', () => {
  test('stop sequences cut the answer exactly, and the upstream is not read on', async () => {
    for (const text of ['one two END three', 'one two EN']) {
      answers(text)
      const { data, response } = await ask({ stop: ['END', '###'] })
      assert.equal(data.output_text, text.split('END')[0])
      assert.equal(data.status, 'completed')
      assert.match(warningsOf(response), /stop: emulated/)
      assert.ok(!lastBody().includes('"stop"'))
    }
    answers('count 1 2 3 END 4')
    const { response } = await streamed({ stop: ['END'] })
    assert.equal(response.output_text, 'count 1 2 3 ')
  })

  test('calls after the first are left out where one was asked for', async () => {
    answers(`${CALL}\n${CALL}`)
    const { data } = await ask({ tools: [WEATHER], parallel_tool_calls: false })
    assert.equal(data.output.filter(({ type }) => type === 'function_call').length, 1)
  })

  test('an image for a model without eyes is refused by the name of both (req 38)', async () => {
    const content = [
      { type: 'input_image' as const, image_url: 'data:image/png;base64,iVBORw0KGgo=', detail: 'auto' as const },
    ]
    await assert.rejects(ask({ input: [{ role: 'user', content }] }), (error: unknown) => {
      assert.ok(error instanceof BadRequestError && error.code === 'unsupported_parameter' && error.param === 'input')
      assert.match(error.message, /'plain' cannot see images/)
      return true
    })
  })

  test('log probabilities are refused where there are none', async () => {
    await assert.rejects(ask({ include: ['message.output_text.logprobs'] }), /reports no log probabilities/)
  })

  test('what is said to be ignored is left out and reported, what is refused is refused', async () => {
    const { response } = await ask({ top_p: 0.5 })
    assert.match(warningsOf(response), /top_p: the provider of this model does not take it/)
    assert.ok(!lastBody().includes('top_p'))
    await assert.rejects(ask({ temperature: 1 }), (error: unknown) => {
      assert.ok(error instanceof BadRequestError && error.param === 'temperature')
      return true
    })
  })

  test('the ledger of a model is served with the model (req 38)', async () => {
    const { json } = await send(server, 'GET', '/v1/models/plain')
    const fields = json.fields as Record<string, string>
    assert.deepEqual(
      [
        'stop',
        'tools.function',
        'tools.custom',
        'text.format.json_schema',
        'input.image',
        'top_p',
        'temperature',
        'instructions',
      ].map((field) => fields[field]),
      ['emulated', 'emulated', 'emulated', 'emulated', 'refused', 'ignored', 'refused', 'native'],
    )
    const [deployment] = json.deployments as { provider: string; model: string; tested_at: string | null }[]
    assert.deepEqual([deployment?.provider, deployment?.model, deployment?.tested_at], ['upstream', 'plain', null])
    assert.equal(json.object, 'model')
    const list = (await send(server, 'GET', '/v1/models')).json.data as Record<string, unknown>[]
    assert.ok(list.every((model) => model.fields === undefined))
  })
})
