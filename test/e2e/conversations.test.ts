/** The Conversations API through the official SDK, unmodified, and what its types do not show. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import OpenAI, { BadRequestError, NotFoundError } from 'openai'
import type { ConversationItem } from 'openai/resources/conversations/items'
import { eventsOf, send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'

const model = 'demo'
const UNKNOWN = `conv_${'0'.repeat(48)}`
const user = (text: string) => ({ type: 'message' as const, role: 'user' as const, content: text })
/** The SDK's types know no ids here, the API does. */
const named = (id: string, text: string) => Object.assign(user(text), { id })

let server: TestServer
let client: OpenAI
before(async () => {
  server = await startServer({ checked: true })
  client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
})
after(() => server.close())

const textOf = (item: ConversationItem) =>
  item.type === 'message' ? item.content.map((part) => ('text' in part ? part.text : '')).join('') : item.type

async function collect<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of pages) all.push(one)
  return all
}
const listed = (conversation: string) => collect(client.conversations.items.list(conversation, { order: 'asc' }))
const texts = async (conversation: string) => (await listed(conversation)).map(textOf)
const codeOf = (code: string | null) => (error: unknown) => error instanceof BadRequestError && error.code === code

describe('conversations', () => {
  test('a conversation is created, read, given other metadata and deleted (req 57)', async () => {
    const before = Math.floor(Date.now() / 1000)
    const made = await client.conversations.create({ metadata: { topic: 'birds' }, items: [user('Hello.')] })
    assert.match(made.id, /^conv_[0-9a-f]{48}$/)
    assert.ok(made.created_at >= before && made.created_at <= Date.now() / 1000)
    assert.deepEqual(made.metadata, { topic: 'birds' })
    assert.deepEqual(await client.conversations.retrieve(made.id), made)
    const changed = await client.conversations.update(made.id, { metadata: { other: 'yes' } })
    assert.deepEqual(changed, { ...made, metadata: { other: 'yes' } })
    assert.deepEqual((await client.conversations.update(made.id, { metadata: null })).metadata, {})
    const gone = await client.conversations.delete(made.id)
    assert.deepEqual(gone, { id: made.id, object: 'conversation.deleted', deleted: true })
    await assert.rejects(client.conversations.retrieve(made.id), NotFoundError)
    await assert.rejects(client.conversations.delete(made.id), NotFoundError)
  })

  test('a conversation needs no body, and null asks for nothing (req 57)', async () => {
    assert.deepEqual((await client.conversations.create()).metadata, {})
    assert.deepEqual((await client.conversations.create({ items: null, metadata: null })).metadata, {})
    const bare = await send(server, 'POST', '/v1/conversations')
    assert.equal(bare.status, 200)
  })

  test('twenty items are taken at once, one more is refused, and so is too much metadata (req 18, 57)', async () => {
    const items = Array.from({ length: 20 }, (_, n) => user(`message ${n}`))
    const { id } = await client.conversations.create({ items })
    const tooMany = { items: [...items, user('one more')] }
    await assert.rejects(client.conversations.create(tooMany), { status: 400, param: 'items' })
    await assert.rejects(client.conversations.items.create(id, tooMany), { status: 400, param: 'items' })
    const metadata = Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`key ${n}`, 'x']))
    await assert.rejects(client.conversations.create({ metadata }), { status: 400, param: 'metadata' })
    await assert.rejects(client.conversations.update(id, { metadata: { key: 'x'.repeat(513) } }), {
      param: 'metadata.key',
    })
    const missing = await send(server, 'POST', `/v1/conversations/${id}`, {})
    assert.equal((missing.json.error as { param: string }).param, 'metadata')
  })

  test('items are added, listed in pages from both ends, read and deleted (req 58)', async () => {
    const conversation = await client.conversations.create({ metadata: { a: 'b' } })
    const added = await client.conversations.items.create(conversation.id, { items: [user('one'), user('two')] })
    assert.deepEqual(added.data.map(textOf), ['one', 'two'])
    assert.deepEqual([added.first_id, added.last_id, added.has_more], [added.data[0]?.id, added.data[1]?.id, false])
    for (const n of [3, 4, 5]) await client.conversations.items.create(conversation.id, { items: [user(`no. ${n}`)] })
    const newest = await client.conversations.items.list(conversation.id, { limit: 2 })
    assert.deepEqual(newest.data.map(textOf), ['no. 5', 'no. 4'])
    assert.equal(newest.has_more, true)
    const pages = await collect(client.conversations.items.list(conversation.id, { limit: 2, order: 'asc' }))
    assert.deepEqual(pages.map(textOf), ['one', 'two', 'no. 3', 'no. 4', 'no. 5'])
    const [first] = added.data
    assert.ok(first?.id)
    const place = { conversation_id: conversation.id }
    assert.deepEqual(await client.conversations.items.retrieve(first.id, place), first)
    assert.deepEqual(await client.conversations.items.delete(first.id, place), conversation)
    await assert.rejects(client.conversations.items.retrieve(first.id, place), NotFoundError)
    await assert.rejects(client.conversations.items.delete(first.id, place), NotFoundError)
    assert.equal((await listed(conversation.id)).length, 4)
  })

  test('a wrong page is refused by the name of its parameter (req 58)', async () => {
    const { id } = await client.conversations.create()
    for (const [query, param] of [
      ['limit=0', 'limit'],
      ['limit=101', 'limit'],
      ['order=up', 'order'],
      ['after=msg_unknown', 'after'],
      ['include[]=everything', 'include[0]'],
    ]) {
      const { status, json } = await send(server, 'GET', `/v1/conversations/${id}/items?${query}`)
      assert.equal(status, 400, query)
      assert.equal((json.error as { param: string }).param, param)
    }
    assert.deepEqual((await client.conversations.items.list(id)).data, [])
  })

  test('what is wrong with an item is told with its path, and nothing of the list is added (req 58)', async () => {
    const { id } = await client.conversations.create()
    const add = (items: unknown) => send(server, 'POST', `/v1/conversations/${id}/items`, { items })
    for (const [item, param] of [
      [{ role: 'user', content: [{ type: 'input_image' }] }, 'items[1].content[0].image_url'],
      [{ role: 'assistant', content: [{ type: 'input_image', image_url: 'https://a' }] }, 'items[1].content[0].type'],
      [{ type: 'daydream', id: 'dd_1' }, 'items[1].type'],
      [{ type: 'program', id: 'prog_1' }, 'items[1].call_id'],
      [{ type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'forged' }, 'items[1].encrypted_content'],
    ]) {
      const { status, json } = await add([user('fine'), item])
      assert.equal(status, 400)
      assert.equal((json.error as { param: string }).param, param)
    }
    assert.equal((await add([user('fine'), { type: 'item_reference', id: 'msg_unknown' }])).status, 404)
    assert.equal((await add(undefined)).status, 400)
    assert.deepEqual(await listed(id), [])
  })

  test('an id names one item of a conversation', async () => {
    const { id } = await client.conversations.create({ items: [named('msg_mine', 'one')] })
    const again = { items: [named('msg_mine', 'two')] }
    await assert.rejects(client.conversations.items.create(id, again), /Duplicate item found with id msg_mine/)
    const input = [named('msg_mine', 'two')]
    await assert.rejects(client.responses.create({ model, conversation: id, input }), /Duplicate item found/)
    assert.deepEqual(await texts(id), ['one'])
  })

  test('inline images of a conversation are shown only when they are asked for (req 61)', async () => {
    const image_url = 'data:image/png;base64,iVBORw0KGgo='
    const item = {
      role: 'user' as const,
      content: [{ type: 'input_image' as const, image_url, detail: 'auto' as const }],
    }
    const { id } = await client.conversations.create({ items: [item] })
    const path = `/v1/conversations/${id}/items`
    assert.ok(!(await send(server, 'GET', path)).text.includes(image_url))
    assert.ok((await send(server, 'GET', `${path}?include[]=message.input_image.image_url`)).text.includes(image_url))
  })

  test('a conversation that is unknown is 404 everywhere (req 57, 58)', async () => {
    const { conversations } = client
    for (const ask of [
      () => conversations.retrieve(UNKNOWN),
      () => conversations.update(UNKNOWN, { metadata: {} }),
      () => conversations.delete(UNKNOWN),
      () => conversations.items.list(UNKNOWN),
      () => conversations.items.create(UNKNOWN, { items: [user('x')] }),
      () => conversations.items.retrieve('msg_1', { conversation_id: UNKNOWN }),
      () => conversations.items.delete('msg_1', { conversation_id: UNKNOWN }),
      () => client.responses.create({ model, input: 'x', conversation: UNKNOWN }),
      () => client.responses.create({ model, input: 'x', conversation: { id: UNKNOWN }, stream: true }),
      () => client.responses.inputTokens.count({ model, input: 'x', conversation: UNKNOWN }),
    ]) {
      await assert.rejects(async () => ask(), NotFoundError)
    }
  })
})

