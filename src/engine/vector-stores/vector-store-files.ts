/** Use cases on the files of a vector store: attach, read, list, change, detach. */
import { seconds } from '../../lib/clock.ts'
import { badRequest } from '../../protocol/errors.ts'
import type { Attributes } from '../../protocol/search-filters.ts'
import type { AttachFileRequest } from '../../protocol/vector-stores.ts'
import type { Chunk, SearchIndex } from '../../search-index/search-index.ts'
import type { NewAttachment, StoredAttachment } from '../../store/vector-store-catalog.ts'
import type { Caller } from '../engine.ts'
import { once } from '../idempotency.ts'
import { catalogOf, DOCUMENT_PREFIX, refuseUnkept, type VectorStoreDeps } from './vector-store-deps.ts'
import {
  refuseUnattached,
  storeFileNotFound,
  toChunking,
  toFileObject,
  toList,
  vectorStoreNotFound,
} from './vector-store-objects.ts'
import type { StoreFilePage, VectorStoreFiles } from './vector-stores.ts'

const ATTACH = 'POST /v1/vector_stores/{id}/files'
/** Chunks that are asked for at a time. */
const CHUNKS_PER_READ = 500

export function createVectorStoreFiles(deps: VectorStoreDeps): VectorStoreFiles {
  const find = async (storeId: string, fileId: string, caller: Caller) => {
    const file = await catalogOf(caller, deps).getAttachment(storeId, fileId)
    if (file) return file
    await requireStore(storeId, caller, deps)
    throw storeFileNotFound(storeId, fileId)
  }
  return {
    async attach(storeId, request, caller) {
      refuseUnkept(caller, deps)
      return once(ATTACH, caller, deps, async (endClaim) => {
        const file = toAttachment(request, deps)
        let made: StoredAttachment | null = null
        const at = { now: seconds(deps.clock), batchId: null }
        const attached = await catalogOf(caller, deps).attach(storeId, [file], at, deps.limits, (stored) => {
          if (!('fileId' in stored)) return null
          made = stored
          return endClaim(toFileObject(stored))
        })
        refuseUnattached(attached, { storeId, fileIds: [file.fileId], limits: deps.limits }, () => 'file_id')
        if (made === null) throw new Error('the file was attached and not told of')
        deps.onAttached()
        return toFileObject(made)
      })
    },
    get: async (storeId, fileId, caller) => toFileObject(await find(storeId, fileId, caller)),
    list: (storeId, page, caller) => listFiles(storeId, null, page, caller, deps),
    async update(storeId, fileId, { attributes }, caller) {
      refuseUnkept(caller, deps)
      const changed = await catalogOf(caller, deps).setAttributes(storeId, fileId, attributes ?? {})
      if (!changed) throw await missing(storeId, fileId, caller, deps)
      await deps.teller.tell()
      return toFileObject(changed)
    },
    async detach(storeId, fileId, caller) {
      if (!(await catalogOf(caller, deps).detach(storeId, fileId))) throw await missing(storeId, fileId, caller, deps)
      deps.teller.tell()
    },
    async content(storeId, fileId, caller) {
      const file = await find(storeId, fileId, caller)
      if (file.status !== 'completed') throw notReady(file)
      const text = await readText(file, deps.index)
      const data = text === '' ? [] : [{ type: 'text' as const, text }]
      return { object: 'vector_store.file_content.page', data, has_more: false, next_page: null }
    },
  }
}

export async function listFiles(
  storeId: string,
  batchId: string | null,
  page: StoreFilePage,
  caller: Caller,
  deps: VectorStoreDeps,
) {
  await requireStore(storeId, caller, deps)
  return toList(await catalogOf(caller, deps).listAttachments(storeId, { ...page, batchId }), page, toFileObject)
}

export async function requireStore(storeId: string, caller: Caller, deps: VectorStoreDeps): Promise<void> {
  if (!(await catalogOf(caller, deps).get(storeId))) throw vectorStoreNotFound(storeId)
}

async function missing(storeId: string, fileId: string, caller: Caller, deps: VectorStoreDeps) {
  await requireStore(storeId, caller, deps)
  return storeFileNotFound(storeId, fileId)
}

type Written = Pick<AttachFileRequest, 'file_id' | 'chunking_strategy'> & {
  readonly attributes?: Attributes | null | undefined
}

export const toAttachment = (written: Written, { ids }: Pick<VectorStoreDeps, 'ids'>): NewAttachment => ({
  documentId: ids.next(DOCUMENT_PREFIX),
  fileId: written.file_id,
  attributes: written.attributes ?? {},
  chunking: toChunking(written.chunking_strategy),
})

const notReady = ({ fileId, status }: StoredAttachment) =>
  badRequest(null, 'file_not_ready', `The text of '${fileId}' can be read when it is 'completed'; it is '${status}'.`)

/** Chunks overlap; each adds what the one before it does not have. */
async function readText({ storeId, documentId }: StoredAttachment, index: SearchIndex): Promise<string> {
  const parts: string[] = []
  let end = 0
  for (let from = 0; ; from += CHUNKS_PER_READ) {
    const chunks: readonly Chunk[] = await index.read(storeId, documentId, { from, limit: CHUNKS_PER_READ })
    for (const chunk of chunks) {
      parts.push(chunk.text.slice(Math.max(0, end - chunk.start)))
      end = chunk.end
    }
    if (chunks.length < CHUNKS_PER_READ) return parts.join('')
  }
}
