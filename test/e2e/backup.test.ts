/** `antiphon backup`, `restore` and `migrate --to`: what was there is there again, and nothing is written over. */
import assert from 'node:assert/strict'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import OpenAI, { toFile } from 'openai'
import { openBackup } from '../../src/app/open-backup.ts'
import { openStore } from '../../src/app/open-store.ts'
import { createKeyRing } from '../../src/auth/key-ring.ts'
import { loadPepper, pepperFileOf } from '../../src/auth/secret-files.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { send } from '../support/http.ts'
import { NO_POSTGRES, openSchema } from '../support/postgres.ts'
import { startServer, type TestServer } from '../support/server.ts'

const folder = mkdtempSync(join(tmpdir(), 'antiphon-backup-'))
after(() => rmSync(folder, { recursive: true, force: true }))

let made = 0
const newPlace = () => join(folder, `place-${++made}`)
const storageAt = (dataDir: string) => ({ storage: { dataDir, databasePath: join(dataDir, 'antiphon.db') } })

const QUIET = { onProgress() {} }

const create = (at: TestServer, body: object, key = at.apiKey) =>
  send(at, 'POST', '/v1/responses', { model: 'demo', ...body }, { key })

async function makeKey(server: TestServer): Promise<string> {
  const { store } = await openStore(server.storage)
  const ring = createKeyRing(store.keys, loadPepper(server.dataDir), systemClock)
  const { key } = await ring.create({ name: 'kept', scopes: ['responses', 'read'], expiresAt: null })
  await store.close()
  return key
}

/** A data directory with a chain, sealed reasoning and a key in it; the server that made it goes on. */
async function fill(server: TestServer) {
  const key = await makeKey(server)
  const include = ['reasoning.encrypted_content']
  const first = await create(server, { input: '[think] My name is Ada.', include }, key)
  const second = await create(server, { input: 'Who am I?', previous_response_id: first.json.id }, key)
  assert.equal(second.status, 200)
  const conversation = await send(server, 'POST', '/v1/conversations', { metadata: { topic: 'ünï 🙂' } }, { key })
  await create(server, { input: 'Hello', conversation: conversation.json.id }, key)
  return { key, first, second, conversation }
}

/** What was there is there again, and goes on. */
async function checkFilled(server: TestServer, { key, first, second, conversation }: Awaited<ReturnType<typeof fill>>) {
  for (const { json } of [first, second]) {
    assert.deepEqual((await send(server, 'GET', `/v1/responses/${json.id}`, undefined, { key })).json, json)
  }
  const path = `/v1/conversations/${conversation.json.id}`
  assert.deepEqual((await send(server, 'GET', path, undefined, { key })).json, conversation.json)
  const items = await send(server, 'GET', `${path}/items`, undefined, { key })
  assert.equal((items.json.data as unknown[]).length, 2)
  const third = await create(server, { input: 'What is my name?', previous_response_id: second.json.id }, key)
  assert.match(String(third.json.output_text), /Ada/)
  const more = await create(server, { input: 'Hi', conversation: conversation.json.id }, key)
  assert.equal(more.status, 200)
}

test('a backup of a server that answers meanwhile is whole, and makes a server of its own', async () => {
  const server = await startServer()
  const filled = await fill(server)
  const file = newPlace()
  let isLoading = true
  const load = (async () => {
    while (isLoading) assert.equal((await create(server, { input: 'load' })).status, 200)
  })()
  const facts = openBackup(server).backUp(file, { withSecrets: true })
  assert.ok(facts.bytes > 0)
  isLoading = false
  await load
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.throws(() => openBackup(server).backUp(file, { withSecrets: true }), /is there already/)
  await create(server, { input: 'after the backup' })
  await server.close()

  const dataDir = newPlace()
  const { secrets } = openBackup(storageAt(dataDir)).restore(file)
  assert.deepEqual([...secrets].sort(), ['pepper', 'sealing-keys'])
  for (const name of ['antiphon.db', 'pepper', 'sealing-keys']) {
    assert.equal(statSync(join(dataDir, name)).mode & 0o777, 0o600, name)
  }
  const again = await startServer({ env: { ANTIPHON_DATA_DIR: dataDir } })
  await checkFilled(again, filled)
  assert.throws(() => openBackup(storageAt(dataDir)).restore(file), /is in use by process/)
  await again.close()
  assert.throws(() => openBackup(storageAt(dataDir)).restore(file), /is not empty/)
})

const TEA = 'Assam tea is grown in the valley of the Brahmaputra.\n'
const clientOf = ({ baseUrl: baseURL, apiKey }: TestServer) => new OpenAI({ baseURL, apiKey, maxRetries: 0 })