describe('responses in a conversation', () => {
  test('what was said before is remembered, and every turn is kept once (req 54, 55)', async () => {
    const { id } = await client.conversations.create()
    const first = await client.responses.create({ model, conversation: id, input: 'My name is Ada.' })
    assert.deepEqual(first.conversation, { id })
    assert.equal(first.previous_response_id, null)
    const second = await client.responses.create({ model, conversation: { id }, input: 'What is my name?' })
    assert.match(second.output_text, /Ada/)
    assert.deepEqual(second.conversation, { id })
    assert.deepEqual((await client.responses.retrieve(second.id)).conversation, { id })
    const said = ['My name is Ada.', first.output_text, 'What is my name?', second.output_text]
    assert.deepEqual(await texts(id), said)
    const items = await listed(id)
    assert.deepEqual(items.slice(1, 2), first.output)
    assert.equal(new Set(items.map((item) => item.id)).size, 4)
  })

  test('a streamed turn is in the conversation before its end is told (req 55)', async () => {
    const { id } = await client.conversations.create({ items: [user('My name is Ada.')] })
    const stream = await client.responses.create({ model, conversation: id, input: 'What is my name?', stream: true })
    let isOver = false
    for await (const event of stream) {
      if (event.type === 'response.created') assert.deepEqual(event.response.conversation, { id })
      if (event.type !== 'response.completed') continue
      isOver = true
      assert.deepEqual((await texts(id)).slice(1), ['What is my name?', event.response.output_text])
    }
    assert.ok(isOver)
  })

  test('a turn that is not stored enters the conversation all the same (req 55)', async () => {
    const { id } = await client.conversations.create()
    const response = await client.responses.create({ model, conversation: id, input: 'My name is Ada.', store: false })
    await assert.rejects(client.responses.retrieve(response.id), NotFoundError)
    const next = await client.responses.create({ model, conversation: id, input: 'What is my name?', store: false })
    assert.match(next.output_text, /Ada/)
    assert.equal((await listed(id)).length, 4)
  })

  test('a call and its output go through a conversation, without the call being sent again', async () => {
    const { id } = await client.conversations.create()
    const weather = { type: 'function' as const, name: 'get_weather', strict: false, parameters: { type: 'object' } }
    const ask = { model, conversation: id, tools: [weather] }
    const first = await client.responses.create({ ...ask, input: 'call get_weather with {"city":"Paris"}' })
    const call = first.output.find((item) => item.type === 'function_call')
    assert.ok(call)
    await assert.rejects(client.responses.create({ ...ask, input: 'And?' }), /No tool output found/)
    const output = { type: 'function_call_output' as const, call_id: call.call_id, output: '17 degrees' }
    const second = await client.responses.create({ ...ask, input: [output] })
    assert.match(second.output_text, /17 degrees/)
  })

  test('a conversation alone is input enough, and its tokens are counted (req 13, 40)', async () => {
    const { id } = await client.conversations.create({ items: [user('My name is Ada. What is my name?')] })
    const response = await client.responses.create({ model, conversation: id })
    assert.match(response.output_text, /Ada/)
    const without = await client.responses.inputTokens.count({ model, input: 'x' })
    const counted = await client.responses.inputTokens.count({ model, input: 'x', conversation: id })
    assert.ok(counted.input_tokens > without.input_tokens)
  })

  test('a failed run and a cancelled run leave no trace, and the next one goes on (req 55)', async () => {
    const { id } = await client.conversations.create()
    const failing = { model, conversation: id, input: '[fail-after:3]' }
    const failed = await send(server, 'POST', '/v1/responses', failing)
    assert.ok(failed.status >= 500)
    const streamed = await send(server, 'POST', '/v1/responses', { ...failing, stream: true })
    assert.equal(eventsOf(streamed.text).at(-1)?.type, 'response.failed')
    const stream = await client.responses.create({ ...failing, input: '[slow:20] [long:500]', stream: true })
    for await (const event of stream) if (event.type === 'response.output_text.delta') break
    for (;;) {
      const next = await client.responses.create({ model, conversation: id, input: 'Hello.' }).catch((error) => {
        assert.ok(codeOf('conversation_locked')(error), 'the cancelled run may take a moment to end')
        return null
      })
      if (next) break
    }
    assert.deepEqual((await texts(id)).slice(0, 1), ['Hello.'])
    assert.equal((await listed(id)).length, 2)
  })

  test('an incomplete answer enters the conversation as it is (req 55)', async () => {
    const { id } = await client.conversations.create()
    const input = 'Say hello at length.'
    const response = await client.responses.create({ model, conversation: id, input, max_output_tokens: 1 })
    assert.equal(response.status, 'incomplete')
    const items = await listed(id)
    assert.deepEqual(items.slice(1), response.output)
  })

  test('a second run on a busy conversation is refused, as is every change of its items (req 56)', async () => {
    const { id } = await client.conversations.create({ items: [named('msg_of_mine', 'one')] })
    const stream = await client.responses.create({
      model,
      conversation: id,
      input: '[slow:20] [long:100]',
      stream: true,
    })
    const events = stream[Symbol.asyncIterator]()
    await events.next()
    const locked = {
      status: 400,
      code: 'conversation_locked',
      param: 'conversation',
      type: 'invalid_request_error',
      message: /^400 Another process is currently operating on this conversation. Please retry in a few seconds.$/,
    }
    await assert.rejects(client.responses.create({ model, conversation: id, input: 'x' }), locked)
    await assert.rejects(client.conversations.items.create(id, { items: [user('x')] }), locked)
    await assert.rejects(client.conversations.items.delete('msg_of_mine', { conversation_id: id }), locked)
    await assert.rejects(client.conversations.delete(id), locked)
    assert.deepEqual(await texts(id), ['one'])
    assert.deepEqual((await client.conversations.update(id, { metadata: { a: 'b' } })).metadata, { a: 'b' })
    while (!(await events.next()).done);
    await client.conversations.items.create(id, { items: [user('x')] })
    assert.equal((await texts(id)).at(-1), 'x')
  })

  test('a request that is refused leaves the conversation free (req 56)', async () => {
    const { id } = await client.conversations.create()
    await assert.rejects(client.responses.create({ model: 'nobody/knows', conversation: id, input: 'x' }))
    await assert.rejects(
      client.responses.create({ model, conversation: id, input: [{ type: 'item_reference', id: 'x' }] }),
    )
    assert.ok((await client.responses.create({ model, conversation: id, input: 'x' })).id)
  })

  test('conversation and previous_response_id do not mix (req 53)', async () => {
    const { id } = await client.conversations.create()
    const inside = await client.responses.create({ model, conversation: id, input: 'x' })
    const both = { model, input: 'x', conversation: id, previous_response_id: inside.id }
    await assert.rejects(client.responses.create(both), codeOf('mutually_exclusive_parameters'))
    const outside = client.responses.create({ model, input: 'x', previous_response_id: inside.id })
    await assert.rejects(outside, { param: 'previous_response_id', message: /belongs to conversation 'conv_/ })
  })

  test('references find items of conversations, also of a deleted one (req 59, 63)', async () => {
    const { id } = await client.conversations.create({ items: [named('msg_about_ada', 'My name is Ada.')] })
    const input = [{ type: 'item_reference' as const, id: 'msg_about_ada' }, user('What is my name?')]
    assert.match((await client.responses.create({ model, input })).output_text, /Ada/)
    await client.conversations.delete(id)
    assert.match((await client.responses.create({ model, input })).output_text, /Ada/)
    const copy = await client.conversations.create({ items: [{ type: 'item_reference', id: 'msg_about_ada' }] })
    assert.deepEqual(await texts(copy.id), ['My name is Ada.'])
  })

  test('a response keeps its items when its conversation is deleted (req 59)', async () => {
    const { id } = await client.conversations.create()
    const response = await client.responses.create({ model, conversation: id, input: 'Hello.' })
    await client.conversations.delete(id)
    assert.deepEqual((await client.responses.retrieve(response.id)).output, response.output)
    const input = await collect(client.responses.inputItems.list(response.id))
    assert.equal(input.length, 1)
  })
})
