/** `GET /v1/responses/{id}/input_items`. */
import { responseNotFound } from '../../protocol/errors.ts'
import { json } from '../exchange.ts'
import { isPlainId, pathParam, readPage } from '../query.ts'
import type { ProtectedRoute } from '../route-table.ts'
import type { RoutePorts } from './route-ports.ts'

export const listInputItems = ({ engine }: Pick<RoutePorts, 'engine'>): ProtectedRoute => ({
  method: 'GET',
  pattern: '/v1/responses/:id/input_items',
  access: 'read',
  body: 'none',
  async handle({ params, query, caller }) {
    const page = readPage(query)
    const id = pathParam(params, 'id')
    if (!isPlainId(id)) throw responseNotFound(id)
    return json(await engine.listInputItems(id, page, caller))
  },
})
