/** One Antiphon in front of another: the front is as lawful as one alone, and says what the inner one says. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import OpenAI from 'openai'
import { applyEvent } from '../../src/protocol/apply-event.ts'
import type { ResponseEvent } from '../../src/protocol/events.ts'
import type { ResponseObject } from '../../src/protocol/response.ts'
import { eventsOf, send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'

const MODEL = 'inner/demo'
const WEATHER = {
  type: 'function' as const,
  name: 'get_weather',
  description: 'Weather of a city',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
  strict: true,
}
const SQL = { type: 'custom' as const, name: 'run_sql', description: 'Runs SQL.' }

describe('Antiphon in front of Antiphon', () => {
  let inner: TestServer
  let front: TestServer
  let client: OpenAI
  before(async () => {
    inner = await startServer({ checked: true, config: 'defaults: { unsupported_params: error }' })
    const quirks = '{ custom_tools: true, allowed_tools: true, stop: true }'
    front = await startServer({
      checked: true,
      providers: [
        `inner: { api_base: "${inner.baseUrl}", api_key: "${inner.apiKey}", wire_api: responses, quirks: ${quirks} }`,
      ],
    })
    client = new OpenAI({ baseURL: front.baseUrl, apiKey: front.apiKey, maxRetries: 0 })
  })
  after(async () => {
    await front?.close()
    await inner?.close()
  })

  /** Every stream is read here, and held against the fold. */
  const stream = async (body: Readonly<Record<string, unknown>>) => {
    const reply = await send(front, 'POST', '/v1/responses', { model: MODEL, ...body, stream: true })
    assert.equal(reply.status, 200, reply.text)
    const events = eventsOf(reply.text) as unknown as ResponseEvent[]
    assert.deepEqual(
      events.map((event) => event.sequence_number),
      events.map((_, index) => index),
    )
    let folded: ResponseObject | null = null
    for (const event of events.slice(0, -1)) folded = applyEvent(folded, event)
    const last = events.at(-1)
    assert.ok(last && 'response' in last)
    assert.deepEqual(folded?.output, last.response.output, 'the events add up to the response')
    return { events, response: last.response }
  }

  test('text streams through piece by piece, and the inner server stores nothing', async () => {
    const { events, response } = await stream({ input: 'Say: one two three four five' })
    assert.equal(response.output_text, 'one two three four five')
    assert.ok(events.filter(({ type }) => type === 'response.output_text.delta').length > 1)
    assert.ok((response.usage?.input_tokens ?? 0) > 0)
    assert.equal((await send(front, 'GET', `/v1/responses/${response.id}`)).status, 200)
    assert.equal((await send(inner, 'GET', `/v1/responses/${response.id}`)).status, 404)
  })

  test('a JSON reply says what the stream says, and what the inner server says', async () => {
    const { response } = await stream({ input: 'What is 17 * 23?' })
    const plain = await client.responses.create({ model: MODEL, input: 'What is 17 * 23?' })
    const direct = await new OpenAI({ baseURL: inner.baseUrl, apiKey: inner.apiKey }).responses.create({
      model: 'demo',
      input: 'What is 17 * 23?',
    })
    assert.equal(plain.output_text, response.output_text)
    assert.equal(plain.output_text, direct.output_text)
    assert.deepEqual(plain.usage, response.usage)
  })

  test('a chain of responses remembers, though the inner server sees one long input each time', async () => {
    const first = await client.responses.create({ model: MODEL, input: 'My name is Ada.' })
    const second = await client.responses.create({
      model: MODEL,
      input: 'What is my name?',
      previous_response_id: first.id,
    })
    assert.match(second.output_text, /Ada/)
  })

  test('parallel calls of functions keep their call ids, and their outputs are answered', async () => {
    const { events, response } = await stream({ input: 'The weather in Paris and Tokyo?', tools: [WEATHER] })
    const calls = response.output.flatMap((item) => (item.type === 'function_call' ? [item] : []))
    assert.deepEqual(
      calls.map((call) => JSON.parse(call.arguments).city),
      ['Paris', 'Tokyo'],
    )
    assert.ok(events.some(({ type }) => type === 'response.function_call_arguments.delta'))
    const answer = await client.responses.create({
      model: MODEL,
      previous_response_id: response.id,
      tools: [WEATHER],
      input: calls.map(({ call_id }, index) => ({
        type: 'function_call_output',
        call_id,
        output: `${20 + index} degrees`,
      })),
    })
    assert.match(answer.output_text, /20 degrees/)
    assert.match(answer.output_text, /21 degrees/)
  })

  test('every form of tool_choice means the same in front as inside', async () => {
    const choose = async (tool_choice: unknown) =>
      (await stream({ input: 'Hello.', tools: [WEATHER, SQL], tool_choice })).response.output.map(({ type }) => type)
    assert.deepEqual(await choose('none'), ['message'])
    assert.ok((await choose('required')).some((type) => type.endsWith('_call')))
    assert.deepEqual(await choose({ type: 'function', name: 'get_weather' }), ['function_call'])
    assert.deepEqual(await choose({ type: 'custom', name: 'run_sql' }), ['custom_tool_call'])
    const allowed = { type: 'allowed_tools', mode: 'required', tools: [{ type: 'custom', name: 'run_sql' }] }
    assert.deepEqual(await choose(allowed), ['custom_tool_call'])
  })

  test('custom tools go through natively, with their grammar', async () => {
    const format = { type: 'grammar', syntax: 'regex', definition: 'SELECT [a-z]{3}' }
    const { events, response } = await stream({
      input: 'Run run_sql.',
      tools: [{ ...SQL, format }],
      tool_choice: { type: 'custom', name: 'run_sql' },
    })
    const [call] = response.output
    assert.ok(call?.type === 'custom_tool_call')
    assert.match(call.input, /^SELECT [a-z]{3}$/)
    assert.ok(events.some(({ type }) => type === 'response.custom_tool_call_input.done'))
    const answer = await client.responses.create({
      model: MODEL,
      previous_response_id: response.id,
      tools: [SQL],
      input: [{ type: 'custom_tool_call_output', call_id: call.call_id, output: '7 rows' }],
    })
    assert.match(answer.output_text, /7 rows/)
  })

  test('structured output fits its schema', async () => {
    const schema = {
      type: 'object',
      properties: { city: { type: 'string' }, degrees: { type: 'integer' } },
      required: ['city', 'degrees'],
      additionalProperties: false,
    }
    const { response } = await stream({
      input: 'It is 21 degrees in Rome.',
      text: { format: { type: 'json_schema', name: 'weather', schema, strict: true }, verbosity: 'low' },
    })
    const { city, degrees } = JSON.parse(response.output_text)
    assert.equal(typeof city, 'string')
    assert.ok(Number.isInteger(degrees))
  })

  test('reasoning streams, is sealed twice, and comes back to the one who sealed it', async () => {
    const input = [{ role: 'user', content: 'What is 17 * 3?' }]
    const asked = { reasoning: { effort: 'high', summary: 'auto' }, include: ['reasoning.encrypted_content'] }
    const { response } = await stream({ input, ...asked, store: false })
    const [thought] = response.output
    assert.ok(thought?.type === 'reasoning')
    assert.ok((thought.summary.length ?? 0) + (thought.content?.length ?? 0) > 0)
    assert.ok(thought.encrypted_content)
    const again = [...input, ...response.output, { role: 'user', content: 'What did you think?' }]
    const later = await stream({ input: again, ...asked, store: false })
    assert.match(later.response.output_text, /17 \* 3/)
    const forged = { ...thought, encrypted_content: `${thought.encrypted_content.slice(0, -6)}AAAAAA` }
    const refused = await send(front, 'POST', '/v1/responses', {
      model: MODEL,
      input: [...input, forged, ...again.slice(2)],
    })
    assert.equal((refused.json.error as { code: string }).code, 'invalid_encrypted_content')
  })

  test('refusals, token limits, log probabilities and stop sequences arrive as what they are', async () => {
    const refused = (await stream({ input: '[refuse] Say it.' })).response.output.at(-1)
    assert.ok(refused?.type === 'message' && refused.content[0]?.type === 'refusal', JSON.stringify(refused))
    const cut = (await stream({ input: 'Write a long essay about tea.', max_output_tokens: 5 })).response
    assert.equal(cut.status, 'incomplete')
    assert.deepEqual(cut.incomplete_details, { reason: 'max_output_tokens' })
    const include = ['message.output_text.logprobs']
    const [likely] = (await stream({ input: 'Say: hello', include, top_logprobs: 2 })).response.output
    assert.ok(likely?.type === 'message' && likely.content[0]?.type === 'output_text')
    assert.equal(likely.content[0].logprobs[0]?.top_logprobs.length, 2)
    assert.equal((await stream({ input: 'Say: one STOP two', stop: 'STOP' })).response.output_text.trim(), 'one')
  })

  test('tokens are counted by the inner server', async () => {
    const body = { input: 'How many tokens are these?', tools: [WEATHER] }
    const there = await send(inner, 'POST', '/v1/responses/input_tokens', { model: 'demo', ...body })
    const here = await send(front, 'POST', '/v1/responses/input_tokens', { model: MODEL, ...body })
    assert.equal(here.json.input_tokens, there.json.input_tokens)
  })

  test('what the inner server refuses is refused, with the field to blame', async () => {
    const reply = await send(front, 'POST', '/v1/responses', { model: 'inner/gone', input: 'Hi' })
    assert.equal(reply.status, 404)
    assert.deepEqual((reply.json.error as { param: string; code: string }).code, 'model_not_found')
  })

  test('a client that leaves ends the inner call', async () => {
    const started = await client.responses.create({
      model: MODEL,
      input: 'Write a long essay about tea.',
      stream: true,
    })
    for await (const event of started) if (event.type === 'response.output_text.delta') break
    const after = await client.responses.create({ model: MODEL, input: 'Say: still here' })
    assert.equal(after.output_text, 'still here')
  })
})