/** A store in which a file can be found. */
async function fillStore(server: TestServer) {
  const client = clientOf(server)
  const { id } = await client.vectorStores.create({ name: 'drinks' })
  const tea = await toFile(Buffer.from(TEA), 'tea.txt')
  const file = await client.vectorStores.files.uploadAndPoll(id, tea, { pollIntervalMs: 50 })
  assert.equal(file.status, 'completed')
  return { storeId: id, fileId: file.id }
}

/** Asks until what was attached is over. */
async function settled(server: TestServer, { storeId, fileId }: Awaited<ReturnType<typeof fillStore>>) {
  const client = clientOf(server)
  const found = async () => {
    try {
      return (await client.vectorStores.search(storeId, { query: 'Assam tea' })).data.length
    } catch (error) {
      if (error instanceof OpenAI.APIError && error.code === 'vector_store_rebuilding') return 0
      throw error
    }
  }
  for (;;) {
    const hits = await found()
    const { status, last_error: error } = await client.vectorStores.files.retrieve(fileId, { vector_store_id: storeId })
    if (status === 'failed' || (status === 'completed' && hits > 0)) return { status, error, hits }
    await delay(50)
  }
}

test('a restored server, and one that has lost an index, fills its vector stores again', {
  timeout: 60_000,
}, async () => {
  const server = await startServer()
  const filled = await fillStore(server)
  const file = newPlace()
  openBackup(server).backUp(file, { withSecrets: true })
  const [withBytes, without] = [newPlace(), newPlace()]
  for (const dataDir of [withBytes, without]) openBackup(storageAt(dataDir)).restore(file)
  cpSync(join(server.dataDir, 'files'), join(withBytes, 'files'), { recursive: true })
  await server.close()

  for (const lost of ['all of it', 'one file']) {
    const again = await startServer({ env: { ANTIPHON_DATA_DIR: withBytes } })
    assert.deepEqual(await settled(again, filled), { status: 'completed', error: null, hits: 1 }, lost)
    await again.close()
    rmSync(join(withBytes, 'search-index', `${filled.storeId}.db`))
  }
  const empty = await startServer({ env: { ANTIPHON_DATA_DIR: without } })
  const { status, error, hits } = await settled(empty, filled)
  assert.deepEqual([status, error?.code, hits], ['failed', 'server_error', 0])
  assert.match(error?.message ?? '', /content of the file is missing on this server/)
  await empty.close()
})

test('runs that were not over in a backup are ended after a restore, and not run a second time', async () => {
  const server = await startServer({ config: 'limits: { background_running: 1 }\n' })
  const client = clientOf(server)
  const begin = (input: string) => client.responses.create({ model: 'demo', background: true, stream: true, input })
  const ids: string[] = []
  for (const input of ['[delay:50000] First', 'Second']) {
    for await (const event of await begin(input)) {
      if (event.type !== 'response.created') continue
      ids.push(event.response.id)
      break
    }
  }
  const [first = '', second = ''] = ids
  while ((await client.responses.retrieve(first)).status === 'queued') await delay(20)
  assert.equal((await client.responses.retrieve(second)).status, 'queued')
  const file = newPlace()
  openBackup(server).backUp(file, { withSecrets: true })
  for (const id of ids) await client.responses.cancel(id)
  await server.close()

  const dataDir = newPlace()
  openBackup(storageAt(dataDir)).restore(file)
  const again = await startServer({ env: { ANTIPHON_DATA_DIR: dataDir } })
  for (const id of ids) {
    const stream = await clientOf(again).responses.retrieve(id, { stream: true })
    const types: string[] = []
    for await (const event of stream) types.push(event.type)
    assert.equal(types.at(-1), 'response.failed')
    const { status, error } = await clientOf(again).responses.retrieve(id)
    assert.equal(status, 'failed')
    assert.match(error?.message ?? '', /not over when the backup was made.*Send the request again/)
  }
  await again.close()
})

test('a restore writes over nothing, and takes nothing but a whole backup', async () => {
  const server = await startServer()
  await fill(server)
  const file = newPlace()
  openBackup(server).backUp(file, { withSecrets: false })
  await server.close()

  const withPepper = newPlace()
  mkdirSync(withPepper)
  writeFileSync(pepperFileOf(withPepper), 'of somebody else')
  assert.throws(() => openBackup(storageAt(withPepper)).restore(file), /is not empty/)
  assert.equal(readFileSync(pepperFileOf(withPepper), 'utf8'), 'of somebody else')

  const bare = newPlace()
  assert.deepEqual(openBackup(storageAt(bare)).restore(file).secrets, [])
  const notOurs = join(bare, 'antiphon.db')
  const damaged = newPlace()
  copyFileSync(file, damaged)
  const bytes = readFileSync(damaged)
  bytes.fill(0xff, bytes.length / 2, bytes.length / 2 + 3 * 4096)
  writeFileSync(damaged, bytes)
  for (const [wrong, message] of [
    [notOurs, /was not made by antiphon backup/],
    [damaged, /damaged|malformed/],
    [newPlace(), /There is no file/],
  ] as const) {
    const target = newPlace()
    assert.throws(() => openBackup(storageAt(target)).restore(wrong), message)
    assert.equal(existsSync(join(target, 'antiphon.db')), false)
    assert.equal(existsSync(join(target, 'antiphon.db.part')), false)
  }
})

