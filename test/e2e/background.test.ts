/** Background responses through the official SDK, against the whole server. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import { startChatUpstream, waitUntil } from '../fakes/chat-upstream.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let client: OpenAI
before(async () => {
  server = await startServer({ config: 'limits: { background_running: 2, background_queued: 3 }\n' })
  client = clientOf(server)
})
after(() => server.close())

const clientOf = ({ baseUrl, apiKey }: TestServer) => new OpenAI({ baseURL: baseUrl, apiKey, maxRetries: 0 })

type Event = OpenAI.Responses.ResponseStreamEvent
type Body = OpenAI.Responses.ResponseCreateParams

const OVER = new Set(['completed', 'failed', 'cancelled', 'incomplete'])
const ORDER = ['queued', 'in_progress', 'completed']

async function pollToEnd(id: string, of = client) {
  const seen: string[] = []
  for (;;) {
    const response = await of.responses.retrieve(id)
    seen.push(String(response.status))
    if (OVER.has(String(response.status))) return { response, seen }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function pollTo(status: string, id: string, of: OpenAI) {
  for (;;) {
    const response = await of.responses.retrieve(id)
    if (response.status === status || OVER.has(String(response.status))) return response
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function readAll(stream: AsyncIterable<Event>): Promise<Event[]> {
  const events: Event[] = []
  for await (const event of stream) events.push(event)
  return events
}

const plain = (events: readonly Event[]) => events.map((event) => ({ ...event, obfuscation: undefined }))

async function refusal(call: Promise<unknown>) {
  const error = await call.then(
    () => assert.fail('expected a refusal'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof OpenAI.APIError, String(error))
  return error
}

/** A model that says nothing until it is let, on a server of its own. */
async function startHeld(config = '') {
  const upstream = await startChatUpstream({ script: () => ({ silent: true }) })
  const held = await startServer({ upstream, config })
  return {
    client: clientOf(held),
    /** Of its model; it is also asked which models it has. */
    calls: () => upstream.requests.filter(({ method }) => method === 'POST'),
    async close() {
      await held.close()
      await upstream.close()
    },
  }
}
const HELD: Body & { stream?: false } = { model: 'upstream/gpt-test', input: 'Go on for long.', background: true }

test('a background response is answered at once, and polled to its end through states that only go forward (req 159, 161)', async () => {
  const created = await client.responses.create({ model: 'demo', input: 'Hello there', background: true })
  assert.ok(['queued', 'in_progress'].includes(String(created.status)))
  assert.equal(created.background, true)
  assert.deepEqual(created.output, [])
  assert.equal(created.usage, null)
  const { response, seen } = await pollToEnd(created.id)
  assert.equal(response.status, 'completed')
  assert.equal(response.background, true)
  assert.notEqual(response.output_text, '')
  const places = seen.map((status) => ORDER.indexOf(status))
  assert.deepEqual(places, places.toSorted())
  const next = await client.responses.create({ model: 'demo', input: 'And now?', previous_response_id: created.id })
  assert.equal(next.previous_response_id, created.id)
})

test('background needs a store to be found in again (req 160)', async () => {
  for (const stream of [true, false]) {
    const error = await refusal(
      client.responses.create({ model: 'demo', input: 'Hello', background: true, store: false, stream }),
    )
    assert.deepEqual([error.status, error.param], [400, 'store'])
  }
})

test('what can be refused is refused before anything is queued', async () => {
  const error = await refusal(client.responses.create({ model: 'nobody', input: 'Hello', background: true }))
  assert.deepEqual([error.status, error.code], [400, 'model_not_found'])
})

test('a background stream is told from its start, and again from every cursor, also after its end (req 82, 106, 165)', async () => {
  const events = await readAll(
    await client.responses.create({ model: 'demo', input: 'Hello there', background: true, stream: true }),
  )
  assert.deepEqual(
    events.slice(0, 3).map(({ type }) => type),
    ['response.created', 'response.queued', 'response.in_progress'],
  )
  assert.equal(events.at(-1)?.type, 'response.completed')
  const [first] = events
  assert.ok(first?.type === 'response.created')
  const { id } = first.response
  assert.deepEqual(plain(await readAll(await client.responses.retrieve(id, { stream: true }))), plain(events))
  for (let cursor = 0; cursor <= events.length; cursor += 1) {
    const rest = await readAll(await client.responses.retrieve(id, { stream: true, starting_after: cursor }))
    assert.deepEqual(plain(rest), plain(events.slice(cursor + 1)), `after ${cursor}`)
  }
  const end = events.at(-1)
  assert.ok(end?.type === 'response.completed')
  assert.deepEqual((await client.responses.retrieve(id)).output, end.response.output)
})

