/** `antiphon backup`, `restore` and `migrate --to`: what was there is there again, and nothing is written over. */
import assert from 'node:assert/strict'
import {
  copyFileSync,
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
  await assert.rejects(
    openBackup(server).moveTo(schema.url, () => {}),
    /is in use by process/,
  )
  await server.close()
  const before = readFileSync(join(dataDir, 'antiphon.db'))
  const shown = new Map<string, number>()
  const moved = await openBackup(server).moveTo(schema.url, ({ phase, table, done }) =>
    shown.set(`${phase} ${table}`, done),
  )
  for (const { table, rows } of moved) {
    assert.equal(Number((await schema.query(`select count(*) as n from ${table}`))[0]?.n), rows, table)
    if (rows > 0) assert.deepEqual([shown.get(`copy ${table}`), shown.get(`check ${table}`)], [rows, rows])
  }
  assert.ok(moved.find(({ table }) => table === 'responses')?.rows === 3)
  assert.deepEqual(readFileSync(join(dataDir, 'antiphon.db')), before)
  const there = await startServer({ databaseUrl: schema.url, env: { ANTIPHON_DATA_DIR: dataDir } })
  await checkFilled(there, filled)
  await there.close()
  await assert.rejects(
    openBackup(server).moveTo(schema.url, () => {}),
    /is not empty: the table projects has 1 rows/,
  )
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
    openBackup(server).moveTo(schema.url, () => {}),
    /What arrived in conversation_items is not what was sent; nothing was kept/,
  )
  assert.equal(Number((await schema.query('select count(*) as n from responses'))[0]?.n), 0)
  await schema.query('drop trigger change on conversation_items')
  assert.ok((await openBackup(server).moveTo(schema.url, () => {})).length > 0)
  await schema.drop()
})
