/** Another project's id answers like an id that never existed, on every endpoint and in every field. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createKeyRing } from '../../src/auth/key-ring.ts'
import { loadPepper } from '../../src/auth/secret-files.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { createSqliteStore } from '../../src/store/sql/sqlite/sqlite-store.ts'
import { type Reply, send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let stranger = ''
before(async () => {
  server = await startServer()
  const store = await createSqliteStore({ path: join(server.dataDir, 'antiphon.db'), clock: systemClock })
  const ring = createKeyRing(store.keys, loadPepper(server.dataDir), systemClock)
  const created = await ring.create({
    name: 'stranger',
    projectId: 'proj_stranger',
    scopes: ['responses', 'read'],
    expiresAt: null,
  })
  stranger = created.key
  await store.close()
})
after(() => server.close())

const SECRET = 'heron-of-the-first-project'
const UNKNOWN_RESPONSE = `resp_${'0'.repeat(48)}`
const UNKNOWN_PROMPT = `pmpt_${'0'.repeat(48)}`
const UNKNOWN_ITEM = `msg_${'0'.repeat(48)}`

type Ids = { readonly response: string; readonly item: string; readonly prompt: string }

/** One slot a row: every place of the API that takes an id. */
const SLOTS: readonly {
  readonly name: string
  readonly ask: (ids: Ids) => Promise<Reply>
}[] = [
  { name: 'GET', ask: ({ response }) => asStranger('GET', `/v1/responses/${response}`) },
  { name: 'DELETE', ask: ({ response }) => asStranger('DELETE', `/v1/responses/${response}`) },
  { name: 'cancel', ask: ({ response }) => asStranger('POST', `/v1/responses/${response}/cancel`) },
  { name: 'input_items', ask: ({ response }) => asStranger('GET', `/v1/responses/${response}/input_items`) },
  { name: 'replay', ask: ({ response }) => asStranger('GET', `/v1/responses/${response}?stream=true`) },
  { name: 'previous_response_id', ask: ({ response }) => create({ input: 'x', previous_response_id: response }) },
  {
    name: 'streamed chain',
    ask: ({ response }) => create({ input: 'x', previous_response_id: response, stream: true }),
  },
  { name: 'input_tokens', ask: ({ response }) => count({ input: 'x', previous_response_id: response }) },
  { name: 'compact', ask: ({ response }) => compact({ previous_response_id: response }) },
  { name: 'prompt', ask: ({ prompt }) => create({ input: 'x', prompt: { id: prompt } }) },
  { name: 'GET prompt', ask: ({ prompt }) => asStranger('GET', `/v1/prompts/${prompt}`) },
  { name: 'GET prompt version', ask: ({ prompt }) => asStranger('GET', `/v1/prompts/${prompt}/versions/1`) },
  { name: 'POST prompt', ask: ({ prompt }) => asStranger('POST', `/v1/prompts/${prompt}`, { instructions: 'x' }) },
  {
    name: 'POST prompt default',
    ask: ({ prompt }) => asStranger('POST', `/v1/prompts/${prompt}`, { default_version: '1' }),
  },
  { name: 'DELETE prompt', ask: ({ prompt }) => asStranger('DELETE', `/v1/prompts/${prompt}`) },
  { name: 'item_reference', ask: ({ item }) => create({ input: [{ type: 'item_reference', id: item }] }) },
  { name: 'bare id', ask: ({ item }) => create({ input: [{ id: item }] }) },
]

const asStranger = (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) =>
  send(server, method, path, body, { key: stranger })
const create = (body: object) => asStranger('POST', '/v1/responses', { model: 'demo', ...body })
const compact = (body: object) => asStranger('POST', '/v1/responses/compact', { model: 'demo', ...body })
const count = (body: object) => asStranger('POST', '/v1/responses/input_tokens', { model: 'demo', ...body })

async function victim(): Promise<Ids> {
  const { json } = await send(server, 'POST', '/v1/responses', { model: 'demo', input: `The code word is ${SECRET}.` })
  const made = await send(server, 'POST', '/v1/prompts', { instructions: `The code word is ${SECRET}.` })
  return {
    response: String(json.id),
    item: String((json.output as { id: string }[])[0]?.id),
    prompt: String(made.json.id),
  }
}

for (const slot of SLOTS) {
  test(`a foreign id answers like an unknown one: ${slot.name} (req 75)`, async () => {
    for (const state of ['live', 'deleted'] as const) {
      const ids = await victim()
      if (state === 'deleted') {
        await send(server, 'DELETE', `/v1/responses/${ids.response}`)
        await send(server, 'DELETE', `/v1/prompts/${ids.prompt}`)
      }
      const before = await send(server, 'GET', `/v1/responses/${ids.response}`)
      const foreign = await slot.ask(ids)
      const unknown = await slot.ask({ response: UNKNOWN_RESPONSE, item: UNKNOWN_ITEM, prompt: UNKNOWN_PROMPT })
      assert.ok(foreign.status >= 400)
      assert.equal(foreign.status, unknown.status)
      const masked = foreign.text
        .replaceAll(ids.response, UNKNOWN_RESPONSE)
        .replaceAll(ids.item, UNKNOWN_ITEM)
        .replaceAll(ids.prompt, UNKNOWN_PROMPT)
      assert.equal(masked, unknown.text)
      assert.ok(!foreign.text.includes(SECRET))
      const after = await send(server, 'GET', `/v1/responses/${ids.response}`)
      assert.deepEqual(after.json, before.json)
      const prompt = await send(server, 'GET', `/v1/prompts/${ids.prompt}`)
      assert.equal(prompt.status, state === 'live' ? 200 : 404)
      if (state === 'live') assert.equal(prompt.json.latest_version, '1')
    }
  })
}

test('a compaction of another project is refused like one that never was (req 73)', async () => {
  const compacted = await send(server, 'POST', '/v1/responses/compact', { model: 'demo', input: `It is ${SECRET}.` })
  const output = compacted.json.output as { encrypted_content?: string }[]
  const sealed = output.at(-1)?.encrypted_content ?? ''
  const refused = (encrypted_content: string) =>
    create({
      input: [
        { id: 'cmp_1', type: 'compaction', encrypted_content },
        { role: 'user', content: 'What is it?' },
      ],
    })
  const [foreign, invented] = [await refused(sealed), await refused('apn1.AAAA')]
  assert.equal(foreign.status, 400)
  assert.equal(foreign.text, invented.text)
  assert.equal((foreign.json.error as { code: string }).code, 'invalid_encrypted_content')
})
