/**
 * Blobs as files of a directory: `ab/blob_…`, in 256 folders by a hash of the key. What is being written lies in `part/`
 * under its own key and is moved into its place when it is whole and on disk.
 */
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BlobMissing, type BlobStore, BlobsFull, checkBlobKey } from '../blob-store.ts'

const PRIVATE_DIR = 0o700
const PRIVATE_FILE = 0o600
/** What one read takes from disk. */
const READ_BYTES = 256 * 1024

/** Makes the directory when there is none. */
export function openDirectoryBlobs(directory: string): BlobStore {
  mkdirSync(join(directory, 'part'), { recursive: true, mode: PRIVATE_DIR })
  const draftOf = (key: string) => join(directory, 'part', checkBlobKey(key))
  const placeOf = (key: string) => join(directory, shardOf(key), checkBlobKey(key))
  return {
    async write(key, content, signal) {
      const [draft, place] = [draftOf(key), placeOf(key)]
      try {
        const bytes = await writeDraft(draft, content, signal)
        await mkdir(dirname(place), { recursive: true, mode: PRIVATE_DIR })
        await rename(draft, place)
        await syncFolder(dirname(place))
        await syncFolder(directory)
        return bytes
      } catch (error) {
        await Promise.all([rm(draft, { force: true }), rm(place, { force: true })])
        throw isFull(error) ? new BlobsFull(error) : error
      }
    },
    read: (key, signal) => readAll(placeOf(key), signal),
    async delete(key) {
      await Promise.all([rm(draftOf(key), { force: true }), rm(placeOf(key), { force: true })])
    },
    async close() {},
  }
}

const shardOf = (key: string) => createHash('sha256').update(key).digest('hex').slice(0, 2)

/** Answers the bytes written, once they are on disk. */
async function writeDraft(path: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<number> {
  const handle = await open(path, 'w', PRIVATE_FILE)
  try {
    let bytes = 0
    for await (const chunk of content) {
      signal.throwIfAborted()
      await writeAll(handle, chunk)
      bytes += chunk.length
    }
    signal.throwIfAborted()
    await handle.sync()
    return bytes
  } finally {
    await handle.close()
  }
}

/** One call may take less than it was given, near the end of a disk for one. */
async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let offset = 0; offset < chunk.length; ) {
    const { bytesWritten } = await handle.write(chunk, offset, chunk.length - offset)
    offset += bytesWritten
  }
}

/** Without it a crash may forget the name of a file whose bytes are safe. Windows has no such call and needs none. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(path)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function* readAll(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  const handle = await open(path).catch((error: unknown) => {
    throw codeOf(error) === 'ENOENT' ? new BlobMissing(error) : error
  })
  try {
    for (;;) {
      signal.throwIfAborted()
      // A buffer of its own for each chunk: the last one may still wait for its reader.
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(READ_BYTES), 0, READ_BYTES)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await handle.close()
  }
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? error.code : null)
const isFull = (error: unknown) => ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(String(codeOf(error)))
