/** WebSocket mode on a whole server: the official SDK's client, undici's, and the rules of continuing. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import OpenAI from 'openai'
import { ResponsesWS } from 'openai/resources/responses/ws'
import { BACKENDS, startServer, type TestServer, UPSTREAM_MODEL } from '../support/server.ts'
import { connectSocket as connect, type SocketEvent as Event } from '../support/socket-client.ts'

const idOf = (event: Event): string => event.response?.id ?? assert.fail(JSON.stringify(event))
const codeOf = (event: Event) => [event.status, event.error?.code, event.error?.param]
const NOT_FOUND = [400, 'previous_response_not_found', 'previous_response_id']

const TOOL = { type: 'function', name: 'get_weather', parameters: { type: 'object', properties: {} } }

for (const { name, model } of BACKENDS) {
  describe(`continuing on a WebSocket, on ${name}`, () => {
    let server: TestServer
    let client: OpenAI
    before(async () => {
      server = await startServer()
      client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
    })
    after(() => server.close())

    test(`an unstored response is continued on its own socket and nowhere else, on ${name} (req 112)`, async () => {
      const [socket, other] = [await connect(server), await connect(server)]
      const first = await socket.end({ model, input: 'My name is Ada.', store: false })
      const second = await socket.end({
        model,
        input: 'What is my name?',
        store: false,
        previous_response_id: idOf(first),
      })
      assert.equal(second.response?.status, 'completed')
      if (model === 'demo') assert.match(second.response.output_text, /Ada/)
      assert.ok((second.response.usage?.input_tokens ?? 0) > (first.response?.usage?.input_tokens ?? 0))
      const request = { model, input: 'Again?', store: false, previous_response_id: idOf(first) }
      assert.deepEqual(codeOf(await other.end(request)), NOT_FOUND)
      await assert.rejects(client.responses.create(request), { code: 'previous_response_not_found' })
      await assert.rejects(client.responses.retrieve(idOf(first)), { status: 404 })
      assert.equal((await other.end({ model, input: 'Hello.', store: false })).type, 'response.completed')
      await socket.close()
      const reconnected = await connect(server)
      assert.deepEqual(codeOf(await reconnected.end({ ...request, previous_response_id: idOf(second) })), NOT_FOUND)
      await Promise.all([other.close(), reconnected.close()])
    })

    test(`a stored response is continued on any socket and over HTTP, on ${name} (req 112)`, async () => {
      const [socket, other] = [await connect(server), await connect(server)]
      const first = await socket.end({ model, input: 'My name is Ada.' })
      const previous_response_id = idOf(first)
      for (const one of [socket, other]) {
        const next = await one.end({ model, input: 'What is my name?', previous_response_id })
        assert.equal(next.response?.status, 'completed')
      }
      const overHttp = await client.responses.create({ model, input: 'What is my name?', previous_response_id })
      const back = await other.end({ model, input: 'And now?', previous_response_id: overHttp.id })
      assert.equal(back.type, 'response.completed')
      assert.equal((await client.responses.retrieve(idOf(back))).previous_response_id, overHttp.id)
      await client.responses.delete(previous_response_id)
      assert.deepEqual(codeOf(await socket.end({ model, input: 'Still there?', previous_response_id })), NOT_FOUND)
      await Promise.all([socket.close(), other.close()])
    })

    test(`a stored response that continues an unstored one holds everything before it itself, on ${name}`, async () => {
      const socket = await connect(server)
      const first = await socket.end({ model, input: 'My name is Ada.', store: false })
      const second = await socket.end({ model, input: 'Go on.', previous_response_id: idOf(first) })
      await socket.close()
      const items = await client.responses.inputItems.list(idOf(second), { order: 'asc' })
      assert.deepEqual(
        items.data.map((item) => item.type),
        ['message', 'message', 'message'],
      )
      assert.equal((await client.responses.retrieve(idOf(second))).previous_response_id, null)
      const third = await client.responses.create({
        model,
        input: 'What is my name?',
        previous_response_id: idOf(second),
      })
      assert.equal(third.status, 'completed')
      if (model === 'demo') assert.match(third.output_text, /Ada/)
    })

    test(`a continuation that fails evicts what it continued from, on ${name} (req 113)`, async () => {
      const socket = await connect(server)
      const first = await socket.end({ model, input: 'Hello.', store: false })
      const previous_response_id = idOf(first)
      const orphan = [{ type: 'function_call_output', call_id: 'call_none', output: '1' }]
      const failed = await socket.end({ model, input: orphan, store: false, previous_response_id })
      assert.deepEqual([failed.type, failed.status], ['error', 400])
      assert.notEqual(failed.error?.code, 'previous_response_not_found')
      const retry = { model, input: 'Hello again.', store: false, previous_response_id }
      assert.deepEqual(codeOf(await socket.end(retry)), NOT_FOUND)
      const stored = idOf(await socket.end({ model, input: 'Hello.' }))
      assert.equal((await socket.end({ model, input: orphan, previous_response_id: stored })).type, 'error')
      const hydrated = await socket.end({ model, input: 'Hello again.', previous_response_id: stored })
      assert.equal(hydrated.type, 'response.completed')
      await socket.close()
    })

    test(`generate: false calls no model and leaves a response to continue from, on ${name} (req 116)`, async () => {
      const socket = await connect(server)
      for (const store of [false, true]) {
        const before = server.upstream.requests.length
        const instructions = 'Be brief.'
        const events = await socket.turn({ model, instructions, input: [], generate: false, store, tools: [TOOL] })
        assert.deepEqual(
          events.map(({ type }) => type),
          ['response.created', 'response.in_progress', 'response.completed'],
        )
        const end = events.at(-1) ?? assert.fail()
        assert.deepEqual(
          [end.response?.status, end.response?.output, end.response?.usage?.total_tokens],
          ['completed', [], 0],
        )
        assert.equal(server.upstream.requests.length, before)
        const warm = await socket.end({
          model,
          input: 'My name is Ada.',
          generate: false,
          store,
          previous_response_id: idOf(end),
        })
        const answer = await socket.end({ model, input: 'What is my name?', store, previous_response_id: idOf(warm) })
        assert.equal(answer.response?.status, 'completed')
        if (model === 'demo') assert.match(answer.response.output_text, /Ada/)
      }
      const refused = await socket.end({ model: 'nobody/nothing', input: [], generate: false })
      assert.deepEqual(codeOf(refused), [400, 'model_not_found', 'model'])
      await socket.close()
    })

    test(`a compacted window begins a new chain on a socket, on ${name} (req 72)`, async () => {
      const said = [
        { role: 'user' as const, content: 'My name is Ada.' },
        { role: 'assistant' as const, content: [{ type: 'output_text', text: 'Noted.' }] },
      ]
      const compacted = await fetch(`${server.baseUrl}/responses/compact`, {
        method: 'POST',
        headers: { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model, input: said }),
      })
      const { output } = (await compacted.json()) as { output: object[] }
      const socket = await connect(server)
      const input = [...output, { role: 'user', content: 'What is my name?' }]
      const first = await socket.end({ model, input, tools: [], store: false })
      assert.equal(first.response?.status, 'completed')
      const again = { model, input: 'What is my name?', store: false, previous_response_id: idOf(first) }
      const second = await socket.end(again)
      if (model === 'demo') assert.match(second.response?.output_text ?? '', /Ada/)
      await socket.close()
    })

    test(`generate is no parameter of HTTP, on ${name}`, async () => {
      const reply = await fetch(`${server.baseUrl}/responses`, {
        method: 'POST',
        headers: { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model, input: 'Hello.', generate: false }),
      })
      assert.match(reply.headers.get('x-antiphon-warnings') ?? '', /generate/)
      assert.notEqual(JSON.parse(await reply.text()).output_text, '')
    })
  })

  test(`the SDK's WebSocket client does turns in lanes and reads errors, on ${name} (req 109, 111)`, async (t) => {
    const server = await startServer()
    t.after(() => server.close())
    const client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey })
    const socket = new ResponsesWS(client)
    const lanes = ['one', 'two', 'three']
    const texts = new Map<string, string>()
    const ended = new Set<string>()
    const errors: string[] = []
    socket.on('error', (error) => errors.push(error.message))
    await once(socket.socket.platformSocket, 'open')
    for (const stream_id of lanes) {
      socket.send({ type: 'response.create', stream: true, stream_id, model, input: `Say ${stream_id}.`, store: false })
    }
    for await (const event of socket) {
      if (event.type !== 'message') continue
      const { message } = event
      const lane = 'stream_id' in message ? String(message.stream_id) : assert.fail('an event without its lane')
      if (message.type === 'response.output_text.delta') texts.set(lane, (texts.get(lane) ?? '') + message.delta)
      if (message.type !== 'response.completed') continue
      assert.equal(message.response.output_text, texts.get(lane))
      ended.add(lane)
      if (ended.size === lanes.length) break
    }
    socket.send({ type: 'response.create', model, input: 'Hi.', previous_response_id: 'resp_none' })
    await new Promise((resolve) => socket.once('error', resolve))
    assert.match(errors[0] ?? '', /Previous response with id 'resp_none' not found/)
    socket.close()
  })
}

test('the SDK reads a socket that tells what was left out of a request', async (t) => {
  const server = await startServer({ config: 'defaults: { unsupported_params: warn }\n' })
  t.after(() => server.close())
  const socket = new ResponsesWS(new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey }))
  await once(socket.socket.platformSocket, 'open')
  const tools = [{ type: 'web_search' as const }]
  const unknown = { no_such_field: 1 }
  socket.send({ type: 'response.create', model: 'demo', input: 'Say hello.', tools, ...unknown })
  const told: unknown[] = []
  for await (const event of socket) {
    if (event.type !== 'message') continue
    const { message } = event
    if ('antiphon_warnings' in message) told.push(message.type, message.antiphon_warnings)
    if (message.type === 'response.completed') {
      assert.equal(message.response.status, 'completed')
      break
    }
  }
  socket.close()
  assert.equal(told[0], 'response.created')
  assert.match(String(told[1]), /no_such_field.*web_search|web_search.*no_such_field/)
  assert.equal(told.length, 2)
})

test('each turn on a socket sends the provider the whole context, and unstored ones leave nothing on disk', async (t) => {
  const server = await startServer()
  t.after(() => server.close())
  const socket = await connect(server)
  let previous: string | undefined
  for (let n = 1; n <= 4; n++) {
    const chain = previous === undefined ? {} : { previous_response_id: previous }
    previous = idOf(await socket.end({ model: UPSTREAM_MODEL, input: `canary ${n}`, store: false, ...chain }))
  }
  await socket.close()
  const { messages } = JSON.parse(JSON.stringify(server.upstream.requests.at(-1)?.body))
  assert.deepEqual(
    messages
      .filter(({ role }: { role: string }) => role === 'user')
      .map(({ content }: { content: unknown }) => content),
    ['canary 1', 'canary 2', 'canary 3', 'canary 4'],
  )
  const files = readdirSync(server.dataDir).filter((name) => name.startsWith('antiphon.db'))
  assert.ok(files.length > 0)
  for (const name of files) assert.equal(readFileSync(join(server.dataDir, name)).includes('canary'), false, name)
})
