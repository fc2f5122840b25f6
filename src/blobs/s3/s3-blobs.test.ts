import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type FakeS3, S3_BUCKET, S3_KEYS, S3_REGION, type S3Fault, startFakeS3 } from '../../../test/fakes/s3-server.ts'
import { systemClock } from '../../lib/clock.ts'
import { blobContract } from '../blob-store.contract.ts'
import { BlobMissing, BlobsFull, BlobsUnavailable } from '../blob-store.ts'
import { openS3Blobs } from './s3-blobs.ts'
import { type S3Options, urlOf } from './s3-client.ts'
import { readTag } from './s3-xml.ts'

const MB = 1024 * 1024
const KEY = 'blob_0123456789abcdef'
const never = new AbortController().signal

const optionsOf = ({ url }: Pick<FakeS3, 'url'>, change: Partial<S3Options> = {}): S3Options => ({
  endpoint: url,
  region: S3_REGION,
  bucket: S3_BUCKET,
  prefix: 'anti phon/ü/',
  pathStyle: true,
  credentials: S3_KEYS,
  ...change,
})

/** Time that passes at once: pauses between attempts take none. */
const hasty = { ...systemClock, after: (_: number, fn: () => void) => systemClock.after(0, fn) }

blobContract('s3', async () => {
  const s3 = await startFakeS3()
  const blobs = openS3Blobs(optionsOf(s3), hasty)
  return {
    blobs,
    keys: async () => [...s3.objects.keys(), ...s3.uploads.values()],
    async close() {
      await blobs.close()
      await s3.close()
    },
  }
})

async function open(t: TestContext, change: Partial<S3Options> = {}) {
  const s3 = await startFakeS3()
  const blobs = openS3Blobs(optionsOf(s3, change), hasty)
  t.after(async () => {
    await blobs.close()
    await s3.close()
  })
  const at = (wanted: string, fault: S3Fault, times = Number.MAX_SAFE_INTEGER) => {
    s3.fault = (operation, count) => (operation === wanted && count <= times ? fault : null)
  }
  return { s3, blobs, at }
}

async function* bytes(count: number) {
  for (let sent = 0; sent < count; sent += MB) yield Buffer.alloc(Math.min(MB, count - sent), sent / MB)
}

async function read(content: AsyncIterable<Uint8Array>): Promise<number> {
  let count = 0
  for await (const chunk of content) count += chunk.length
  return count
}

test('a small blob is one request, a large one has parts of 8 MB, and no body is larger', async (t) => {
  const { s3, blobs } = await open(t)
  await blobs.write(KEY, bytes(3 * MB), never)
  assert.deepEqual(s3.requests, ['PUT object'])
  await blobs.write(`${KEY}_2`, bytes(20 * MB), never)
  assert.deepEqual(s3.requests.slice(1), ['POST uploads', 'PUT part', 'PUT part', 'PUT part', 'POST upload'])
  assert.equal(s3.largestBody, 8 * MB)
  assert.equal(s3.objects.get(`anti phon/ü/${KEY}_2`)?.length, 20 * MB)
})

const OPERATIONS = ['PUT object', 'POST uploads', 'PUT part', 'POST upload'] as const
const TRANSIENT: readonly S3Fault[] = [
  { type: 'refuse', status: 503, code: 'SlowDown' },
  { type: 'refuse', status: 500, code: 'InternalError' },
  { type: 'drop' },
  { type: 'lost-answer' },
]
for (const operation of OPERATIONS) {
  for (const fault of TRANSIENT) {
    const what = fault.type === 'refuse' ? fault.code : fault.type
    test(`a write goes on after ${what} of ${operation}`, async (t) => {
      const { s3, blobs, at } = await open(t)
      at(operation, fault, 2)
      const count = operation === 'PUT object' ? MB : 20 * MB
      assert.equal(await blobs.write(KEY, bytes(count), never), count)
      assert.equal(s3.objects.get(`anti phon/ü/${KEY}`)?.length, count)
      assert.equal(await read(blobs.read(KEY, never)), count)
      await blobs.delete(KEY)
      assert.deepEqual([s3.objects.size, s3.uploads.size], [0, 0], 'an upload begun twice is aborted with the key')
    })
  }

  const LASTING: readonly S3Fault[] = [
    { type: 'refuse', status: 503, code: 'SlowDown' },
    { type: 'refuse', status: 403, code: 'SignatureDoesNotMatch' },
    { type: 'refuse', status: 404, code: 'NoSuchBucket' },
    { type: 'refuse', status: 301, code: 'PermanentRedirect' },
    { type: 'drop' },
    ...(operation === 'PUT object' ? [] : [{ type: 'garbage' as const }]),
    ...(operation === 'POST upload' ? [{ type: 'error-in-200' as const }] : []),
  ]
  for (const fault of LASTING) {
    const what = fault.type === 'refuse' ? fault.code : fault.type
    test(`a write fails and leaves nothing to see when ${operation} meets ${what} for good`, async (t) => {
      const { s3, blobs, at } = await open(t)
      at(operation, fault)
      const write = blobs.write(KEY, bytes(operation === 'PUT object' ? MB : 20 * MB), never)
      await assert.rejects(write, (error) => error instanceof BlobsUnavailable && error.status === 503)
      s3.fault = () => null
      await blobs.delete(KEY)
      await assert.rejects(read(blobs.read(KEY, never)), BlobMissing)
      assert.deepEqual([s3.objects.size, s3.uploads.size], [0, 0])
    })
  }
}

