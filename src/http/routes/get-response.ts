/** `GET /v1/responses/{id}`. Replay by `stream=true` belongs to background runs, which are refused on creation. */
import { badRequest, responseNotFound } from '../../protocol/errors.ts'
import { json } from '../exchange.ts'
import { isPlainId, pathParam, readBoolean, readInclude, readIndex } from '../query.ts'
import type { ProtectedRoute } from '../route-table.ts'
import type { RoutePorts } from './route-ports.ts'

export const getResponse = ({ engine }: Pick<RoutePorts, 'engine'>): ProtectedRoute => ({
  method: 'GET',
  pattern: '/v1/responses/:id',
  access: 'read',
  body: 'none',
  async handle({ params, query, caller }) {
    readInclude(query)
    readIndex(query, 'starting_after')
    readBoolean(query, 'include_obfuscation')
    if (readBoolean(query, 'stream')) throw notStreamable()
    const id = pathParam(params, 'id')
    if (!isPlainId(id)) throw responseNotFound(id)
    return json(await engine.getResponse(id, caller))
  },
})

const notStreamable = () =>
  badRequest(
    'stream',
    'invalid_value',
    "Only responses created with 'background: true' and 'stream: true' can be streamed again. Leave 'stream' out.",
  )
