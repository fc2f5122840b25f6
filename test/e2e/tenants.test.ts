/** Another project's id answers like an id that never existed, on every endpoint and in every field. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openStore } from '../../src/app/open-store.ts'
import { createKeyRing } from '../../src/auth/key-ring.ts'
import { loadPepper } from '../../src/auth/secret-files.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { NO_SANDBOX } from '../support/code-sandbox.ts'
import { type Reply, send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let stranger = ''
before(async () => {
  server = await startServer()
  const { store } = await openStore(server.storage)
  const ring = createKeyRing(store.keys, loadPepper(server.dataDir), systemClock)
  const created = await ring.create({
    name: 'stranger',
    projectId: 'proj_stranger',
    scopes: ['responses', 'files', 'read'],
    expiresAt: null,
  })
  stranger = created.key
  await store.close()
})
after(() => server.close())

const SECRET = 'heron-of-the-first-project'
const UNKNOWN_RESPONSE = `resp_${'0'.repeat(48)}`
const UNKNOWN_WEBHOOK = `whe_${'0'.repeat(48)}`
const UNKNOWN_PROMPT = `pmpt_${'0'.repeat(48)}`
const UNKNOWN_ITEM = `msg_${'0'.repeat(48)}`
const UNKNOWN_CONVERSATION = `conv_${'0'.repeat(48)}`
const UNKNOWN_FILE = `file-${'0'.repeat(48)}`
const UNKNOWN_UPLOAD = `upload_${'0'.repeat(48)}`
const UNKNOWN_STORE = `vs_${'0'.repeat(48)}`
const UNKNOWN_BATCH = `vsfb_${'0'.repeat(48)}`
const UNKNOWN_MEMBER = `msg_${'1'.repeat(48)}`

type VictimIds = {
  readonly response: string
  readonly item: string
  readonly conversation: string
  /** An item that only the conversation has. */
  readonly member: string
  readonly prompt: string
  readonly webhook: string
  readonly container: string
  readonly containerFile: string
  readonly file: string
  /** Pending, with one part. */
  readonly upload: string
  /** With the file in it, by a batch. */
  readonly vectorStore: string
  readonly batch: string
}

