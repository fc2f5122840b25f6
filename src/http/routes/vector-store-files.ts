/** `/v1/vector_stores/{id}/files`, and many of them at once: `/v1/vector_stores/{id}/file_batches`. */
import { batchNotFound, storeFileNotFound } from '../../engine/vector-stores/vector-store-objects.ts'
import { type AuthorizedCall, json } from '../exchange.ts'
import { callerOnce } from '../idempotency-key.ts'
import { isPlainId, pathParam } from '../query.ts'
import type { ProtectedRoute } from '../route-table.ts'
import { readStoreFilePage } from '../store-page.ts'
import { ONE_STORE, type StorePorts, storeId, taken } from './vector-stores.ts'

const FILES = `${ONE_STORE}/files`
const FILE = `${FILES}/:file`
const BATCHES = `${ONE_STORE}/file_batches`
const BATCH = `${BATCHES}/:batch`

export const vectorStoreFileRoutes = (ports: StorePorts): readonly ProtectedRoute[] => [
  {
    method: 'POST',
    pattern: FILES,
    access: 'files',
    body: 'json',
    async handle(call) {
      const id = storeId(call)
      const request = taken(call, ports.validate.attachFile(call.body), ports)
      return json(await ports.vectorStores.files.attach(id, request, callerOnce(call, id)))
    },
  },
  {
    method: 'GET',
    pattern: FILES,
    access: 'read-files',
    body: 'none',
    handle: async (call) =>
      json(await ports.vectorStores.files.list(storeId(call), readStoreFilePage(call.query), call.caller)),
  },
  {
    method: 'GET',
    pattern: FILE,
    access: 'read-files',
    body: 'none',
    handle: async (call) => json(await ports.vectorStores.files.get(storeId(call), fileId(call), call.caller)),
  },
  {
    method: 'POST',
    pattern: FILE,
    access: 'files',
    body: 'json',
    async handle(call) {
      const request = taken(call, ports.validate.updateAttributes(call.body), ports)
      return json(await ports.vectorStores.files.update(storeId(call), fileId(call), request, call.caller))
    },
  },
  {
    method: 'DELETE',
    pattern: FILE,
    access: 'files',
    body: 'none',
    async handle(call) {
      const id = fileId(call)
      await ports.vectorStores.files.detach(storeId(call), id, call.caller)
      return json({ id, object: 'vector_store.file.deleted', deleted: true })
    },
  },
  {
    method: 'GET',
    pattern: `${FILE}/content`,
    access: 'read-files',
    body: 'none',
    handle: async (call) => json(await ports.vectorStores.files.content(storeId(call), fileId(call), call.caller)),
  },
  ...batchRoutes(ports),
]

const batchRoutes = ({ vectorStores, validate, limits }: StorePorts): readonly ProtectedRoute[] => [
  {
    method: 'POST',
    pattern: BATCHES,
    access: 'files',
    body: 'json',
    async handle(call) {
      const id = storeId(call)
      const request = taken(call, validate.createFileBatch(call.body), { vectorStores, validate, limits })
      return json(await vectorStores.batches.create(id, request, callerOnce(call, id)))
    },
  },
  {
    method: 'GET',
    pattern: BATCH,
    access: 'read-files',
    body: 'none',
    handle: async (call) => json(await vectorStores.batches.get(storeId(call), batchId(call), call.caller)),
  },
  {
    method: 'POST',
    pattern: `${BATCH}/cancel`,
    access: 'files',
    body: 'none',
    handle: async (call) => json(await vectorStores.batches.cancel(storeId(call), batchId(call), call.caller)),
  },
  {
    method: 'GET',
    pattern: `${BATCH}/files`,
    access: 'read-files',
    body: 'none',
    handle: async (call) =>
      json(await vectorStores.batches.list(storeId(call), batchId(call), readStoreFilePage(call.query), call.caller)),
  },
]

function fileId(call: AuthorizedCall): string {
  const id = pathParam(call.params, 'file')
  if (!isPlainId(id)) throw storeFileNotFound(storeId(call), id)
  return id
}

function batchId(call: AuthorizedCall): string {
  const id = pathParam(call.params, 'batch')
  if (!isPlainId(id)) throw batchNotFound(storeId(call), id)
  return id
}
