/** `/v1/conversations/{id}/items` and `/v1/conversations/{id}/items/{item_id}`. */
import { json } from '../exchange.ts'
import { callerOnce } from '../idempotency-key.ts'
import { pathParam, readInclude, readPage } from '../query.ts'
import type { ProtectedRoute } from '../route-table.ts'
import { warningHeaders } from '../run-headers.ts'
import { conversationId } from './conversations.ts'
import type { RoutePorts } from './route-ports.ts'

type Ports = Pick<RoutePorts, 'engine' | 'validate' | 'limits'>

const ALL = '/v1/conversations/:id/items'
const ONE = '/v1/conversations/:id/items/:item_id'

export const conversationItemRoutes = (ports: Ports): readonly ProtectedRoute[] => [
  addItems(ports),
  listItems(ports),
  getItem(ports),
  deleteItem(ports),
]

const addItems = ({ engine, validate, limits }: Ports): ProtectedRoute => ({
  method: 'POST',
  pattern: ALL,
  access: 'responses',
  body: 'json',
  async handle(call) {
    const include = readInclude(call.query)
    const id = conversationId(call)
    const { request, warnings } = validate.addConversationItems(call.body)
    Object.assign(call.exchange.headers, warningHeaders(warnings, limits.warningBytes))
    return json(await engine.conversations.addItems(id, request, include, callerOnce(call, id, include)))
  },
})

const listItems = ({ engine }: Ports): ProtectedRoute => ({
  method: 'GET',
  pattern: ALL,
  access: 'read',
  body: 'none',
  async handle(call) {
    const page = readPage(call.query)
    return json(await engine.conversations.listItems(conversationId(call), page, call.caller))
  },
})

const getItem = ({ engine }: Ports): ProtectedRoute => ({
  method: 'GET',
  pattern: ONE,
  access: 'read',
  body: 'none',
  async handle(call) {
    const include = readInclude(call.query)
    const itemId = pathParam(call.params, 'item_id')
    return json(await engine.conversations.getItem(conversationId(call), itemId, include, call.caller))
  },
})

const deleteItem = ({ engine }: Ports): ProtectedRoute => ({
  method: 'DELETE',
  pattern: ONE,
  access: 'responses',
  body: 'none',
  async handle(call) {
    const itemId = pathParam(call.params, 'item_id')
    return json(await engine.conversations.deleteItem(conversationId(call), itemId, call.caller))
  },
})