/** One slot a row: every place of the API that takes an id. */
const SLOTS: readonly {
  readonly name: string
  readonly ask: (ids: VictimIds) => Promise<Reply>
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
  { name: 'GET webhook', ask: (ids) => asStranger('GET', webhookPath(ids)) },
  { name: 'POST webhook', ask: (ids) => asStranger('POST', webhookPath(ids), { name: 'mine' }) },
  { name: 'DELETE webhook', ask: (ids) => asStranger('DELETE', webhookPath(ids)) },
  { name: 'rotate webhook', ask: (ids) => asStranger('POST', `${webhookPath(ids)}/rotate_secret`) },
  {
    name: 'test webhook',
    ask: (ids) => asStranger('POST', `${webhookPath(ids)}/test`, { event_type: 'response.completed' }),
  },
  { name: 'webhook deliveries', ask: (ids) => asStranger('GET', `${webhookPath(ids)}/deliveries`) },
  { name: 'webhook redelivery', ask: (ids) => asStranger('POST', `${webhookPath(ids)}/deliveries/evt_0/redeliver`) },
  { name: 'GET container', ask: (ids) => asStranger('GET', containerPath(ids)) },
  { name: 'container files', ask: (ids) => asStranger('GET', `${containerPath(ids)}/files`) },
  { name: 'GET container file', ask: (ids) => asStranger('GET', `${containerPath(ids)}/files/${ids.containerFile}`) },
  {
    name: 'DELETE container file',
    ask: (ids) => asStranger('DELETE', `${containerPath(ids)}/files/${ids.containerFile}`),
  },
  {
    name: 'content of a container file',
    ask: (ids) => asStranger('GET', `${containerPath(ids)}/files/${ids.containerFile}/content`),
  },
  {
    name: 'file into a container',
    ask: ({ file, ...ids }) => asStranger('POST', `${containerPath(ids)}/files`, { file_id: file }),
  },
  {
    name: 'container with a file',
    ask: ({ file }) => asStranger('POST', '/v1/containers', { name: 'x', file_ids: [file] }),
  },
  {
    name: 'container of a tool with a file',
    ask: ({ file }) =>
      create({ input: 'x', tools: [{ type: 'code_interpreter', container: { type: 'auto', file_ids: [file] } }] }),
  },
  {
    name: 'container of a shell with a file',
    ask: ({ file }) =>
      create({ input: 'x', tools: [{ type: 'shell', environment: { type: 'container_auto', file_ids: [file] } }] }),
  },
  {
    name: 'container of a shell',
    ask: ({ container }) => {
      const environment = { type: 'container_reference', container_id: container }
      return create({ input: 'x', tools: [{ type: 'shell', environment }] })
    },
  },
  { name: 'DELETE container', ask: (ids) => asStranger('DELETE', containerPath(ids)) },
  {
    name: 'container of a tool',
    ask: ({ container }) => create({ input: 'x', tools: [{ type: 'code_interpreter', container }] }),
  },
  { name: 'item_reference', ask: ({ item }) => create({ input: [{ type: 'item_reference', id: item }] }) },
  { name: 'bare id', ask: ({ item }) => create({ input: [{ id: item }] }) },
  { name: 'conversation', ask: ({ conversation }) => create({ input: 'x', conversation }) },
  { name: 'conversation as an object', ask: ({ conversation: id }) => create({ input: 'x', conversation: { id } }) },
  { name: 'streamed conversation', ask: ({ conversation }) => create({ input: 'x', conversation, stream: true }) },
  { name: 'unstored conversation', ask: ({ conversation }) => create({ input: 'x', conversation, store: false }) },
  { name: 'input_tokens of a conversation', ask: ({ conversation }) => count({ input: 'x', conversation }) },
  { name: 'reference to a member', ask: ({ member }) => create({ input: [{ type: 'item_reference', id: member }] }) },
  {
    name: 'new conversation of references',
    ask: ({ member }) => asStranger('POST', '/v1/conversations', { items: [{ type: 'item_reference', id: member }] }),
  },
  { name: 'GET conversation', ask: (ids) => asStranger('GET', conversationPath(ids)) },
  { name: 'update conversation', ask: (ids) => asStranger('POST', conversationPath(ids), { metadata: { a: 'b' } }) },
  { name: 'DELETE conversation', ask: (ids) => asStranger('DELETE', conversationPath(ids)) },
  { name: 'list members', ask: (ids) => asStranger('GET', `${conversationPath(ids)}/items`) },
  { name: 'list members after', ask: (ids) => asStranger('GET', `${conversationPath(ids)}/items?after=${ids.member}`) },
  {
    name: 'add members',
    ask: (ids) => asStranger('POST', `${conversationPath(ids)}/items`, { items: [{ role: 'user', content: 'x' }] }),
  },
  { name: 'GET member', ask: (ids) => asStranger('GET', `${conversationPath(ids)}/items/${ids.member}`) },
  { name: 'GET file', ask: ({ file }) => asStranger('GET', `/v1/files/${file}`) },
  { name: 'GET content of a file', ask: ({ file }) => asStranger('GET', `/v1/files/${file}/content`) },
  { name: 'DELETE file', ask: ({ file }) => asStranger('DELETE', `/v1/files/${file}`) },
  { name: 'list files after', ask: ({ file }) => asStranger('GET', `/v1/files?after=${file}`) },
  { name: 'add a part', ask: ({ upload }) => sendPart(upload, stranger) },
  {
    name: 'complete an upload',
    ask: ({ upload }) => asStranger('POST', `/v1/uploads/${upload}/complete`, { part_ids: ['part_1'] }),
  },
  { name: 'cancel an upload', ask: ({ upload }) => asStranger('POST', `/v1/uploads/${upload}/cancel`) },
  { name: 'GET vector store', ask: ({ vectorStore }) => asStranger('GET', `/v1/vector_stores/${vectorStore}`) },
  {
    name: 'update a vector store',
    ask: ({ vectorStore }) => asStranger('POST', `/v1/vector_stores/${vectorStore}`, { name: 'x' }),
  },
  { name: 'DELETE vector store', ask: ({ vectorStore }) => asStranger('DELETE', `/v1/vector_stores/${vectorStore}`) },
  {
    name: 'search a vector store',
    ask: ({ vectorStore }) => asStranger('POST', `/v1/vector_stores/${vectorStore}/search`, { query: SECRET }),
  },
  {
    name: 'list vector stores after',
    ask: ({ vectorStore }) => asStranger('GET', `/v1/vector_stores?after=${vectorStore}`),
  },
  {
    name: 'list files of a vector store',
    ask: ({ vectorStore }) => asStranger('GET', `/v1/vector_stores/${vectorStore}/files`),
  },
  {
    name: 'attach to a vector store',
    ask: ({ vectorStore, file }) => asStranger('POST', `/v1/vector_stores/${vectorStore}/files`, { file_id: file }),
  },
  {
    name: 'create a vector store of a file',
    ask: ({ file }) => asStranger('POST', `/v1/vector_stores`, { file_ids: [file] }),
  },
  {
    name: 'GET file of a vector store',
    ask: ({ vectorStore, file }) => asStranger('GET', `/v1/vector_stores/${vectorStore}/files/${file}`),
  },
  {
    name: 'content of a file of a vector store',
    ask: ({ vectorStore, file }) => asStranger('GET', `/v1/vector_stores/${vectorStore}/files/${file}/content`),
  },
  {
    name: 'attributes of a file of a vector store',
    ask: ({ vectorStore, file }) =>
      asStranger('POST', `/v1/vector_stores/${vectorStore}/files/${file}`, { attributes: {} }),
  },
  {
    name: 'detach from a vector store',
    ask: ({ vectorStore, file }) => asStranger('DELETE', `/v1/vector_stores/${vectorStore}/files/${file}`),
  },
  {
    name: 'create a batch of files',
    ask: ({ vectorStore, file }) =>
      asStranger('POST', `/v1/vector_stores/${vectorStore}/file_batches`, { file_ids: [file] }),
  },
  {
    name: 'GET batch of files',
    ask: ({ vectorStore, batch }) => asStranger('GET', `/v1/vector_stores/${vectorStore}/file_batches/${batch}`),
  },
  {
    name: 'cancel a batch of files',
    ask: ({ vectorStore, batch }) =>
      asStranger('POST', `/v1/vector_stores/${vectorStore}/file_batches/${batch}/cancel`),
  },
  {
    name: 'list files of a batch',
    ask: ({ vectorStore, batch }) => asStranger('GET', `/v1/vector_stores/${vectorStore}/file_batches/${batch}/files`),
  },
  {
    name: 'file_search',
    ask: ({ vectorStore }) =>
      create({ tools: [{ type: 'file_search', vector_store_ids: [vectorStore] }], input: SECRET }),
  },
  { name: 'DELETE member', ask: (ids) => asStranger('DELETE', `${conversationPath(ids)}/items/${ids.member}`) },
]

