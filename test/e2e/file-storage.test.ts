/** The whole server on an object storage, and on storages that fail. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import OpenAI, { toFile } from 'openai'
import { type FakeS3, S3_BUCKET, S3_KEYS, S3_REGION, startFakeS3 } from '../fakes/s3-server.ts'
import { send } from '../support/http.ts'
import { startServer } from '../support/server.ts'

const MB = 1024 * 1024

async function startOnS3(t: TestContext, env: Record<string, string> = {}) {
  const s3 = await startFakeS3()
  const faults: unknown[] = []
  const server = await startServer({
    config: `storage: { files: "s3://${S3_BUCKET}/of/antiphon" }\n`,
    env: {
      AWS_ENDPOINT_URL_S3: s3.url,
      AWS_REGION: S3_REGION,
      AWS_ACCESS_KEY_ID: S3_KEYS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: S3_KEYS.secretAccessKey,
      ...env,
    },
    onFault: (fault) => faults.push(fault),
  })
  t.after(async () => {
    await server.close()
    await s3.close()
  })
  const client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
  const upload = async (content: Buffer) =>
    client.files.create({ file: await toFile(content, '../../a b.bin'), purpose: 'user_data' })
  return { s3, server, client, upload, faults }
}

const isEmpty = (s3: FakeS3) => s3.objects.size === 0 && s3.uploads.size === 0

test('files and uploads in parts live in a bucket as they do in a folder (req 171, 173, 175)', async (t) => {
  const { s3, client, upload, faults } = await startOnS3(t)
  const content = Buffer.alloc(20 * MB, 'abc')
  const file = await upload(content)
  assert.deepEqual(
    [...s3.objects.keys()].map((key) => /^of\/antiphon\/blob_[0-9a-f]{48}$/.test(key)),
    [true],
  )
  assert.deepEqual(Buffer.from(await (await client.files.content(file.id)).arrayBuffer()), content)
  const parts = [Buffer.alloc(9 * MB, 'x'), Buffer.from('y')]
  const pending = await client.uploads.create({
    ...{ filename: 'big', purpose: 'assistants', bytes: 9 * MB + 1, mime_type: 'text/plain' },
  })
  const added = []
  for (const part of parts) added.push(await client.uploads.parts.create(pending.id, { data: await toFile(part, 'p') }))
  const done = await client.uploads.complete(pending.id, { part_ids: added.map(({ id }) => id) })
  const back = await client.files.content(done.file?.id ?? '')
  assert.deepEqual(Buffer.from(await back.arrayBuffer()), Buffer.concat(parts))
  for (const { id } of (await client.files.list()).data) await client.files.delete(id)
  assert.ok(isEmpty(s3))
  assert.deepEqual(faults, [])
})

test('a storage that refuses is a 503 for the client and a reason for the operator, and nothing is kept', async (t) => {
  const { s3, server, client, upload, faults } = await startOnS3(t, { AWS_SECRET_ACCESS_KEY: 'a-wrong-secret' })
  await assert.rejects(upload(Buffer.from('x')), { status: 503, code: 'storage_unavailable' })
  assert.match(String(faults[0]), /403 SignatureDoesNotMatch/)
  assert.ok(!faults.some((fault) => String(fault).includes('a-wrong-secret')))
  assert.deepEqual((await client.files.list()).data, [])
  assert.ok(isEmpty(s3))
  assert.equal((await send(server, 'GET', '/ready')).status, 200, 'responses go on without the storage of files')
})

test('a full storage is told as such', async (t) => {
  const { s3, upload } = await startOnS3(t)
  s3.fault = (operation) => (operation.startsWith('PUT') ? { type: 'refuse', status: 507, code: 'Full' } : null)
  await assert.rejects(upload(Buffer.from('x')), { status: 503, code: 'storage_full' })
  await assert.rejects(upload(Buffer.alloc(9 * MB)), { status: 503, code: 'storage_full' })
  assert.ok(isEmpty(s3))
})

test('a download whose storage breaks off is cut, never whole and wrong', async (t) => {
  const { s3, client, upload } = await startOnS3(t)
  const file = await upload(Buffer.alloc(5 * MB))
  s3.fault = (operation) => (operation === 'GET object' ? { type: 'cut-body' } : null)
  await assert.rejects(async () => (await client.files.content(file.id)).arrayBuffer())
  s3.fault = (operation) => (operation === 'GET object' ? { type: 'drop' } : null)
  await assert.rejects(client.files.content(file.id), { status: 503, code: 'storage_unavailable' })
})

test('a file is deleted although its storage cannot be reached, and its bytes go once it can', async (t) => {
  const { s3, client, upload } = await startOnS3(t)
  const file = await upload(Buffer.from('x'))
  s3.fault = () => ({ type: 'drop' })
  await client.files.delete(file.id)
  await assert.rejects(client.files.retrieve(file.id), { status: 404 })
  assert.equal(s3.objects.size, 1)
  s3.fault = () => null
  const other = await upload(Buffer.from('y'))
  await client.files.delete(other.id)
  assert.ok(isEmpty(s3), 'the next delete takes with it what the last one had to leave')
})