test('obfuscation is a matter of each connection (req 99)', async () => {
  const created = await readAll(
    await client.responses.create({ model: 'demo', input: 'Hi', background: true, stream: true }),
  )
  const [first] = created
  assert.ok(first?.type === 'response.created')
  const padded = (events: readonly Event[]) => events.filter((event) => 'obfuscation' in event).length
  const { id } = first.response
  const again = (query: object) => client.responses.retrieve(id, { stream: true, ...query })
  assert.ok(padded(created) > 0)
  assert.ok(padded(await readAll(await again({}))) > 0)
  assert.equal(padded(await readAll(await again({ include_obfuscation: false }))), 0)
})

test('a client that leaves loses nothing: it comes back with its cursor while the run goes on (req 107, 164)', async () => {
  const stream = await client.responses.create({
    model: 'demo',
    input: '[long:120] [slow:15]',
    background: true,
    stream: true,
  })
  const told: Event[] = []
  for await (const event of stream) {
    told.push(event)
    if (told.length === 6) break
  }
  const [first] = told
  assert.ok(first?.type === 'response.created')
  const { id } = first.response
  while (!OVER.has(String((await client.responses.retrieve(id)).status))) {
    const rest = await client.responses.retrieve(id, {
      stream: true,
      starting_after: told.at(-1)?.sequence_number ?? 0,
    })
    let count = 0
    for await (const event of rest) {
      told.push(event)
      if (++count === 7) break
    }
  }
  const after = told.at(-1)?.sequence_number ?? 0
  told.push(...(await readAll(await client.responses.retrieve(id, { stream: true, starting_after: after }))))
  assert.deepEqual(plain(told), plain(await readAll(await client.responses.retrieve(id, { stream: true }))))
  assert.equal(told.at(-1)?.type, 'response.completed')
})

test('only a response that was made for it is streamed again (req 108)', async () => {
  const foreground = await client.responses.create({ model: 'demo', input: 'Hi' })
  const unstreamed = await client.responses.create({ model: 'demo', input: 'Hi', background: true })
  for (const { id } of [foreground, unstreamed]) {
    const error = await refusal(client.responses.retrieve(id, { stream: true }))
    assert.deepEqual([error.status, error.param], [400, 'stream'])
  }
  assert.equal((await refusal(client.responses.retrieve('resp_never', { stream: true }))).status, 404)
})

test('cancelling ends the run and its call of the provider, and may be asked for again (req 162)', async (t) => {
  const held = await startHeld()
  t.after(() => held.close())
  for (const stream of [false, true]) {
    const before = held.calls().length
    let id: string
    if (stream) {
      const events = await held.client.responses.create({ ...HELD, stream: true })
      const first = await events[Symbol.asyncIterator]().next()
      assert.ok(first.value?.type === 'response.created')
      id = first.value.response.id
    } else id = (await held.client.responses.create(HELD)).id
    await waitUntil(() => held.calls().length > before)
    const cancelled = await held.client.responses.cancel(id)
    assert.equal(cancelled.status, 'cancelled')
    assert.equal(cancelled.usage, null)
    await waitUntil(() => held.calls().every(({ closedEarly }) => closedEarly))
    assert.deepEqual(await held.client.responses.cancel(id), cancelled)
    assert.deepEqual(await held.client.responses.retrieve(id), cancelled)
    if (!stream) continue
    const events = await readAll(await held.client.responses.retrieve(id, { stream: true }))
    const end = events.at(-1)
    assert.ok(end?.type === 'response.failed')
    assert.equal(end.response.status, 'cancelled')
  }
})

test('cancelling what is over answers what it is; cancelling a foreground response is refused (req 163)', async () => {
  const { id } = await client.responses.create({ model: 'demo', input: 'Hi', background: true })
  const { response } = await pollToEnd(id)
  assert.deepEqual(await client.responses.cancel(id), response)
  const foreground = await client.responses.create({ model: 'demo', input: 'Hi' })
  const error = await refusal(client.responses.cancel(foreground.id))
  assert.equal(error.status, 400)
  assert.match(error.message, /Cannot cancel a synchronous response/)
})

