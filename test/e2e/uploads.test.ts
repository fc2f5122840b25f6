/** Uploads in parts, through the official SDK and through plain requests. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import OpenAI, { toFile } from 'openai'
import { systemClock } from '../../src/lib/clock.ts'
import { startServer, type TestServer } from '../support/server.ts'

const MB = 1024 * 1024

/** `id` is the mark of the folder. */
async function storedFiles(server: TestServer): Promise<number> {
  const entries = await readdir(join(server.dataDir, 'files'), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile() && entry.name !== 'id').length
}

const clientOf = (server: TestServer) => new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })

describe('uploads', () => {
  let server: TestServer
  let client: OpenAI
  let passed = 0
  const clock = { ...systemClock, now: () => Date.now() + passed }
  before(async () => {
    server = await startServer({
      checked: true,
      clock,
      config: 'limits: { upload: 40MB, upload_part: 2MB, uploads_per_project: 3 }\n',
    })
    client = clientOf(server)
  })
  after(() => server.close())

  const create = (bytes: number) =>
    client.uploads.create({ filename: 'big.bin', purpose: 'assistants', bytes, mime_type: 'application/x-test' })
  const addPart = async (id: string, content: Buffer) =>
    client.uploads.parts.create(id, { data: await toFile(content, 'part') })

  test('parts sent at once become one file in the order they are named (req 175)', async () => {
    const parts = Array.from({ length: 6 }, (_, at) => Buffer.alloc(MB + at, `part ${at} `))
    const whole = Buffer.concat(parts)
    const upload = await create(whole.length)
    assert.match(upload.id, /^upload_/)
    assert.deepEqual([upload.status, upload.bytes, upload.filename], ['pending', whole.length, 'big.bin'])
    assert.equal(upload.expires_at, upload.created_at + 3_600)
    const added = await Promise.all(parts.map((part) => addPart(upload.id, part)))
    assert.deepEqual([added[0]?.object, added[0]?.upload_id], ['upload.part', upload.id])
    const md5 = createHash('md5').update(whole).digest('hex')
    const done = await client.uploads.complete(upload.id, { part_ids: added.map(({ id }) => id), md5 })
    assert.equal(done.status, 'completed')
    const { file } = done
    assert.ok(file)
    assert.deepEqual([file.bytes, file.filename, file.purpose], [whole.length, 'big.bin', 'assistants'])
    const content = await client.files.content(file.id)
    assert.deepEqual(Buffer.from(await content.arrayBuffer()), whole)
    await assert.rejects(client.uploads.complete(upload.id, { part_ids: [] }), { status: 400 })
    await assert.rejects(client.uploads.cancel(upload.id), { status: 400, code: 'invalid_upload_status' })
    await client.files.delete(file.id)
    assert.equal(await storedFiles(server), 0)
  })

  test('what does not add up is refused by its field, and can be mended (req 175)', async () => {
    const upload = await create(20)
    const first = await addPart(upload.id, Buffer.from('0123456789'))
    const second = await addPart(upload.id, Buffer.from('abcdefghij'))
    const complete = (part_ids: string[], md5?: string) =>
      client.uploads.complete(upload.id, { part_ids, ...(md5 !== undefined && { md5 }) })
    const ids = [second.id, first.id]
    await assert.rejects(complete([first.id]), { status: 400, param: 'part_ids', message: /10 bytes/ })
    await assert.rejects(complete([first.id, 'part_none']), { status: 400, param: 'part_ids[1]' })
    await assert.rejects(complete([first.id, first.id]), { status: 400, param: 'part_ids[1]' })
    await assert.rejects(complete(ids, 'not hex'), { status: 400, param: 'md5' })
    await assert.rejects(complete(ids, '0'.repeat(32)), { status: 400, param: 'md5', message: /another checksum/ })
    await assert.rejects(addPart(upload.id, Buffer.from('!')), { status: 400, param: 'data' })
    const { file } = await complete(ids, createHash('md5').update('abcdefghij0123456789').digest('hex').toUpperCase())
    assert.equal(await (await client.files.content(file?.id ?? '')).text(), 'abcdefghij0123456789')
    await client.files.delete(file?.id ?? '')
  })

  test('bounds are told: of an upload, of a part, of how many are pending', async () => {
    await assert.rejects(create(41 * MB), { status: 400, param: 'bytes' })
    await assert.rejects(create(0), { status: 400, param: 'bytes' })
    const upload = await create(40 * MB)
    await assert.rejects(addPart(upload.id, Buffer.alloc(3 * MB)), { status: 413, param: 'data' })
    const more = [await create(1), await create(1)]
    await assert.rejects(create(1), { status: 429 })
    for (const { id } of [upload, ...more]) await client.uploads.cancel(id)
    assert.equal(await storedFiles(server), 0)
  })

  test('a cancelled upload takes its parts with it and stays cancelled (req 175)', async () => {
    const upload = await create(1)
    await addPart(upload.id, Buffer.from('x'))
    assert.equal((await client.uploads.cancel(upload.id)).status, 'cancelled')
    await assert.rejects(client.uploads.cancel(upload.id), { status: 400, message: /is cancelled/ })
    await assert.rejects(addPart(upload.id, Buffer.from('x')), { status: 400, message: /is cancelled/ })
    assert.equal(await storedFiles(server), 0)
    await assert.rejects(client.uploads.cancel('upload_none'), { status: 404 })
    await assert.rejects(addPart('upload_none', Buffer.from('x')), { status: 404 })
  })

  test('the file of an upload expires as its request said, counted from its completion', async () => {
    const upload = await client.uploads.create({
      ...{ filename: 'a.txt', purpose: 'assistants', bytes: 1, mime_type: 'text/plain' },
      expires_after: { anchor: 'created_at', seconds: 3_600 },
    })
    const part = await addPart(upload.id, Buffer.from('x'))
    const { file } = await client.uploads.complete(upload.id, { part_ids: [part.id] })
    assert.equal(file?.expires_at, (file?.created_at ?? 0) + 3_600)
    await client.files.delete(file?.id ?? '')
  })

  test('an upload that is not completed within its hour is expired (req 175)', async () => {
    const upload = await create(1)
    const part = await addPart(upload.id, Buffer.from('x'))
    passed = 3_600_000
    const expired = { status: 400, code: 'invalid_upload_status', message: /is expired/ }
    await assert.rejects(client.uploads.complete(upload.id, { part_ids: [part.id] }), expired)
    await assert.rejects(addPart(upload.id, Buffer.from('x')), expired)
    await assert.rejects(client.uploads.cancel(upload.id), expired)
  })
})