const webhookPath = ({ webhook }: VictimIds) => `/v1/webhook_endpoints/${webhook}`
const containerPath = ({ container }: Pick<VictimIds, 'container'>) => `/v1/containers/${container}`
const conversationPath = ({ conversation }: VictimIds) => `/v1/conversations/${conversation}`
const asStranger = (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) =>
  send(server, method, path, body, { key: stranger })
const create = (body: object) => asStranger('POST', '/v1/responses', { model: 'demo', ...body })
const compact = (body: object) => asStranger('POST', '/v1/responses/compact', { model: 'demo', ...body })
const count = (body: object) => asStranger('POST', '/v1/responses/input_tokens', { model: 'demo', ...body })

const asOwner = (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) => send(server, method, path, body)

async function sendForm(path: string, fields: Record<string, string | File>, key: string): Promise<Reply> {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  const headers = { authorization: `Bearer ${key}` }
  const reply = await fetch(server.url + path, { method: 'POST', headers, body: form })
  const text = await reply.text()
  return { status: reply.status, headers: {}, text, json: JSON.parse(text) }
}

const sendPart = (upload: string, key: string) =>
  sendForm(`/v1/uploads/${upload}/parts`, { data: new File([SECRET], 'part') }, key)

/** `withContainer`: a process of its own, for those who ask for it. */
async function victim(withContainer: boolean): Promise<VictimIds> {
  const input = `The code word is ${SECRET}.`
  const { json } = await asOwner('POST', '/v1/responses', { model: 'demo', input })
  const made = await asOwner('POST', '/v1/conversations', { metadata: { word: SECRET } })
  const path = `/v1/conversations/${made.json.id}/items`
  const added = await asOwner('POST', path, { items: [{ role: 'user', content: input }] })
  const prompt = await asOwner('POST', '/v1/prompts', { instructions: input })
  const webhook = await asOwner('POST', '/v1/webhook_endpoints', {
    name: SECRET,
    url: `https://example.com/${SECRET}`,
    event_types: ['response.completed'],
  })
  const place = withContainer && NO_SANDBOX === false ? await asOwner('POST', '/v1/containers', { name: SECRET }) : null
  const container = place ? String(place.json.id) : UNKNOWN.container
  const containerFile = place ? await fileIn(container) : UNKNOWN.containerFile
  const file = await sendForm(
    '/v1/files',
    { purpose: 'user_data', file: new File([SECRET], `${SECRET}.txt`) },
    server.apiKey,
  )
  const declared = { filename: `${SECRET}.txt`, purpose: 'assistants', bytes: SECRET.length, mime_type: 'text/plain' }
  const upload = await asOwner('POST', '/v1/uploads', declared)
  await sendPart(String(upload.json.id), server.apiKey)
  const vectorStore = await asOwner('POST', '/v1/vector_stores', { name: SECRET })
  const storeId = String(vectorStore.json.id)
  const storePath = `/v1/vector_stores/${storeId}`
  const batch = await asOwner('POST', `${storePath}/file_batches`, { file_ids: [file.json.id] })
  while ((await asOwner('GET', storePath)).json.status !== 'completed')
    await new Promise((resolve) => setTimeout(resolve, 20))
  const firstId = (list: unknown) => String((list as { id: string }[])[0]?.id)
  return {
    response: String(json.id),
    item: firstId(json.output),
    conversation: String(made.json.id),
    member: firstId(added.json.data),
    prompt: String(prompt.json.id),
    webhook: String(webhook.json.id),
    container,
    containerFile,
    file: String(file.json.id),
    upload: String(upload.json.id),
    vectorStore: storeId,
    batch: String(batch.json.id ?? `vsfb_${'1'.repeat(48)}`),
  }
}

