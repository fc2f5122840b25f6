/** `GET /v1/models/{model}`; ids may hold slashes, encoded or not. */
import { modelNotFound } from '../../protocol/errors.ts'
import { json } from '../exchange.ts'
import { pathParam } from '../query.ts'
import type { ProtectedRoute } from '../route-table.ts'
import { toEmbedderObject, toModelObject } from './model-objects.ts'
import type { RoutePorts } from './route-ports.ts'

const MAX_ID_CHARS = 256

export const getModel = ({ catalog, embedders }: Pick<RoutePorts, 'catalog' | 'embedders'>): ProtectedRoute => ({
  method: 'GET',
  pattern: '/v1/models/*',
  access: 'read',
  body: 'none',
  async handle({ params }) {
    const id = pathParam(params, '*')
    if (id.length > MAX_ID_CHARS) throw modelNotFound(id.slice(0, MAX_ID_CHARS), 404)
    const embedder = (await embedders.list()).find((entry) => entry.id === id)
    if (embedder !== undefined) return json(toEmbedderObject(embedder))
    const entry = await catalog.get(id)
    if (entry === null) throw modelNotFound(id, 404)
    return json(toModelObject(entry))
  },
})
