/** What goes over the wire, byte by byte, for clients that are no SDK. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { request } from 'undici'
import { eventsOf, framesOf, send } from '../support/http.ts'
import { startServer, type TestServer, UPSTREAM_MODEL } from '../support/server.ts'

let server: TestServer
before(async () => {
  server = await startServer({ checked: true })
})
after(() => server.close())

const create = (body: Record<string, unknown>) => send(server, 'POST', '/v1/responses', { model: 'demo', ...body })
const stream = async (body: Record<string, unknown>) => (await create({ stream: true, ...body })).text

test('a text answer streams its nine kinds of events in order (req 80, 82, 83, 84, 85)', async () => {
  const text = await stream({ input: 'Say hello.' })
  const types = framesOf(text).map(({ event }) => event)
  const kinds = types.filter((type, index) => type !== types[index - 1])
  assert.deepEqual(kinds, [
    'response.created',
    'response.in_progress',
    'response.output_item.added',
    'response.content_part.added',
    'response.output_text.delta',
    'response.output_text.done',
    'response.content_part.done',
    'response.output_item.done',
    'response.completed',
    null,
  ])
  assert.ok(!text.includes('\r'))
  assert.ok(!/^id:/m.test(text))
  for (const { event, data } of framesOf(text).slice(0, -1)) assert.equal(JSON.parse(data).type, event)
})

test('sequence numbers count from 0 without gaps (req 81)', async () => {
  const numbers = eventsOf(await stream({ input: 'Say hello.' })).map((event) => event.sequence_number)
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index),
  )
})

test('the stream ends with the terminal event and then [DONE] (req 93, 94)', async () => {
  const frames = framesOf(await stream({ input: 'Say hello.' }))
  assert.deepEqual(frames.at(-1), { event: null, data: '[DONE]' })
  assert.equal(frames.at(-2)?.event, 'response.completed')
  assert.equal(frames.filter(({ event }) => /completed|failed|incomplete/.test(event ?? '')).length, 1)
})

test('lifecycle events carry the whole response, the first ones without output (req 97)', async () => {
  const events = eventsOf(await stream({ input: 'Say hello.' }))
  const [created] = events
  const response = created?.response as Record<string, unknown>
  assert.deepEqual(response.output, [])
  assert.equal(response.usage, null)
  const final = events.at(-1)?.response as Record<string, unknown>
  assert.deepEqual(Object.keys(final).sort(), Object.keys(response).sort())
})

test('deltas are padded unless the client says no (req 99)', async () => {
  const deltas = (text: string) => eventsOf(text).filter(({ type }) => String(type).endsWith('.delta'))
  const padded = deltas(await stream({ input: 'Say hello.' }))
  assert.ok(padded.length > 0 && padded.every(({ obfuscation }) => typeof obfuscation === 'string'))
  const plain = deltas(await stream({ input: 'Say hello.', stream_options: { include_obfuscation: false } }))
  assert.ok(plain.every((delta) => !('obfuscation' in delta)))
})

test('reasoning streams as an item of its own, before the answer (req 27, 45, 86)', async () => {
  const events = eventsOf(await stream({ input: 'Think about it.', reasoning: { effort: 'low', summary: 'auto' } }))
  const types = new Set(events.map(({ type }) => type))
  for (const type of ['response.reasoning_summary_part.added', 'response.reasoning_summary_text.delta']) {
    assert.ok(types.has(type), type)
  }
  const final = events.at(-1)?.response as { output: { type: string }[]; reasoning: object; output_text: string }
  assert.deepEqual(
    final.output.map(({ type }) => type),
    ['reasoning', 'message'],
  )
  assert.deepEqual(final.reasoning, { effort: 'low', summary: 'auto' })
  assert.ok(!final.output_text.includes('<think>'))
})

test('encrypted reasoning comes back when asked for and carries on without a store (req 64)', async () => {
  const ask = { reasoning: { effort: 'low' }, include: ['reasoning.encrypted_content'], store: false }
  const first = await create({ input: 'Think.', ...ask })
  const output = first.json.output as { type: string; encrypted_content?: string }[]
  const reasoning = output.find(({ type }) => type === 'reasoning')
  assert.ok(reasoning?.encrypted_content)
  const second = await create({
    input: [{ role: 'user', content: 'Think.' }, ...output, { role: 'user', content: 'And?' }],
    ...ask,
  })
  assert.equal(second.status, 200)
})

test('refusals stream as refusal parts (req 37)', async () => {
  const events = eventsOf(await stream({ input: '[refuse]' }))
  assert.ok(events.some(({ type }) => type === 'response.refusal.delta'))
  assert.ok(events.some(({ type }) => type === 'response.refusal.done'))
})

test('log probabilities come with the include and only then (req 17)', async () => {
  const include = ['message.output_text.logprobs']
  const part = (json: Record<string, unknown>) =>
    (json.output as { content: { logprobs: { top_logprobs: unknown[] }[] }[] }[])[0]?.content[0]
  const withThem = part((await create({ input: 'Say hello.', include, top_logprobs: 2 })).json)
  assert.ok(withThem && withThem.logprobs.length > 0)
  assert.equal(withThem.logprobs[0]?.top_logprobs.length, 2)
  assert.deepEqual(part((await create({ input: 'Say hello.' })).json)?.logprobs, [])
})

test('a custom tool is called with free text, streamed (req 87, 126, 130)', async () => {
  for (const model of ['demo', UPSTREAM_MODEL]) {
    const text = await stream({
      model,
      input: 'call shout with {"input":"HELLO"}',
      tools: [{ type: 'custom', name: 'shout', description: 'Shouts a text' }],
      tool_choice: { type: 'custom', name: 'shout' },
    })
    const events = eventsOf(text)
    assert.ok(
      events.some(({ type }) => type === 'response.custom_tool_call_input.delta'),
      model,
    )
    const done = events.find(({ type }) => type === 'response.custom_tool_call_input.done')
    assert.match(String(done?.input), /HELLO/)
    const final = events.at(-1)?.response as { output: { type: string; call_id: string }[] }
    assert.equal(final.output.at(-1)?.type, 'custom_tool_call')
  }
})

test('parallel calls are items of their own, and one at most when parallel is off (req 123, 124)', async () => {
  const tools = ['alpha', 'beta'].map((name) => ({
    type: 'function',
    name,
    parameters: { type: 'object', properties: {} },
  }))
  const calls = async (model: string, parallel_tool_calls: boolean) => {
    const { json } = await create({
      model,
      input: 'call alpha and beta',
      tools,
      tool_choice: 'required',
      parallel_tool_calls,
    })
    return (json.output as { type: string; call_id: string }[]).filter(({ type }) => type === 'function_call')
  }
  for (const model of ['demo', UPSTREAM_MODEL]) {
    const both = await calls(model, true)
    assert.equal(new Set(both.map(({ call_id }) => call_id)).size, 2, model)
    assert.equal((await calls(model, false)).length, 1, model)
  }
})

test('tool_choice none, required, named and allowed_tools are kept to (req 125, 126, 127)', async () => {
  const tools = ['alpha', 'beta'].map((name) => ({
    type: 'function',
    name,
    parameters: { type: 'object', properties: {} },
  }))
  const names = async (tool_choice: unknown) => {
    const { json, status } = await create({ input: 'call alpha', tools, tool_choice })
    assert.equal(status, 200)
    return (json.output as { type: string; name?: string }[]).flatMap(({ name }) => name ?? [])
  }
  assert.deepEqual(await names('none'), [])
  assert.ok((await names('required')).length > 0)
  assert.deepEqual(await names({ type: 'function', name: 'beta' }), ['beta'])
  const allowed = await names({ type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'beta' }] })
  assert.deepEqual([...new Set(allowed)], ['beta'])
})

test('the token limit ends a response as incomplete, its last item too (req 19, 20)', async () => {
  for (const model of ['demo', UPSTREAM_MODEL]) {
    const { json } = await create({ model, input: '[long:200]', max_output_tokens: 1 })
    assert.equal(json.status, 'incomplete', model)
    assert.deepEqual(json.incomplete_details, { reason: 'max_output_tokens' })
    assert.equal((json.output as { status: string }[]).at(-1)?.status ?? 'incomplete', 'incomplete')
  }
})

test('every field of a Response is there, numbers as numbers (req 1, 24, 25, 26, 28, 29, 31, 43, 44)', async () => {
  const { json } = await create({
    input: 'Say hello.',
    service_tier: 'fast',
    prompt_cache_retention: 'in-memory',
    metadata: { a: 'b' },
    user: 'someone',
    tools: [{ type: 'function', name: 'f' }],
  })
  for (const field of ['temperature', 'top_p', 'presence_penalty', 'frequency_penalty', 'top_logprobs']) {
    assert.equal(typeof json[field], 'number', field)
  }
  assert.match(String(json.id), /^resp_[0-9a-f]{48}$/)
  assert.ok(Number.isInteger(json.created_at) && Number.isInteger(json.completed_at))
  assert.equal(json.service_tier, 'priority')
  assert.equal(json.prompt_cache_retention, 'in_memory')
  assert.equal(json.content_filters, null)
  assert.equal(json.user, 'someone')
  assert.deepEqual(json.metadata, { a: 'b' })
  assert.deepEqual(json.text, { format: { type: 'text' }, verbosity: 'medium' })
  assert.deepEqual(json.tools, [{ type: 'function', name: 'f', description: null, parameters: null, strict: false }])
})

test('store false leaves nothing to read or to continue (req 48)', async () => {
  const { json } = await create({ input: 'Say hello.', store: false })
  assert.equal((await send(server, 'GET', `/v1/responses/${json.id}`)).status, 404)
  const next = await create({ input: 'x', previous_response_id: json.id })
  assert.equal((next.json.error as { code: string }).code, 'previous_response_not_found')
})

test('what is refused is refused as JSON also when a stream was asked for (req 101)', async () => {
  const reply = await create({ input: 'x', stream: true, temperature: 9 })
  assert.equal(reply.status, 400)
  assert.match(String(reply.headers['content-type']), /json/)
  assert.equal((reply.json.error as { param: string }).param, 'temperature')
})

test('features that do not exist yet are refused by name, never ignored', async () => {
  const fields = {
    moderation: { model: 'omni-moderation-latest' },
  }
  for (const [param, value] of Object.entries(fields)) {
    const reply = await create({ input: 'x', [param]: value })
    assert.equal(reply.status, 400, param)
    assert.equal((reply.json.error as { param: string }).param, param)
  }
  const hosted = await create({ input: 'x', tools: [{ type: 'web_search' }] })
  assert.equal(hosted.status, 400)
  assert.match(String((hosted.json.error as { param: string }).param), /^tools\[0\]/)
})

test('a failure in mid-stream keeps what was said and ends as failed (req 95)', async () => {
  const events = eventsOf(await stream({ input: '[fail-after:3]' }))
  const last = events.at(-1)
  assert.equal(last?.type, 'response.failed')
  const response = last?.response as { status: string; error: { code: string }; output: unknown[] }
  assert.equal(response.status, 'failed')
  assert.equal(response.error.code, 'server_error')
  assert.equal(response.output.length, 1)
})

test('multi-byte characters arrive whole in every delta (req 104)', async () => {
  const said = '¡Olé! 你好, 👩‍👩‍👧 and 𝒳'
  for (const model of ['demo', UPSTREAM_MODEL]) {
    const deltas = eventsOf(await stream({ model, input: `Reply with exactly: ${said}` })).flatMap((event) =>
      event.type === 'response.output_text.delta' ? [String(event.delta)] : [],
    )
    assert.ok(
      deltas.every((delta) => delta.isWellFormed()),
      model,
    )
    assert.ok(deltas.join('').includes(said), model)
  }
})

test('an image part of any form reaches the model (req 7)', async () => {
  const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='
  const image = { type: 'input_image', image_url: `data:image/png;base64,${pixel}` }
  const reply = await create({
    input: [{ role: 'user', content: [{ type: 'input_text', text: 'What is this?' }, image] }],
  })
  assert.equal(reply.status, 200)
  assert.match(String(reply.json.output_text), /1\s?[x×]\s?1/)
})

test('an inline file reaches the model (req 8)', async () => {
  const file_data = `data:text/plain;base64,${Buffer.from('The code word is heron.').toString('base64')}`
  const file = { type: 'input_file', filename: 'note.txt', file_data }
  const content = [file, { type: 'input_text', text: 'What is the code word?' }]
  const reply = await create({ input: [{ role: 'user', content }] })
  assert.equal(reply.status, 200)
  assert.match(String(reply.json.output_text), /heron/)
})

test('every reply has a request id, and errors their envelope (req 185, 186)', async () => {
  const replies = await Promise.all([
    create({ input: 'Say hello.' }),
    create({}),
    send(server, 'GET', '/v1/nothing-here'),
    send(server, 'GET', '/v1/responses/resp_nope'),
    send(server, 'GET', '/health', undefined, { key: null }),
  ])
  for (const reply of replies) {
    assert.match(String(reply.headers['x-request-id']), /^req_/)
    if (reply.status < 400) continue
    assert.deepEqual(Object.keys(reply.json.error as object).sort(), ['code', 'message', 'param', 'type'])
  }
})

test('without any input a request is refused (req 13)', async () => {
  const reply = await create({})
  assert.equal(reply.status, 400)
  assert.equal((reply.json.error as { code: string }).code, 'missing_required_parameter')
})

test('an answer in JSON mode parses (req 35)', async () => {
  for (const model of ['demo', UPSTREAM_MODEL]) {
    const { json } = await create({ model, input: 'Give me a JSON object.', text: { format: { type: 'json_object' } } })
    assert.equal(typeof JSON.parse(String(json.output_text)), 'object', model)
  }
})

test('bodies are taken with every documented encoding', async () => {
  const { zstdCompressSync, gzipSync, brotliCompressSync, deflateSync } = await import('node:zlib')
  const encoders = { zstd: zstdCompressSync, gzip: gzipSync, br: brotliCompressSync, deflate: deflateSync }
  for (const [encoding, encode] of Object.entries(encoders)) {
    const reply = await request(`${server.url}/v1/responses`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${server.apiKey}`,
        'content-type': 'application/json',
        'content-encoding': encoding,
      },
      body: encode(Buffer.from(JSON.stringify({ model: 'demo', input: 'Say hello.' }))),
    })
    assert.equal(reply.statusCode, 200, encoding)
    await reply.body.dump()
  }
})

test('health, readiness, metrics and the contract itself are served (req 194)', async () => {
  assert.equal((await send(server, 'GET', '/health', undefined, { key: null })).status, 200)
  assert.equal((await send(server, 'GET', '/ready', undefined, { key: null })).status, 200)
  await create({ input: 'Say hello.' })
  const metrics = await send(server, 'GET', '/metrics')
  assert.match(metrics.text, /antiphon_responses_total\{[^}]*model="demo"/)
  const document = await send(server, 'GET', '/openapi.json', undefined, { key: null })
  assert.equal(document.json.openapi, '3.1.0')
})
