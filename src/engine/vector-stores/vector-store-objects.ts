/** What is stored of vector stores -> the objects of the API, and the refusals that concern them. */

import { badRequest, notFound } from '../../protocol/errors.ts'
import {
  AUTO_CHUNKS,
  type ChunkingParam,
  type ChunkingStrategy,
  type FileBatchObject,
  type VectorStoreFileObject,
  type VectorStoreObject,
} from '../../protocol/vector-stores.ts'
import type {
  Attached,
  CatalogLimits,
  Listed,
  StoredAttachment,
  StoredBatch,
  StoredVectorStore,
} from '../../store/vector-store-catalog.ts'
import { listObject } from '../list-object.ts'

const DAY_SECONDS = 86_400

export function toVectorStoreObject(store: StoredVectorStore): VectorStoreObject {
  const { expiresAfterDays: days, lastActiveAt } = store
  return {
    id: store.id,
    object: 'vector_store',
    created_at: store.createdAt,
    name: store.name,
    ...(store.description !== null && { description: store.description }),
    usage_bytes: store.usageBytes,
    file_counts: store.counts,
    status: store.expired ? 'expired' : store.counts.in_progress > 0 ? 'in_progress' : 'completed',
    ...(days !== null && { expires_after: { anchor: 'last_active_at' as const, days } }),
    expires_at: days === null ? null : lastActiveAt + days * DAY_SECONDS,
    last_active_at: lastActiveAt,
    metadata: store.metadata,
  }
}

export const toFileObject = (file: StoredAttachment): VectorStoreFileObject => ({
  id: file.fileId,
  object: 'vector_store.file',
  created_at: file.createdAt,
  usage_bytes: file.usageBytes,
  vector_store_id: file.storeId,
  status: file.status,
  last_error: file.error,
  chunking_strategy: { type: 'static', static: file.chunking },
  attributes: file.attributes,
})

/** It is over when nothing of it is in progress, and failed when all of it has. */
export function toBatchObject({ id, storeId, createdAt, cancelled, counts }: StoredBatch): FileBatchObject {
  const ended = cancelled ? 'cancelled' : counts.total > 0 && counts.failed === counts.total ? 'failed' : 'completed'
  return {
    id,
    object: 'vector_store.files_batch',
    created_at: createdAt,
    vector_store_id: storeId,
    status: counts.in_progress > 0 ? 'in_progress' : ended,
    file_counts: counts,
  }
}

export const toChunking = (param: ChunkingParam | null | undefined): ChunkingStrategy =>
  param?.type === 'static' ? param.static : AUTO_CHUNKS

/** `found`: one more than `limit` where there are more. */
export function toList<T extends { readonly id: string }, S>(
  found: Listed<S>,
  { limit, after, before }: { readonly limit: number; readonly after: string | null; readonly before: string | null },
  toObject: (stored: S) => T,
) {
  if (found === 'unknown-cursor') {
    const param = after === null ? 'before' : before === null ? 'after' : 'after, before'
    throw badRequest(param, 'invalid_value', `Invalid '${param}': there is no such object in this list.`)
  }
  return listObject(found.slice(0, limit).map(toObject), found.length > limit)
}

export const vectorStoreNotFound = (id: string) => notFound(`Vector store with id '${id}' not found.`)

export const storeFileNotFound = (storeId: string, fileId: string) =>
  notFound(`No file found with id '${fileId}' in vector store '${storeId}'.`)

export const batchNotFound = (storeId: string, id: string) =>
  notFound(`No file batch found with id '${id}' in vector store '${storeId}'.`)

export const vectorStoreExpired = (id: string, param: string | null = null) =>
  badRequest(param, 'expired', `Vector store '${id}' has expired and holds nothing any more. Create a new one.`)

type Refused = { readonly storeId: string; readonly fileIds: readonly string[]; readonly limits: CatalogLimits }

/** Throws for what was not attached. `path`: of a file by its place. */
export function refuseUnattached(
  attached: Attached | { readonly type: 'too-many-stores' },
  { storeId, fileIds, limits }: Refused,
  path: (index: number) => string,
): void {
  switch (attached.type) {
    case 'attached':
      return
    case 'unknown':
      throw vectorStoreNotFound(storeId)
    case 'expired':
      throw vectorStoreExpired(storeId)
    case 'full':
      throw limitExceeded(`A vector store has at most ${limits.filesPerStore} files; remove some, or use another one.`)
    case 'too-many-stores':
      throw limitExceeded(`The project has ${limits.stores} vector stores, which is the most. Delete some first.`)
    case 'unknown-file': {
      const id = fileIds[attached.index] ?? ''
      throw badRequest(path(attached.index), 'file_not_found', `No such File object: ${id}`)
    }
    default:
      throw attached satisfies never
  }
}

const limitExceeded = (message: string) => badRequest(null, 'limit_exceeded', message)
