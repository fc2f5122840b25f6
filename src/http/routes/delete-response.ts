/** `DELETE /v1/responses/{id}`. */
import { responseNotFound } from '../../protocol/errors.ts'
import { json } from '../exchange.ts'
import { isPlainId, pathParam } from '../query.ts'
import type { ProtectedRoute } from '../route-table.ts'
import type { RoutePorts } from './route-ports.ts'

export const deleteResponse = ({ engine }: Pick<RoutePorts, 'engine'>): ProtectedRoute => ({
  method: 'DELETE',
  pattern: '/v1/responses/:id',
  access: 'responses',
  body: 'none',
  async handle({ params, caller }) {
    const id = pathParam(params, 'id')
    if (!isPlainId(id)) throw responseNotFound(id)
    await engine.deleteResponse(id, caller)
    return json({ id, object: 'response', deleted: true })
  },
})
