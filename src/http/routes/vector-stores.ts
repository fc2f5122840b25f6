/** `/v1/vector_stores`: what `file_search` searches. */
import { vectorStoreNotFound } from '../../engine/vector-stores/vector-store-objects.ts'
import { type AuthorizedCall, json } from '../exchange.ts'
import { callerOnce } from '../idempotency-key.ts'
import { isPlainId, pathParam } from '../query.ts'
import type { ProtectedRoute } from '../route-table.ts'
import { warningHeaders } from '../run-headers.ts'
import { readStorePage } from '../store-page.ts'
import type { RoutePorts } from './route-ports.ts'

export type StorePorts = Pick<RoutePorts, 'vectorStores' | 'validate' | 'limits'>

export const ALL_STORES = '/v1/vector_stores'
export const ONE_STORE = `${ALL_STORES}/:id`

export const vectorStoreRoutes = (ports: StorePorts): readonly ProtectedRoute[] => [
  createStore(ports),
  {
    method: 'GET',
    pattern: ALL_STORES,
    access: 'read-files',
    body: 'none',
    handle: async ({ query, caller }) => json(await ports.vectorStores.list(readStorePage(query), caller)),
  },
  {
    method: 'GET',
    pattern: ONE_STORE,
    access: 'read-files',
    body: 'none',
    handle: async (call) => json(await ports.vectorStores.get(storeId(call), call.caller)),
  },
  updateStore(ports),
  {
    method: 'DELETE',
    pattern: ONE_STORE,
    access: 'files',
    body: 'none',
    async handle(call) {
      const id = storeId(call)
      await ports.vectorStores.delete(id, call.caller)
      return json({ id, object: 'vector_store.deleted', deleted: true })
    },
  },
  searchStore(ports),
]

export function storeId({ params }: AuthorizedCall): string {
  const id = pathParam(params, 'id')
  if (!isPlainId(id)) throw vectorStoreNotFound(id)
  return id
}

type Checked<T> = { readonly request: T; readonly warnings: readonly string[] }

/** The request, its warnings told in a header. */
export function taken<T>(call: AuthorizedCall, { request, warnings }: Checked<T>, { limits }: StorePorts): T {
  Object.assign(call.exchange.headers, warningHeaders(warnings, limits.warningBytes))
  return request
}

const createStore = (ports: StorePorts): ProtectedRoute => ({
  method: 'POST',
  pattern: ALL_STORES,
  access: 'files',
  body: 'optional-json',
  async handle(call) {
    const request = taken(call, ports.validate.createVectorStore(call.body), ports)
    return json(await ports.vectorStores.create(request, callerOnce(call)))
  },
})

const updateStore = (ports: StorePorts): ProtectedRoute => ({
  method: 'POST',
  pattern: ONE_STORE,
  access: 'files',
  body: 'json',
  async handle(call) {
    const id = storeId(call)
    const request = taken(call, ports.validate.updateVectorStore(call.body), ports)
    return json(await ports.vectorStores.update(id, request, callerOnce(call, id)))
  },
})

const searchStore = (ports: StorePorts): ProtectedRoute => ({
  method: 'POST',
  pattern: `${ONE_STORE}/search`,
  access: 'read-files',
  body: 'json',
  async handle(call) {
    const id = storeId(call)
    const request = taken(call, ports.validate.searchVectorStore(call.body), ports)
    return json(await ports.vectorStores.search(id, request, call.caller))
  },
})
