/**
 * Blobs as objects of a bucket. A small one is one `PUT`; a larger one is a multipart upload, of which nobody sees
 * anything before it is completed. Of each write one part at a time is in memory.
 */
import type { Clock } from '../../lib/clock.ts'
import { BlobMissing, type BlobStore, BlobsUnavailable, checkBlobKey } from '../blob-store.ts'
import { createS3Client, type S3Client, S3Error, type S3Options } from './s3-client.ts'
import { readTag, readTags, writeParts } from './s3-xml.ts'

/** S3 takes no smaller part but the last, and no more than 10,000: so a blob may have some 570 GB. */
const PART_BYTES = 8 * 1024 * 1024
const LARGE_PART_BYTES = 64 * 1024 * 1024
const SMALL_PARTS = 1_000

/** Cleaning up goes on although nobody waits any more. */
const always = () => new AbortController().signal

export function openS3Blobs(options: S3Options, clock: Clock): BlobStore {
  const client = createS3Client(options, clock)
  return {
    async write(key, content, signal) {
      checkBlobKey(key)
      try {
        return await writeBlob(client, key, content, signal)
      } catch (error) {
        signal.throwIfAborted()
        throw error
      }
    },
    read: (key, signal) => readBlob(client, checkBlobKey(key), signal),
    async delete(key) {
      checkBlobKey(key)
      await send(client, { method: 'DELETE', key, signal: always() })
      await abortUploads(client, key, options.prefix)
    },
    close: () => client.close(),
  }
}

/** A request whose reply says nothing more than that it was done. */
async function send(client: S3Client, asked: Parameters<S3Client['send']>[0]): Promise<void> {
  await (await client.send(asked)).text()
}

async function writeBlob(
  client: S3Client,
  key: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<number> {
  const parts = cutInParts(content)
  const first = await parts.next()
  const body = first.value ?? new Uint8Array()
  if (body.length < PART_BYTES) {
    signal.throwIfAborted()
    const { status, text } = await client.send({ method: 'PUT', key, body, signal })
    await text()
    if (status === 404) throw missingBucket()
    return body.length
  }
  return writeInParts(client, key, body, parts, signal)
}

/** Of the size S3 wants, except for the last, which may be empty. */
async function* cutInParts(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, undefined, undefined> {
  let held: Uint8Array[] = []
  let bytes = 0
  let made = 0
  for await (const chunk of content) {
    held.push(chunk)
    bytes += chunk.length
    if (bytes < (made < SMALL_PARTS ? PART_BYTES : LARGE_PART_BYTES)) continue
    yield Buffer.concat(held)
    made += 1
    held = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(held)
}

async function writeInParts(
  client: S3Client,
  key: string,
  first: Uint8Array,
  rest: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<number> {
  const uploadId = await beginUpload(client, key, signal)
  try {
    const etags: string[] = []
    let bytes = 0
    const add = async (body: Uint8Array) => {
      signal.throwIfAborted()
      const query = { partNumber: String(etags.length + 1), uploadId }
      const { headers, text } = await client.send({ method: 'PUT', key, query, body, signal })
      await text()
      if (typeof headers.etag !== 'string') throw strange('a part has no ETag')
      etags.push(headers.etag)
      bytes += body.length
    }
    await add(first)
    for await (const body of rest) await add(body)
    signal.throwIfAborted()
    await completeUpload(client, key, uploadId, etags, signal)
    return bytes
  } catch (error) {
    // What cannot be aborted now is aborted when the key is deleted.
    await send(client, { method: 'DELETE', key, query: { uploadId }, signal: always() }).catch(() => {})
    throw error
  }
}

async function beginUpload(client: S3Client, key: string, signal: AbortSignal): Promise<string> {
  const { status, text } = await client.send({ method: 'POST', key, query: { uploads: '' }, signal })
  const uploadId = readTag(await text(), 'UploadId')
  if (status === 404) throw missingBucket()
  if (uploadId === null) throw strange('an upload has no id')
  return uploadId
}

/** S3 may answer 200 and say in the body that it failed; and a first try may have worked without its answer arriving. */
async function completeUpload(
  client: S3Client,
  key: string,
  uploadId: string,
  etags: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const body = Buffer.from(writeParts(etags))
  const { status, text } = await client.send({ method: 'POST', key, query: { uploadId }, body, signal })
  const document = await text()
  if (status !== 404 && document.includes('<CompleteMultipartUploadResult')) return
  const code = readTag(document, 'Code') ?? 'nothing'
  if (code === 'NoSuchUpload' && (await exists(client, key, signal))) return
  throw strange(`an upload was not completed: ${code}`)
}

async function exists(client: S3Client, key: string, signal: AbortSignal): Promise<boolean> {
  const { status, body } = await client.send({ method: 'GET', key, signal })
  // Leaving the loop closes the body.
  for await (const _ of body) break
  return status !== 404
}

async function* readBlob(
  client: S3Client,
  key: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal.throwIfAborted()
  const { status, body, text } = await client.send({ method: 'GET', key, signal })
  if (status === 404) {
    await text()
    throw new BlobMissing()
  }
  try {
    yield* body
  } catch (error) {
    signal.throwIfAborted()
    throw new BlobsUnavailable(error)
  }
}

/** What a process that died in the middle of a write left behind. */
async function abortUploads(client: S3Client, key: string, prefix: string): Promise<void> {
  const query = { uploads: '', prefix: `${prefix}${key}` }
  const { text } = await client.send({ method: 'GET', key: null, query, signal: always() })
  for (const upload of readTags(await text(), 'Upload')) {
    const uploadId = readTag(upload, 'UploadId')
    if (readTag(upload, 'Key') !== query.prefix || uploadId === null) continue
    await send(client, { method: 'DELETE', key, query: { uploadId }, signal: always() })
  }
}

const strange = (why: string) => new BlobsUnavailable(new S3Error(`the object storage answered strangely: ${why}`))
const missingBucket = () => strange('the bucket does not exist')
