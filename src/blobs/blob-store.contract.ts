/** The laws of the `BlobStore` port as a suite; every adapter runs it. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { collectGarbage } from '../../test/support/collect-garbage.ts'
import { BlobMissing, type BlobStore } from './blob-store.ts'

export type OpenedBlobs = {
  readonly blobs: BlobStore
  /** Every key there is something under, finished or not. */
  keys(): Promise<readonly string[]>
  close(): Promise<void>
}

type Law = (sentence: string, hold: (opened: OpenedBlobs) => Promise<void>) => void

const KEY = 'blob_0123456789abcdef'
const never = new AbortController().signal
const MANY_BYTES = 20 * 1024 * 1024
const CHUNK = 64 * 1024

async function* repeat(bytes: number, chunkBytes = CHUNK): AsyncGenerator<Buffer> {
  for (let sent = 0, at = 0; sent < bytes; at += 1) {
    const chunk = Buffer.alloc(Math.min(chunkBytes, bytes - sent), at % 251)
    sent += chunk.length
    yield chunk
  }
}

async function digest(content: AsyncIterable<Uint8Array>): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of content) {
    hash.update(chunk)
    bytes += chunk.length
  }
  return { bytes, sha256: hash.digest('hex') }
}

/** What buffers hold once garbage is collected: without that the figure is an accident of the collector. */
function heldBytes(): number {
  collectGarbage()
  return process.memoryUsage().arrayBuffers
}

export function blobContract(name: string, openBlobs: () => Promise<OpenedBlobs>): void {
  const law: Law = (sentence, hold) =>
    test(`${name}: ${sentence}`, async () => {
      const opened = await openBlobs()
      try {
        await hold(opened)
      } finally {
        await opened.close()
      }
    })
  wholeness(law)
  failures(law)
}

function wholeness(law: Law): void {
  for (const [what, bytes] of [
    ['empty', 0],
    ['small', 17],
    ['large', MANY_BYTES],
  ] as const) {
    law(`a ${what} blob comes back as it was written`, async ({ blobs }) => {
      assert.equal(await blobs.write(KEY, repeat(bytes), never), bytes)
      assert.deepEqual(await digest(blobs.read(KEY, never)), await digest(repeat(bytes)))
    })
  }

  law(
    'a blob that is not there, or no more, cannot be read, and is deleted without a word',
    async ({ blobs, keys }) => {
      await assert.rejects(digest(blobs.read(KEY, never)), BlobMissing)
      await blobs.write(KEY, repeat(10), never)
      await blobs.delete(KEY)
      await blobs.delete(KEY)
      await assert.rejects(digest(blobs.read(KEY, never)), BlobMissing)
      assert.deepEqual(await keys(), [])
    },
  )

  law('nobody sees a blob before it is whole', async ({ blobs }) => {
    async function* content() {
      for await (const chunk of repeat(MANY_BYTES)) {
        yield chunk
        if (chunk[0] === 200) await assert.rejects(digest(blobs.read(KEY, never)), BlobMissing)
      }
    }
    await blobs.write(KEY, content(), never)
    assert.equal((await digest(blobs.read(KEY, never))).bytes, MANY_BYTES)
  })

  law('blobs are written beside each other', async ({ blobs }) => {
    const sizes = [1, CHUNK, 3 * CHUNK + 1, 9 * 1024 * 1024]
    await Promise.all(sizes.map((bytes, at) => blobs.write(`${KEY}_${at}`, repeat(bytes), never)))
    const read = await Promise.all(sizes.map((_, at) => digest(blobs.read(`${KEY}_${at}`, never))))
    assert.deepEqual(
      read.map(({ bytes }) => bytes),
      sizes,
    )
  })
}

function failures(law: Law): void {
  for (const bytes of [CHUNK, MANY_BYTES]) {
    law(`content that breaks off after ${bytes} bytes leaves nothing`, async ({ blobs, keys }) => {
      async function* content() {
        yield* repeat(bytes)
        throw new Error('it broke off')
      }
      await assert.rejects(blobs.write(KEY, content(), never), /it broke off/)
      await assert.rejects(digest(blobs.read(KEY, never)), BlobMissing)
      assert.deepEqual(await keys(), [])
    })

    law(`a write that is aborted after ${bytes} bytes leaves nothing`, async ({ blobs, keys }) => {
      const abort = new AbortController()
      async function* content() {
        yield* repeat(bytes)
        abort.abort(new Error('nobody wants it'))
        yield* repeat(bytes)
      }
      await assert.rejects(blobs.write(KEY, content(), abort.signal), /nobody wants it/)
      assert.deepEqual(await keys(), [])
    })
  }

  law('a reader may leave in the middle', async ({ blobs }) => {
    await blobs.write(KEY, repeat(MANY_BYTES), never)
    for await (const chunk of blobs.read(KEY, never)) if (chunk.length > 0) break
    const abort = new AbortController()
    const reading = async () => {
      for await (const _ of blobs.read(KEY, abort.signal)) abort.abort(new Error('enough'))
    }
    await assert.rejects(reading(), /enough/)
  })

  law('a slow reader is waited for: what is read ahead is bounded', async ({ blobs }) => {
    await blobs.write(KEY, repeat(MANY_BYTES), never)
    const before = heldBytes()
    let seen = 0
    let held = Number.POSITIVE_INFINITY
    for await (const chunk of blobs.read(KEY, never)) {
      seen += chunk.length
      if (seen > CHUNK * 8) continue
      await new Promise((resolve) => setTimeout(resolve, 20))
      // The least of them: what is read ahead stays, while the collector frees buffers when it likes.
      held = Math.min(held, heldBytes() - before)
    }
    assert.equal(seen, MANY_BYTES)
    assert.ok(held < MANY_BYTES / 4, `${held} bytes held for a reader that had taken ${CHUNK * 8}`)
  })

  law('a key that is no id of ours is refused before anything is touched', async ({ blobs, keys }) => {
    for (const key of ['../../etc/passwd', 'a/b/c/d/e/f/g', 'blob_\0aaaaaaa', '', 'short', 'x'.repeat(129)]) {
      await assert.rejects(async () => blobs.write(key, repeat(1), never), /blob key/)
      await assert.rejects(async () => digest(blobs.read(key, never)), /blob key/)
      await assert.rejects(async () => blobs.delete(key), /blob key/)
    }
    assert.deepEqual(await keys(), [])
  })
}
