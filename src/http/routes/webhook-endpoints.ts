/** `/v1/webhook_endpoints`: where the ends of background responses are told, and what became of it. */
import { endpointNotFound } from '../../engine/webhooks.ts'
import { notFound } from '../../protocol/errors.ts'
import {
  validateCreateWebhook,
  validateRotateWebhook,
  validateTestWebhook,
  validateUpdateWebhook,
} from '../../protocol/validate-webhook.ts'
import { WEBHOOK_EVENT_TYPES } from '../../protocol/webhooks.ts'
import { type AuthorizedCall, json } from '../exchange.ts'
import { callerOnce } from '../idempotency-key.ts'
import { isPlainId, pathParam, readPage } from '../query.ts'
import type { ProtectedRoute } from '../route-table.ts'
import type { RoutePorts } from './route-ports.ts'

type Ports = Pick<RoutePorts, 'webhooks'>
const PATH = '/v1/webhook_endpoints'

export const webhookRoutes = (ports: Ports): readonly ProtectedRoute[] => [
  {
    method: 'GET',
    pattern: '/v1/webhook_event_types',
    access: 'read',
    body: 'none',
    handle: async () => json({ object: 'list', data: WEBHOOK_EVENT_TYPES }),
  },
  ...endpointRoutes(ports),
  ...deliveryRoutes(ports),
]

const endpointRoutes = ({ webhooks }: Ports): readonly ProtectedRoute[] => [
  {
    method: 'POST',
    pattern: PATH,
    access: 'responses',
    body: 'json',
    handle: async (call) => json(await webhooks.create(validateCreateWebhook(call.body), callerOnce(call))),
  },
  {
    method: 'GET',
    pattern: PATH,
    access: 'read',
    body: 'none',
    handle: async ({ query, caller }) => json(await webhooks.list(readPage(query), caller)),
  },
  {
    method: 'GET',
    pattern: `${PATH}/:id`,
    access: 'read',
    body: 'none',
    handle: async (call) => json(await webhooks.get(idOf(call), call.caller)),
  },
  {
    method: 'POST',
    pattern: `${PATH}/:id`,
    access: 'responses',
    body: 'optional-json',
    handle: async (call) => json(await webhooks.update(idOf(call), validateUpdateWebhook(call.body), call.caller)),
  },
  {
    method: 'DELETE',
    pattern: `${PATH}/:id`,
    access: 'responses',
    body: 'none',
    async handle(call) {
      const id = idOf(call)
      await webhooks.delete(id, call.caller)
      return json({ id, object: 'webhook_endpoint.deleted', deleted: true })
    },
  },
]

const deliveryRoutes = ({ webhooks }: Ports): readonly ProtectedRoute[] => [
  {
    method: 'POST',
    pattern: `${PATH}/:id/rotate_secret`,
    access: 'responses',
    body: 'optional-json',
    handle: async (call) =>
      json(await webhooks.rotateSecret(idOf(call), validateRotateWebhook(call.body), call.caller)),
  },
  {
    method: 'POST',
    pattern: `${PATH}/:id/test`,
    access: 'responses',
    body: 'json',
    handle: async (call) => json(await webhooks.test(idOf(call), validateTestWebhook(call.body), call.caller)),
  },
  {
    method: 'GET',
    pattern: `${PATH}/:id/deliveries`,
    access: 'read',
    body: 'none',
    handle: async (call) => json(await webhooks.listDeliveries(idOf(call), readPage(call.query), call.caller)),
  },
  {
    method: 'POST',
    pattern: `${PATH}/:id/deliveries/:event/redeliver`,
    access: 'responses',
    body: 'none',
    async handle(call) {
      const event = pathParam(call.params, 'event')
      if (!isPlainId(event)) throw notFound('There is no such delivery.')
      return json(await webhooks.redeliver(idOf(call), event, call.caller))
    },
  },
]

function idOf({ params }: AuthorizedCall): string {
  const id = pathParam(params, 'id')
  if (!isPlainId(id)) throw endpointNotFound(id)
  return id
}