test('a full storage is told from one that fails', async (t) => {
  const { blobs, at } = await open(t)
  for (const [status, code] of [
    [507, 'InsufficientStorage'],
    [403, 'QuotaExceeded'],
    [507, 'XMinioStorageFull'],
  ] as const) {
    at('PUT object', { type: 'refuse', status, code })
    await assert.rejects(blobs.write(KEY, bytes(MB), never), BlobsFull)
  }
})

test('a read that is cut off throws instead of ending early, and one that fails is told', async (t) => {
  const { blobs, at, s3 } = await open(t)
  await blobs.write(KEY, bytes(3 * MB), never)
  at('GET object', { type: 'cut-body' })
  await assert.rejects(read(blobs.read(KEY, never)), BlobsUnavailable)
  at('GET object', { type: 'refuse', status: 403, code: 'AccessDenied' })
  await assert.rejects(read(blobs.read(KEY, never)), BlobsUnavailable)
  const before = s3.requests.length
  at('GET object', { type: 'refuse', status: 503, code: 'SlowDown' })
  await assert.rejects(read(blobs.read(KEY, never)), BlobsUnavailable)
  assert.equal(s3.requests.length, before + 4, 'four attempts, then no more')
})

test('a storage that falls silent is left as soon as nobody waits for it', async (t) => {
  const { blobs, at } = await open(t)
  at('PUT object', { type: 'silence' })
  const abort = new AbortController()
  const write = blobs.write(KEY, bytes(MB), abort.signal)
  setTimeout(() => abort.abort(new Error('the client left')), 50)
  await assert.rejects(write, /the client left/)
})

test('parts of a process that died are removed with their key, and those of other keys are not', async (t) => {
  const { s3, blobs } = await open(t)
  s3.fault = (operation) => (operation === 'DELETE upload' ? { type: 'refuse', status: 403, code: 'No' } : null)
  async function* broken() {
    yield* bytes(10 * MB)
    throw new Error('died')
  }
  for (const key of [KEY, `${KEY}_other`]) await assert.rejects(blobs.write(key, broken(), never), /died/)
  s3.fault = () => null
  assert.equal(s3.uploads.size, 2)
  await blobs.delete(KEY)
  assert.deepEqual([...s3.uploads.values()], [`anti phon/ü/${KEY}_other`])
})

test('wrong keys, a wrong region and a wrong clock are refused by the storage and told as its failure', async (t) => {
  const wrong: readonly Partial<S3Options>[] = [
    { credentials: { ...S3_KEYS, secretAccessKey: 'another' } },
    { credentials: { ...S3_KEYS, accessKeyId: 'another' } },
    { region: 'us-east-1' },
    { bucket: 'another' },
  ]
  for (const change of wrong) {
    const { blobs } = await open(t, change)
    await assert.rejects(blobs.write(KEY, bytes(1), never), BlobsUnavailable)
  }
  const s3 = await startFakeS3()
  const blobs = openS3Blobs(optionsOf(s3), { ...hasty, now: () => Date.now() - 3_600_000 })
  await assert.rejects(blobs.write(KEY, bytes(1), never), (error) => {
    assert.ok(error instanceof BlobsUnavailable)
    return /RequestTimeTooSkewed/.test(String(error.cause)) && !error.message.includes('Skewed')
  })
  await blobs.close()
  await s3.close()
})

test('a bucket is a folder of the path or a part of the name, as it is told', () => {
  const options = optionsOf({ url: 'https://s3.eu-test-1.amazonaws.com' })
  assert.equal(
    urlOf(KEY, { prefix: 'a b' }, options).href,
    `https://s3.eu-test-1.amazonaws.com/bucket/anti%20phon/%C3%BC/${KEY}?prefix=a%20b`,
  )
  const named = urlOf(null, {}, { ...options, pathStyle: false })
  assert.equal(named.href, 'https://bucket.s3.eu-test-1.amazonaws.com/')
})

test('references in a document are undone once, and what is none stays', () => {
  const document = '<A>&lt;a&gt; &amp;amp; &#34;&#x26;&#xffffffff; &nbsp;</A>'
  assert.equal(readTag(document, 'A'), '<a> &amp; "&&#xffffffff; &nbsp;')
  assert.equal(readTag(document, 'B'), null)
})
