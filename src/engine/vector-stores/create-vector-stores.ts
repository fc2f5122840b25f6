/** Use cases on vector stores: make, read, list, change, delete, search. */
import { seconds } from '../../lib/clock.ts'
import type { CreateVectorStoreRequest, VectorStoreObject } from '../../protocol/vector-stores.ts'
import type { StoredVectorStore } from '../../store/vector-store-catalog.ts'
import type { Caller } from '../engine.ts'
import { once } from '../idempotency.ts'
import { createFileBatches } from './file-batches.ts'
import { searchOneStore } from './search-one-store.ts'
import { catalogOf, DOCUMENT_PREFIX, refuseUnkept, type VectorStoreDeps } from './vector-store-deps.ts'
import { createVectorStoreFiles } from './vector-store-files.ts'
import {
  refuseUnattached,
  toChunking,
  toList,
  toVectorStoreObject,
  vectorStoreExpired,
  vectorStoreNotFound,
} from './vector-store-objects.ts'
import type { VectorStores } from './vector-stores.ts'

const ENDPOINTS = { create: 'POST /v1/vector_stores', update: 'POST /v1/vector_stores/{id}' } as const
const STORE_PREFIX = 'vs'

export function createVectorStores(deps: VectorStoreDeps): VectorStores {
  return {
    create: (request, caller) => create(request, caller, deps),
    async get(id, caller) {
      const store = await catalogOf(caller, deps).get(id)
      if (!store) throw vectorStoreNotFound(id)
      return toVectorStoreObject(store)
    },
    async list(page, caller) {
      return toList(await catalogOf(caller, deps).list(page), page, toVectorStoreObject)
    },
    async update(id, request, caller) {
      refuseUnkept(caller, deps)
      return once(ENDPOINTS.update, caller, deps, async (endClaim) => {
        const end = (store: StoredVectorStore) => endClaim(toVectorStoreObject(store))
        const { name, metadata, expires_after: expiry } = request
        const changes = {
          ...(typeof name === 'string' && { name }),
          ...(metadata !== undefined && { metadata: metadata ?? {} }),
          ...(expiry !== undefined && { expiresAfterDays: expiry?.days ?? null }),
        }
        const changed = await catalogOf(caller, deps).update(id, changes, seconds(deps.clock), end)
        if (changed === 'unknown') throw vectorStoreNotFound(id)
        if (changed === 'expired') throw vectorStoreExpired(id)
        return toVectorStoreObject(changed)
      })
    },
    async delete(id, caller) {
      if (!(await catalogOf(caller, deps).delete(id))) throw vectorStoreNotFound(id)
      deps.teller.tell()
    },
    search: (id, request, caller) => searchOneStore(id, request, caller, deps),
    files: createVectorStoreFiles(deps),
    batches: createFileBatches(deps),
  }
}

async function create(
  request: CreateVectorStoreRequest,
  caller: Caller,
  deps: VectorStoreDeps,
): Promise<VectorStoreObject> {
  refuseUnkept(caller, deps)
  return once(ENDPOINTS.create, caller, deps, async (endClaim) => {
    const now = seconds(deps.clock)
    const fileIds = request.file_ids ?? []
    const chunking = toChunking(request.chunking_strategy)
    const store = {
      id: deps.ids.next(STORE_PREFIX),
      createdAt: now,
      name: request.name ?? '',
      description: request.description ?? null,
      metadata: request.metadata ?? {},
      expiresAfterDays: request.expires_after?.days ?? null,
      lastActiveAt: now,
    }
    const files = fileIds.map((fileId) => ({
      documentId: deps.ids.next(DOCUMENT_PREFIX),
      fileId,
      attributes: {},
      chunking,
    }))
    let made: StoredVectorStore | null = null
    const attached = await catalogOf(caller, deps).create(store, files, deps.limits, (stored) => {
      made = stored
      return endClaim(toVectorStoreObject(stored))
    })
    refuseUnattached(attached, { storeId: store.id, fileIds, limits: deps.limits }, (at) => `file_ids[${at}]`)
    if (made === null) throw new Error('the store was made and not told of')
    if (files.length > 0) deps.onAttached()
    return toVectorStoreObject(made)
  })
}
