/** `POST /v1/responses/input_tokens`. */
import { json } from '../exchange.ts'
import { callerOnce } from '../idempotency-key.ts'
import type { ProtectedRoute } from '../route-table.ts'
import { warningHeaders } from '../run-headers.ts'
import type { RoutePorts } from './route-ports.ts'

type Ports = Pick<RoutePorts, 'engine' | 'validate' | 'limits'>

export const countInputTokens = ({ engine, validate, limits }: Ports): ProtectedRoute => ({
  method: 'POST',
  pattern: '/v1/responses/input_tokens',
  access: 'responses',
  body: 'json',
  async handle(call) {
    const { request, warnings } = validate.countInputTokens(call.body)
    Object.assign(call.exchange.headers, warningHeaders(warnings, limits.warningBytes))
    const input_tokens = await engine.countInputTokens(request, callerOnce(call))
    return json({ object: 'response.input_tokens', input_tokens })
  },
})
