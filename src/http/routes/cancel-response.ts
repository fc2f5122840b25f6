/** `POST /v1/responses/{id}/cancel`. */
import { responseNotFound } from '../../protocol/errors.ts'
import { json } from '../exchange.ts'
import { isPlainId, pathParam } from '../query.ts'
import type { ProtectedRoute } from '../route-table.ts'
import type { RoutePorts } from './route-ports.ts'

export const cancelResponse = ({ engine }: Pick<RoutePorts, 'engine'>): ProtectedRoute => ({
  method: 'POST',
  pattern: '/v1/responses/:id/cancel',
  access: 'responses',
  body: 'none',
  async handle({ params, caller }) {
    const id = pathParam(params, 'id')
    if (!isPlainId(id)) throw responseNotFound(id)
    return json(await engine.cancelResponse(id, caller))
  },
})