test('so many run, so many wait, and one more is refused; what waits can be cancelled (req 170)', async (t) => {
  const held = await startHeld('limits: { background_running: 1, background_queued: 2 }\n')
  t.after(() => held.close())
  const running = await held.client.responses.create(HELD)
  await waitUntil(() => held.calls().length === 1)
  const first = await held.client.responses.create(HELD)
  const second = await held.client.responses.create(HELD)
  const error = await refusal(held.client.responses.create(HELD))
  assert.deepEqual([error.status, error.code], [429, 'rate_limit_exceeded'])
  assert.equal((await held.client.responses.retrieve(first.id)).status, 'queued')
  const waiting = await held.client.responses.cancel(first.id)
  assert.deepEqual([waiting.status, waiting.output], ['cancelled', []])
  await held.client.responses.cancel(running.id)
  await waitUntil(() => held.calls().length === 2)
  assert.equal((await pollTo('in_progress', second.id, held.client)).status, 'in_progress')
})

test('deleting a response that runs ends it first', async (t) => {
  const held = await startHeld()
  t.after(() => held.close())
  const { id } = await held.client.responses.create(HELD)
  await waitUntil(() => held.calls().length === 1)
  await held.client.responses.delete(id)
  assert.equal((await refusal(held.client.responses.retrieve(id))).status, 404)
  await waitUntil(() => held.calls().every(({ closedEarly }) => closedEarly))
})

test('a response that runs cannot be continued from yet, and locks its conversation', async (t) => {
  const held = await startHeld()
  t.after(() => held.close())
  const conversation = await held.client.conversations.create()
  const { id } = await held.client.responses.create({ ...HELD, conversation: conversation.id })
  const open = await refusal(held.client.responses.create({ model: 'demo', input: 'And?', previous_response_id: id }))
  assert.deepEqual([open.status, open.param], [400, 'previous_response_id'])
  const locked = await refusal(
    held.client.responses.create({ model: 'demo', input: 'And?', conversation: conversation.id }),
  )
  assert.deepEqual([locked.status, locked.code], [400, 'conversation_locked'])
  await held.client.responses.cancel(id)
  const next = await held.client.responses.create({ model: 'demo', input: 'And?', conversation: conversation.id })
  assert.equal(next.status, 'completed')
})

test('a background response enters its conversation when it ends', async () => {
  const conversation = await client.conversations.create()
  const { id } = await client.responses.create({
    model: 'demo',
    input: 'My name is Ada.',
    background: true,
    conversation: conversation.id,
  })
  await pollToEnd(id)
  const next = await client.responses.create({
    model: 'demo',
    input: 'What is my name?',
    conversation: conversation.id,
  })
  assert.match(next.output_text, /Ada/)
})

test('the same key again is the same background response, as it is by then', async () => {
  const headers = { 'Idempotency-Key': 'background once' }
  const body = { model: 'demo', input: 'Hi', background: true, stream: true } as const
  const events = await readAll(await client.responses.create(body, { headers }))
  assert.deepEqual(plain(await readAll(await client.responses.create(body, { headers }))), plain(events))
  const other = { 'Idempotency-Key': 'background once, polled' }
  const first = await client.responses.create({ ...body, stream: false }, { headers: other })
  const { response } = await pollToEnd(first.id)
  assert.deepEqual(await client.responses.create({ ...body, stream: false }, { headers: other }), response)
})

test('to another project a background response and its events never existed', async (t) => {
  const shared = await startServer({
    config: 'keys: [{ key_alias: other, key: sk-of-another-project-00, project: other }]\nprojects: { other: {} }\n',
  })
  t.after(() => shared.close())
  const own = clientOf(shared)
  const foreign = clientOf({ ...shared, apiKey: 'sk-of-another-project-00' })
  const [first] = await readAll(
    await own.responses.create({ model: 'demo', input: 'Hi', background: true, stream: true }),
  )
  assert.ok(first?.type === 'response.created')
  const { id } = first.response
  for (const call of [
    () => foreign.responses.retrieve(id),
    () => foreign.responses.retrieve(id, { stream: true }),
    () => foreign.responses.cancel(id),
    () => foreign.responses.delete(id),
  ]) {
    assert.equal((await refusal(call())).status, 404)
  }
})
