/** `POST /v1/embeddings`. */
import { toEmbeddingList } from '../../protocol/embeddings.ts'
import { json } from '../exchange.ts'
import type { ProtectedRoute } from '../route-table.ts'
import { runHeaders } from '../run-headers.ts'
import type { RoutePorts } from './route-ports.ts'

type Ports = Pick<RoutePorts, 'engine' | 'validate' | 'limits'>

export const createEmbeddings = ({ engine, validate, limits }: Ports): ProtectedRoute => ({
  method: 'POST',
  pattern: '/v1/embeddings',
  access: 'responses',
  body: 'json',
  async handle({ body, caller, exchange }) {
    const { request, warnings } = validate.embeddings(body)
    const made = await engine.createEmbeddings(request, caller)
    Object.assign(exchange.headers, runHeaders(made, warnings, limits.warningBytes))
    const { encoding } = request
    return json(toEmbeddingList(made.model, made.vectors, { encoding, inputTokens: made.usage.input_tokens }))
  },
})
