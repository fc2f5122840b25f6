/** Use cases on batches: many files attached by one request, watched and cancelled as one. */
import { seconds } from '../../lib/clock.ts'
import type { StoredBatch } from '../../store/vector-store-catalog.ts'
import type { Caller } from '../engine.ts'
import { once } from '../idempotency.ts'
import { catalogOf, refuseUnkept, type VectorStoreDeps } from './vector-store-deps.ts'
import { listFiles, requireStore, toAttachment } from './vector-store-files.ts'
import { batchNotFound, refuseUnattached, toBatchObject } from './vector-store-objects.ts'
import type { FileBatches } from './vector-stores.ts'

const CREATE = 'POST /v1/vector_stores/{id}/file_batches'
const BATCH_PREFIX = 'vsfb'

export function createFileBatches(deps: VectorStoreDeps): FileBatches {
  const require = async (batch: StoredBatch | null, storeId: string, id: string, caller: Caller) => {
    if (batch) return batch
    await requireStore(storeId, caller, deps)
    throw batchNotFound(storeId, id)
  }
  return {
    async create(storeId, { file_ids, files: given, attributes, chunking_strategy }, caller) {
      refuseUnkept(caller, deps)
      return once(CREATE, caller, deps, async (endClaim) => {
        // With `files` each says for itself; what is said of all of them counts for `file_ids` alone.
        const written = given ?? (file_ids ?? []).map((file_id) => ({ file_id, attributes, chunking_strategy }))
        const files = written.map((file) => toAttachment(file, deps))
        const at = { now: seconds(deps.clock), batchId: deps.ids.next(BATCH_PREFIX) }
        let made: StoredBatch | null = null
        const attached = await catalogOf(caller, deps).attach(storeId, files, at, deps.limits, (stored) => {
          if (!('counts' in stored)) return null
          made = stored
          return endClaim(toBatchObject(stored))
        })
        const fileIds = files.map(({ fileId }) => fileId)
        const path = (index: number) => (given ? `files[${index}].file_id` : `file_ids[${index}]`)
        refuseUnattached(attached, { storeId, fileIds, limits: deps.limits }, path)
        if (made === null) throw new Error('the batch was made and not told of')
        deps.onAttached()
        return toBatchObject(made)
      })
    },
    async get(storeId, id, caller) {
      return toBatchObject(await require(await catalogOf(caller, deps).getBatch(storeId, id), storeId, id, caller))
    },
    async cancel(storeId, id, caller) {
      return toBatchObject(await require(await catalogOf(caller, deps).cancelBatch(storeId, id), storeId, id, caller))
    },
    async list(storeId, id, page, caller) {
      await require(await catalogOf(caller, deps).getBatch(storeId, id), storeId, id, caller)
      return listFiles(storeId, id, page, caller, deps)
    },
  }
}