test('a move to PostgreSQL brings everything, once, and leaves SQLite as it is', { skip: NO_POSTGRES }, async () => {
  const dataDir = newPlace()
  const server = await startServer({ env: { ANTIPHON_DATA_DIR: dataDir } })
  const filled = await fill(server)
  const schema = await openSchema()
  await assert.rejects(openBackup(server).moveTo(schema.url, QUIET), /is in use by process/)
  await server.close()
  const before = readFileSync(join(dataDir, 'antiphon.db'))
  const shown = new Map<string, number>()
  const moved = await openBackup(server).moveTo(schema.url, {
    onProgress: ({ phase, table, done }) => shown.set(`${phase} ${table}`, done),
  })
  for (const { table, rows } of moved) {
    assert.equal(Number((await schema.query(`select count(*) as n from ${table}`))[0]?.n), rows, table)
    if (rows > 0) assert.deepEqual([shown.get(`copy ${table}`), shown.get(`check ${table}`)], [rows, rows])
  }
  assert.ok(moved.find(({ table }) => table === 'responses')?.rows === 3)
  assert.deepEqual(readFileSync(join(dataDir, 'antiphon.db')), before)
  const there = await startServer({ databaseUrl: schema.url, env: { ANTIPHON_DATA_DIR: dataDir } })
  await checkFilled(there, filled)
  await there.close()
  await assert.rejects(openBackup(server).moveTo(schema.url, QUIET), /is not empty: the table projects has 1 rows/)
  await schema.drop()
})

/** What a stream has told, without what differs from connection to connection. */
async function textOf(stream: AsyncIterable<OpenAI.Responses.ResponseStreamEvent>) {
  const numbers: number[] = []
  let [id, text] = ['', '']
  for await (const event of stream) {
    numbers.push(event.sequence_number)
    if (event.type === 'response.created') id = event.response.id
    if (event.type === 'response.output_text.delta') text += event.delta
  }
  return { id, text, numbers }
}

test('a move takes vector stores along, and their files are read again', { skip: NO_POSTGRES }, async () => {
  const dataDir = newPlace()
  const server = await startServer({ env: { ANTIPHON_DATA_DIR: dataDir } })
  const { storeId, fileId } = await fillStore(server)
  const client = clientOf(server)
  const running = await client.responses.create({ model: 'demo', input: '[delay:2000] Hi', background: true })
  while ((await client.responses.retrieve(running.id)).status === 'queued') await delay(20)
  const over = await client.responses.create({ model: 'demo', input: 'Hello', background: true, stream: true })
  const told = await textOf(over)
  await server.close()
  const schema = await openSchema()
  await openBackup(server).moveTo(schema.url, QUIET)
  const there = await startServer({ databaseUrl: schema.url, env: { ANTIPHON_DATA_DIR: dataDir } })
  const moved = clientOf(there)
  assert.equal(await (await moved.files.content(fileId)).text(), TEA)
  assert.deepEqual(await settled(there, { storeId, fileId }), { status: 'completed', error: null, hits: 1 })
  assert.deepEqual(await textOf(await moved.responses.retrieve(told.id, { stream: true })), told)
  let status: string | undefined = 'queued'
  while (status === 'queued' || status === 'in_progress') {
    await delay(50)
    status = (await moved.responses.retrieve(running.id)).status
  }
  assert.equal(status, 'completed')
  await there.close()
  await schema.drop()
})

test('a move that fails leaves nothing behind, and can be made again', { skip: NO_POSTGRES }, async () => {
  const dataDir = newPlace()
  const server = await startServer({ env: { ANTIPHON_DATA_DIR: dataDir } })
  await fill(server)
  await server.close()
  const schema = await openSchema()
  // Makes the tables.
  const limits = { maxConnections: 1, connectTimeoutMs: 5_000, queryTimeoutMs: 5_000 }
  const { store } = await openStore({ ...server.storage, postgres: { url: schema.url, ...limits } })
  await store.close()
  await schema.query(`create function change() returns trigger language plpgsql as
    $$ begin new.body := new.body || ' '; return new; end $$`)
  await schema.query('create trigger change before insert on conversation_items for each row execute function change()')
  await assert.rejects(
    openBackup(server).moveTo(schema.url, QUIET),
    /What arrived in conversation_items is not what was sent; nothing was kept/,
  )
  assert.equal(Number((await schema.query('select count(*) as n from responses'))[0]?.n), 0)
  await schema.query('drop trigger change on conversation_items')
  assert.ok((await openBackup(server).moveTo(schema.url, QUIET)).length > 0)
  await schema.drop()
})
