/** The operations on webhook endpoints and the log of their deliveries. */
import { json, type Operation, ok, PAGE_PARAMETERS, pathParameter } from './openapi-operation.ts'

const ENDPOINT_ID = pathParameter('webhook_endpoint_id', 'The id of a webhook endpoint.')
const PATH = '/v1/webhook_endpoints'

const entries: readonly Omit<Operation, 'tag'>[] = [
  {
    method: 'get',
    path: '/v1/webhook_event_types',
    id: 'listWebhookEventTypes',
    summary: 'List the events that an endpoint can be told of',
    replies: ok('The types.', json('WebhookEventTypeList')),
  },
  {
    method: 'post',
    path: PATH,
    id: 'createWebhookEndpoint',
    summary: 'Register an endpoint; the answer holds its signing secret, once',
    body: 'CreateWebhookEndpoint',
    replies: ok('The endpoint with its secret.', json('WebhookEndpointWithSecret')),
  },
  {
    method: 'get',
    path: PATH,
    id: 'listWebhookEndpoints',
    summary: 'List the endpoints',
    parameters: PAGE_PARAMETERS,
    replies: ok('One page of endpoints.', json('WebhookEndpointList')),
  },
  {
    method: 'get',
    path: `${PATH}/{webhook_endpoint_id}`,
    id: 'getWebhookEndpoint',
    summary: 'Get an endpoint',
    parameters: [ENDPOINT_ID],
    replies: ok('The endpoint.', json('WebhookEndpoint')),
  },
  {
    method: 'post',
    path: `${PATH}/{webhook_endpoint_id}`,
    id: 'updateWebhookEndpoint',
    summary: 'Change name, URL or events of an endpoint',
    parameters: [ENDPOINT_ID],
    body: 'UpdateWebhookEndpoint',
    bodyOptional: true,
    replies: ok('The endpoint as it is now.', json('WebhookEndpoint')),
  },
  {
    method: 'delete',
    path: `${PATH}/{webhook_endpoint_id}`,
    id: 'deleteWebhookEndpoint',
    summary: 'Delete an endpoint with its deliveries',
    parameters: [ENDPOINT_ID],
    replies: ok('It is deleted.', json('DeletedWebhookEndpoint')),
  },
  {
    method: 'post',
    path: `${PATH}/{webhook_endpoint_id}/rotate_secret`,
    id: 'rotateWebhookSecret',
    summary: 'Replace the signing secret',
    parameters: [ENDPOINT_ID],
    body: 'RotateWebhookSecret',
    bodyOptional: true,
    replies: ok('The endpoint with its new secret.', json('WebhookEndpointWithSecret')),
  },
  {
    method: 'post',
    path: `${PATH}/{webhook_endpoint_id}/test`,
    id: 'testWebhookEndpoint',
    summary: 'Send a sample event now',
    parameters: [ENDPOINT_ID],
    body: 'TestWebhookEndpoint',
    replies: ok('How the endpoint answered.', json('WebhookTestResult')),
  },
  {
    method: 'get',
    path: `${PATH}/{webhook_endpoint_id}/deliveries`,
    id: 'listWebhookDeliveries',
    summary: 'List what was sent to an endpoint, and what waits',
    parameters: [ENDPOINT_ID, ...PAGE_PARAMETERS],
    replies: ok('One page of deliveries.', json('WebhookDeliveryList')),
  },
  {
    method: 'post',
    path: `${PATH}/{webhook_endpoint_id}/deliveries/{event_id}/redeliver`,
    id: 'redeliverWebhook',
    summary: 'Send an event again',
    parameters: [ENDPOINT_ID, pathParameter('event_id', 'The id of the event.')],
    replies: ok('The delivery, which is due now.', json('WebhookDelivery')),
  },
]

export const WEBHOOK_OPERATIONS: readonly Operation[] = entries.map((entry) => ({ ...entry, tag: 'Webhooks' }))
