/** `POST /v1/responses/compact`. */
import { json } from '../exchange.ts'
import { callerOnce } from '../idempotency-key.ts'
import type { ProtectedRoute } from '../route-table.ts'
import { warningHeaders } from '../run-headers.ts'
import type { RoutePorts } from './route-ports.ts'

type Ports = Pick<RoutePorts, 'engine' | 'validate' | 'limits'>

export const compactResponse = ({ engine, validate, limits }: Ports): ProtectedRoute => ({
  method: 'POST',
  pattern: '/v1/responses/compact',
  access: 'responses',
  body: 'json',
  async handle(call) {
    const { request, warnings } = validate.compact(call.body)
    const compacted = await engine.compactResponse(request, callerOnce(call))
    Object.assign(call.exchange.headers, warningHeaders([...warnings, ...compacted.warnings], limits.warningBytes))
    return json(compacted.response)
  },
})
