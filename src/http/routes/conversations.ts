/** `/v1/conversations` and `/v1/conversations/{id}`. */
import { conversationNotFound } from '../../protocol/errors.ts'
import { type AuthorizedCall, json } from '../exchange.ts'
import { callerOnce } from '../idempotency-key.ts'
import { isPlainId, pathParam } from '../query.ts'
import type { ProtectedRoute } from '../route-table.ts'
import { warningHeaders } from '../run-headers.ts'
import type { RoutePorts } from './route-ports.ts'

type Ports = Pick<RoutePorts, 'engine' | 'validate' | 'limits'>

const ONE = '/v1/conversations/:id'

export const conversationRoutes = (ports: Ports): readonly ProtectedRoute[] => [
  createConversation(ports),
  getConversation(ports),
  updateConversation(ports),
  deleteConversation(ports),
]

export function conversationId({ params }: AuthorizedCall): string {
  const id = pathParam(params, 'id')
  if (!isPlainId(id)) throw conversationNotFound(id)
  return id
}

const createConversation = ({ engine, validate, limits }: Ports): ProtectedRoute => ({
  method: 'POST',
  pattern: '/v1/conversations',
  access: 'responses',
  body: 'optional-json',
  async handle(call) {
    const { request, warnings } = validate.createConversation(call.body)
    Object.assign(call.exchange.headers, warningHeaders(warnings, limits.warningBytes))
    return json(await engine.conversations.create(request, callerOnce(call)))
  },
})

const getConversation = ({ engine }: Ports): ProtectedRoute => ({
  method: 'GET',
  pattern: ONE,
  access: 'read',
  body: 'none',
  async handle(call) {
    return json(await engine.conversations.get(conversationId(call), call.caller))
  },
})

const updateConversation = ({ engine, validate, limits }: Ports): ProtectedRoute => ({
  method: 'POST',
  pattern: ONE,
  access: 'responses',
  body: 'json',
  async handle(call) {
    const id = conversationId(call)
    const { request, warnings } = validate.updateConversation(call.body)
    Object.assign(call.exchange.headers, warningHeaders(warnings, limits.warningBytes))
    return json(await engine.conversations.update(id, request, callerOnce(call, id)))
  },
})

const deleteConversation = ({ engine }: Ports): ProtectedRoute => ({
  method: 'DELETE',
  pattern: ONE,
  access: 'responses',
  body: 'none',
  async handle(call) {
    const id = conversationId(call)
    await engine.conversations.delete(id, call.caller)
    return json({ id, object: 'conversation.deleted', deleted: true })
  },
})