const UNKNOWN: VictimIds = {
  response: UNKNOWN_RESPONSE,
  item: UNKNOWN_ITEM,
  conversation: UNKNOWN_CONVERSATION,
  member: UNKNOWN_MEMBER,
  prompt: UNKNOWN_PROMPT,
  webhook: UNKNOWN_WEBHOOK,
  container: `cntr_${'0'.repeat(48)}`,
  containerFile: `cfile_${'0'.repeat(48)}`,
  file: UNKNOWN_FILE,
  upload: UNKNOWN_UPLOAD,
  vectorStore: UNKNOWN_STORE,
  batch: UNKNOWN_BATCH,
}
async function fileIn(container: string): Promise<string> {
  const tools = [{ type: 'code_interpreter', container }]
  const input = `Run python: open("${SECRET}.txt", "w").write("${SECRET}")`
  await asOwner('POST', '/v1/responses', { model: 'demo', input, tools })
  const { json } = await asOwner('GET', `/v1/containers/${container}/files`)
  return String((json.data as { id: string }[])[0]?.id)
}

const masked = (text: string, ids: VictimIds) =>
  text
    .replaceAll(ids.response, UNKNOWN.response)
    .replaceAll(ids.item, UNKNOWN.item)
    .replaceAll(ids.conversation, UNKNOWN.conversation)
    .replaceAll(ids.member, UNKNOWN.member)
    .replaceAll(ids.prompt, UNKNOWN.prompt)
    .replaceAll(ids.webhook, UNKNOWN.webhook)
    .replaceAll(ids.container, UNKNOWN.container)
    .replaceAll(ids.containerFile, UNKNOWN.containerFile)
    .replaceAll(ids.file, UNKNOWN.file)
    .replaceAll(ids.upload, UNKNOWN.upload)
    .replaceAll(ids.vectorStore, UNKNOWN.vectorStore)
    .replaceAll(ids.batch, UNKNOWN.batch)

