/** `POST /v1/responses/input_tokens`. */
import { json } from '../exchange.ts'
import type { ProtectedRoute } from '../route-table.ts'
import { warningHeaders } from '../run-headers.ts'
import type { RoutePorts } from './route-ports.ts'

type Ports = Pick<RoutePorts, 'engine' | 'validate' | 'limits'>

export const countInputTokens = ({ engine, validate, limits }: Ports): ProtectedRoute => ({
  method: 'POST',
  pattern: '/v1/responses/input_tokens',
  access: 'responses',
  body: 'json',
  async handle({ body, caller, exchange }) {
    const { request, warnings } = validate.countInputTokens(body)
    Object.assign(exchange.headers, warningHeaders(warnings, limits.warningBytes))
    return json({ object: 'response.input_tokens', input_tokens: await engine.countInputTokens(request, caller) })
  },
})
