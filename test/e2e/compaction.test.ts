/** Compaction through the whole server: by threshold, by trigger, by the endpoint, with the official SDK. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import { assertSdkEvent, assertSdkItemList, assertSdkResponse } from '../oracle/sdk-oracle.ts'
import { eventsOf, send } from '../support/http.ts'
import { API_KEY, startServer, type TestServer } from '../support/server.ts'

const CONFIG = `
models:
  - model_name: narrow
    deployments: [{ model: demo/demo }]
    model_info: { context_window: 2000 }
`
let server: TestServer
let client: OpenAI
before(async () => {
  server = await startServer({ config: CONFIG })
  client = new OpenAI({ baseURL: server.baseUrl, apiKey: API_KEY, maxRetries: 0 })
})
after(() => server.close())

type Body = Readonly<Record<string, unknown>>
type ItemLike = {
  readonly id: string
  readonly type: string
  readonly role?: string
  readonly encrypted_content?: string
}

const post = (path: string, body: Body) => send(server, 'POST', path, { model: 'demo', ...body })
const create = (body: Body) => post('/v1/responses', body)
const outputOf = (json: Body): ItemLike[] => json.output as ItemLike[]
const typesOf = (json: Body) => outputOf(json).map(({ type }) => type)
const says = (role: 'user' | 'assistant', text: string) => ({
  role,
  content: [{ type: role === 'user' ? 'input_text' : 'output_text', text }],
})
const FILLER = 'The quick brown fox jumps over the lazy dog while nobody in the village looks. '
const BY_THRESHOLD = [{ type: 'compaction', compact_threshold: 1000 }]

test('a context over its threshold is compacted in the same stream, before the answer (req 68)', async () => {
  const first = await create({ input: 'My name is Ada. The code word is heron.' })
  const second = await create({ input: FILLER.repeat(90), previous_response_id: first.json.id })
  const third = await create({
    input: 'What is my name?',
    previous_response_id: second.json.id,
    context_management: BY_THRESHOLD,
    stream: true,
  })
  const events = eventsOf(third.text)
  for (const event of events) assertSdkEvent(event)
  const added = events.filter(({ type }) => type === 'response.output_item.added')
  assert.deepEqual(
    added.map(({ item }) => (item as ItemLike).type),
    ['compaction', 'message'],
  )
  const { response } = events.at(-1) as { response: Body }
  assertSdkResponse(response)
  assert.deepEqual(typesOf(response), ['compaction', 'message'])
  const [item] = outputOf(response)
  assert.match(item?.id ?? '', /^cmp_/)
  assert.ok(item?.encrypted_content && !item.encrypted_content.includes('Ada'))
  assert.match(String(response.output_text), /Ada/)
  const usage = response.usage as { input_tokens: number }
  assert.ok(usage.input_tokens > 1000, 'the summarising turn is paid for')

  const fourth = await create({ input: 'What is the code word?', previous_response_id: response.id })
  assert.match(String(fourth.json.output_text), /heron/)
  assert.ok((fourth.json.usage as { input_tokens: number }).input_tokens < 600, 'what was compacted is not sent again')
})

test('a context below its threshold is left alone', async () => {
  const { json } = await create({ input: 'My name is Ada.', context_management: BY_THRESHOLD })
  assert.deepEqual(typesOf(json), ['message'])
})

test('a threshold below 1000 is refused by its path (req 69)', async () => {
  const { status, json } = await create({
    input: 'x',
    context_management: [{ type: 'compaction', compact_threshold: 999 }],
  })
  assert.equal(status, 400)
  const error = json.error as Body
  assert.equal(error.param, 'context_management[0].compact_threshold')
  assert.equal(error.code, 'integer_below_min_value')
})

test('a trigger answers with one compaction and nothing else, as coding agents ask for it (req 70)', async () => {
  const input = [
    { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'You are a coding agent.' }] },
    says('user', 'My name is Ada.'),
    { type: 'function_call', call_id: 'c1', name: 'shell', arguments: '{"command":["ls"]}' },
    { type: 'function_call_output', call_id: 'c1', output: 'The port is 8484.' },
    says('assistant', 'Noted.'),
  ]
  const shell = { type: 'function', name: 'shell', parameters: { type: 'object', properties: {} }, strict: false }
  const agent = { store: false, stream: true, tools: [shell], tool_choice: 'auto', parallel_tool_calls: false }
  const { text } = await create({ ...agent, input: [...input, { type: 'compaction_trigger' }] })
  const { response } = eventsOf(text).at(-1) as { response: Body }
  assert.equal(response.status, 'completed')
  assert.deepEqual(typesOf(response), ['compaction'])
  assert.ok((response.usage as { output_tokens: number }).output_tokens > 0)

  const [compaction] = outputOf(response)
  const again = await create({ store: false, input: [compaction, says('user', 'What is the port?')] })
  assert.match(String(again.json.output_text), /8484/)
  const name = await create({ store: false, input: [...input, compaction, says('user', 'What is my name?')] })
  assert.match(String(name.json.output_text), /Ada/)
})

test('a trigger that is not last, or that has nothing before it, is refused (req 70)', async () => {
  const trigger = { type: 'compaction_trigger' }
  const early = await create({ input: [trigger, says('user', 'x')] })
  assert.equal(early.status, 400)
  assert.equal((early.json.error as Body).param, 'input[0]')
  const alone = await create({ input: [trigger] })
  assert.equal(alone.status, 400)
  assert.match(String((alone.json.error as Body).message), /nothing to compact/)
})

test('a trigger at the end of a chain compacts the chain, and the chain goes on (req 70)', async () => {
  const first = await create({ input: 'The code word is heron.' })
  const compacted = await create({ input: [{ type: 'compaction_trigger' }], previous_response_id: first.json.id })
  assert.deepEqual(typesOf(compacted.json), ['compaction'])
  const next = await create({ input: 'What is the code word?', previous_response_id: compacted.json.id })
  assert.match(String(next.json.output_text), /heron/)
  const items = await send(server, 'GET', `/v1/responses/${next.json.id}/input_items?order=asc`)
  assertSdkItemList(items.json)
  assert.deepEqual(
    (items.json.data as ItemLike[]).map(({ type }) => type),
    ['message', 'message', 'compaction', 'message'],
  )
})

test('the compact endpoint needs a model and an input, and returns a window with its usage (req 71)', async () => {
  const missing = await send(server, 'POST', '/v1/responses/compact', { input: 'x' })
  assert.equal(missing.status, 400)
  assert.deepEqual(missing.json.error, {
    message: "Missing required parameter: 'model'.",
    type: 'invalid_request_error',
    param: 'model',
    code: 'missing_required_parameter',
  })
  assert.equal((await post('/v1/responses/compact', {})).status, 400)
  assert.equal((await post('/v1/responses/compact', { input: [] })).status, 400)
  const { status, json } = await post('/v1/responses/compact', {
    input: [says('user', 'My name is Ada.'), says('assistant', 'Noted.'), says('user', 'I live in Turin.')],
    instructions: 'Be brief.',
    prompt_cache_key: 'session-1',
    prompt_cache_retention: null,
    service_tier: 'auto',
  })
  assert.equal(status, 200)
  assert.match(String(json.id), /^resp_/)
  assert.equal(json.object, 'response.compaction')
  assert.ok(Number.isInteger(json.created_at))
  assert.deepEqual(typesOf(json), ['message', 'message', 'compaction'])
  const usage = json.usage as { input_tokens: number; output_tokens: number; total_tokens: number }
  assert.ok(usage.input_tokens > 0 && usage.output_tokens > 0)
  assert.equal(usage.total_tokens, usage.input_tokens + usage.output_tokens)
  assert.equal((await send(server, 'GET', `/v1/responses/${json.id}`)).status, 404, 'nothing is stored')
})

test('the window of the SDK goes back unchanged and the facts are still known (req 72)', async () => {
  const compacted = await client.responses.compact({
    model: 'demo',
    input: [
      { role: 'user', content: 'My name is Ada and my favourite colour is teal.' },
      { type: 'function_call', call_id: 'c1', name: 'get_port', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c1', output: 'The port is 8484.' },
    ],
  })
  assert.equal(compacted.object, 'response.compaction')
  for (const [question, answer] of [
    ['What is my favourite colour?', /teal/],
    ['What is the port?', /8484/],
  ] as const) {
    const next = await client.responses.create({
      model: 'demo',
      input: [...(compacted.output as OpenAI.Responses.ResponseInputItem[]), { role: 'user', content: question }],
      tools: [],
    })
    assert.match(next.output_text, answer)
  }
  const twice = await client.responses.compact({
    model: 'demo',
    input: compacted.output as OpenAI.Responses.ResponseInputItem[],
  })
  assert.deepEqual(
    twice.output.map(({ type }) => type),
    ['message', 'compaction'],
    'a window can be compacted again',
  )
})

test('a summary made on one model is read by another provider (req 72)', async () => {
  const { json } = await post('/v1/responses/compact', { input: [says('user', 'The code word is heron.')] })
  const seen = server.upstream.requests.length
  const input = [...outputOf(json).slice(-1), says('user', 'What is the code word?')]
  assert.equal((await create({ model: 'upstream/gpt-test', input })).status, 200)
  assert.match(JSON.stringify(server.upstream.requests.slice(seen)), /Summary of the earlier conversation.*heron/)
})

test('compaction content that was changed, or is none, is 400 by its path (req 73)', async () => {
  const { json } = await post('/v1/responses/compact', { input: 'The code word is heron.' })
  const sealed = outputOf(json).at(-1)?.encrypted_content ?? ''
  for (const encrypted_content of [
    `${sealed}A`,
    sealed.slice(0, -1),
    `${sealed.slice(0, -3)}AAA`,
    'heron',
    sealed.toUpperCase(),
  ]) {
    const refused = await create({ input: [says('user', 'x'), { type: 'compaction', encrypted_content }] })
    assert.equal(refused.status, 400)
    const error = refused.json.error as Body
    assert.deepEqual([error.code, error.param], ['invalid_encrypted_content', 'input[1].encrypted_content'])
  }
  const empty = await create({ input: [{ type: 'compaction' }] })
  assert.equal((empty.json.error as Body).param, 'input[0].encrypted_content')
})

test('a long conversation in a small window goes on by itself, and keeps what it was told', async () => {
  let previous: unknown
  let compactions = 0
  const turn = async (input: string) => {
    const { status, json, text } = await create({
      model: 'narrow',
      input,
      context_management: [{ type: 'compaction' }],
      ...(previous ? { previous_response_id: previous } : {}),
    })
    assert.equal(status, 200, text)
    previous = json.id
    compactions += typesOf(json).filter((type) => type === 'compaction').length
    return String(json.output_text)
  }
  await turn('My name is Ada.')
  for (let count = 0; count < 12; count++) await turn(`What is ${count} + 1? ${FILLER.repeat(8)}`)
  assert.match(await turn('What is my name?'), /Ada/)
  assert.ok(compactions >= 1)
})

test('a conversation is compacted like a chain, keeps the item, and takes no trigger to keep (req 68, 70)', async () => {
  const made = await send(server, 'POST', '/v1/conversations')
  const conversation = made.json.id
  await create({ conversation, input: 'My name is Ada.' })
  await create({ conversation, input: FILLER.repeat(90) })
  const compacted = await create({ conversation, input: 'What is my name?', context_management: BY_THRESHOLD })
  assert.deepEqual(typesOf(compacted.json), ['compaction', 'message'])
  const after = await create({ conversation, input: 'Who am I?' })
  assert.match(String(after.json.output_text), /Ada/)
  assert.ok((after.json.usage as { input_tokens: number }).input_tokens < 600)
  const items = await send(server, 'GET', `/v1/conversations/${conversation}/items?limit=100`)
  assert.ok((items.json.data as ItemLike[]).some(({ type }) => type === 'compaction'))
  const kept = { items: [{ type: 'compaction_trigger' }] }
  for (const path of ['/v1/conversations', `/v1/conversations/${conversation}/items`]) {
    const refused = await send(server, 'POST', path, kept)
    assert.deepEqual([refused.status, (refused.json.error as Body).param], [400, 'items[0]'])
  }
})

test('an item that was compacted away is shown again when it is referenced', async () => {
  const first = await create({ input: 'Say PELICAN' })
  const [answer] = outputOf(first.json)
  const compacted = await create({ input: [{ type: 'compaction_trigger' }], previous_response_id: first.json.id })
  const next = {
    input: [{ id: answer?.id }, says('user', 'What did you say?')],
    previous_response_id: compacted.json.id,
  }
  assert.match(String((await create(next)).json.output_text), /PELICAN/)
})
