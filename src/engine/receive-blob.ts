/**
 * Takes bytes in. The row of a blob is there before its first byte, and its owner is written after its last, so at every
 * instant a crash leaves either a file or a row that says what to remove.
 */
import { createHash } from 'node:crypto'
import { type BlobStore, BlobsFull, BlobsUnavailable } from '../blobs/blob-store.ts'
import { sweepBlobs } from '../blobs/sweep-blobs.ts'
import { type Clock, seconds } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { ApiError } from '../protocol/errors.ts'
import type { StoredBlob } from '../store/file-store.ts'
import type { Store } from '../store/store.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { IncomingForm } from './engine.ts'
import type { RunSlots } from './run-slots.ts'

export type BlobDeps = {
  readonly store: Pick<Store, 'blobs'>
  readonly blobs: BlobStore
  readonly clock: Clock
  readonly ids: Ids
  readonly telemetry: Telemetry
  /** Transfers that run at once. */
  readonly transfers: RunSlots
}

export type Limit = {
  readonly bytes: number
  /** The field that holds the file. */
  readonly param: string
}

/** What a form may hold beside its file. */
const FORM_OVERHEAD_BYTES = 64 * 1024

/** Refuses by its declared size what cannot be taken anyway, before a byte is read. */
export function refuseTooLarge({ expectedBytes }: Pick<IncomingForm<unknown>, 'expectedBytes'>, limit: Limit): void {
  if (expectedBytes !== null && expectedBytes > limit.bytes + FORM_OVERHEAD_BYTES) throw tooLarge(limit)
}

/** Throws what the content throws, 413, or a 503 of the storage; nothing is kept then. */
export async function receiveBlob(
  content: AsyncIterable<Uint8Array>,
  limit: Limit,
  signal: AbortSignal,
  deps: BlobDeps,
): Promise<StoredBlob> {
  const key = deps.ids.next('blob')
  await deps.store.blobs.begin(key, seconds(deps.clock))
  const hash = createHash('sha256')
  try {
    const bytes = await deps.blobs.write(key, measured(content, limit, hash), signal)
    return { key, bytes, sha256: hash.digest('hex') }
  } catch (error) {
    reportStorage(error, 'write-file', deps)
    await discardBlob(key, deps)
    throw error
  }
}

/** What a storage said is for the operator; its clients are told only that it failed. */
function reportStorage(error: unknown, where: string, { telemetry }: Pick<BlobDeps, 'telemetry'>): void {
  if (error instanceof BlobsFull || error instanceof BlobsUnavailable)
    telemetry.failed({ requestId: null, where, error: error.cause ?? error })
}

type Hash = ReturnType<typeof createHash>

async function* measured(content: AsyncIterable<Uint8Array>, limit: Limit, hash: Hash): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const chunk of content) {
    bytes += chunk.length
    if (bytes > limit.bytes) throw tooLarge(limit)
    hash.update(chunk)
    yield chunk
  }
}

/** Gives up a blob that got no owner. What fails here is left to the sweep, so it never hides why it was given up. */
export async function discardBlob(key: string, { store, blobs, telemetry }: BlobDeps): Promise<void> {
  try {
    await store.blobs.giveUp(key)
    await blobs.delete(key)
    await store.blobs.forget([key])
  } catch (error) {
    telemetry.failed({ requestId: null, where: 'discard-blob', error })
  }
}

/**
 * Removes the bytes of what lost its owner just now, so that they are gone when their delete is answered. A failure is
 * left to the sweep: the row stays until the bytes are gone.
 */
export async function removeDropped({ store, blobs, telemetry }: BlobDeps): Promise<void> {
  try {
    await sweepBlobs({ store, blobs }, NOTHING_IS_DEAD)
  } catch (error) {
    telemetry.failed({ requestId: null, where: 'remove-blobs', error })
  }
}

const NOTHING_IS_DEAD = 0

/** The blobs of a file, one after the other. */
export async function* readBlobs(
  parts: readonly StoredBlob[],
  deps: Pick<BlobDeps, 'blobs' | 'telemetry'>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for (const { key } of parts) yield* deps.blobs.read(key, signal)
  } catch (error) {
    reportStorage(error, 'read-file', deps)
    throw error
  }
}

const tooLarge = ({ bytes, param }: Limit) =>
  new ApiError({
    status: 413,
    param,
    code: 'file_too_large',
    message: `Invalid '${param}': it is larger than ${bytes} bytes, which is the most that this server takes here.`,
  })

/** The write took longer than any may, and was given up as dead. */
export const blobLost = () =>
  new ApiError({
    status: 408,
    code: 'upload_timeout',
    message: 'The content took too long to arrive, and was given up. Send it again, in parts if it is large.',
  })

export const storageQuota = (bytes: number, param: string | null) =>
  new ApiError({
    status: 400,
    param,
    code: 'storage_limit_exceeded',
    message: `The files of this project may take ${bytes} bytes together, and this would be more. Delete files first.`,
  })