/** Everything the owner can see of what the stranger asked for. */
async function ownView(ids: VictimIds) {
  const paths = [
    `/v1/responses/${ids.response}`,
    conversationPath(ids),
    `${conversationPath(ids)}/items`,
    `/v1/prompts/${ids.prompt}`,
    webhookPath(ids),
    `${containerPath(ids)}/files`,
    `/v1/files/${ids.file}`,
    `/v1/files/${ids.file}/content`,
  ]
  return Promise.all(paths.map(async (path) => (await asOwner('GET', path)).text.replace(/req_\w+/g, 'req')))
}

for (const slot of SLOTS) {
  test(`a foreign id answers like an unknown one: ${slot.name} (req 75)`, async () => {
    for (const state of ['live', 'deleted'] as const) {
      const ids = await victim(slot.name.includes('container'))
      if (state === 'deleted') {
        await asOwner('DELETE', `/v1/responses/${ids.response}`)
        await asOwner('DELETE', conversationPath(ids))
        await asOwner('DELETE', `/v1/prompts/${ids.prompt}`)
        await asOwner('DELETE', webhookPath(ids))
        await asOwner('DELETE', containerPath(ids))
        await asOwner('DELETE', `/v1/files/${ids.file}`)
        await asOwner('DELETE', `/v1/vector_stores/${ids.vectorStore}`)
        await asOwner('POST', `/v1/uploads/${ids.upload}/cancel`)
      }
      const before = await ownView(ids)
      const foreign = await slot.ask(ids)
      const unknown = await slot.ask(UNKNOWN)
      assert.ok(foreign.status >= 400)
      assert.equal(foreign.status, unknown.status)
      assert.equal(masked(foreign.text, ids), unknown.text)
      assert.ok(!foreign.text.includes(SECRET))
      assert.deepEqual(await ownView(ids), before)
      // A project may have few of them.
      await asOwner('DELETE', webhookPath(ids))
      await asOwner('DELETE', containerPath(ids))
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

test('an idempotency key of another project is a key of its own (req 75, 191)', async () => {
  const body = { model: 'demo', input: `The code word is ${SECRET}.` }
  for (const input of [body.input, 'another body']) {
    const headers = { 'idempotency-key': `a key that both have for ${input}` }
    const own = await send(server, 'POST', '/v1/responses', body, { headers })
    const foreign = await send(server, 'POST', '/v1/responses', { ...body, input }, { headers, key: stranger })
    assert.equal(foreign.status, 200)
    assert.equal(foreign.headers['idempotency-replayed'], undefined)
    assert.notEqual(foreign.json.id, own.json.id)
    const again = await send(server, 'POST', '/v1/responses', body, { headers })
    assert.equal(again.json.id, own.json.id)
  }
})
