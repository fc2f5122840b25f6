/**
 * Webhooks: endpoints of a project, the events they are sent, and the log of deliveries. Endpoints are OpenAI's shapes;
 * the log is ours, because OpenAI shows it only on a web page.
 */
import { Maybe, Nullable, OneOf, type Static, Type } from './schema.ts'

/** Of background responses alone, once each, when they end. */
export const WEBHOOK_EVENT_TYPES = [
  'response.completed',
  'response.failed',
  'response.cancelled',
  'response.incomplete',
] as const
export type WebhookEventType = (typeof WEBHOOK_EVENT_TYPES)[number]

export const MAX_WEBHOOK_NAME_CHARS = 256
export const MAX_WEBHOOK_URL_CHARS = 2_048

const name = () => Type.String({ minLength: 1, maxLength: MAX_WEBHOOK_NAME_CHARS })
const url = () => Type.String({ minLength: 1, maxLength: MAX_WEBHOOK_URL_CHARS })
const eventType = () => OneOf(WEBHOOK_EVENT_TYPES)
const eventTypes = () => Type.Array(eventType(), { minItems: 1, maxItems: WEBHOOK_EVENT_TYPES.length })

export const CreateWebhookEndpointSchema = Type.Object({ name: name(), url: url(), event_types: eventTypes() })
export const UpdateWebhookEndpointSchema = Type.Object({
  name: Maybe(name()),
  url: Maybe(url()),
  event_types: Maybe(eventTypes()),
})
export const RotateWebhookSecretSchema = Type.Object({ keep_old_secret_active_for_24_hours: Maybe(Type.Boolean()) })
export const TestWebhookEndpointSchema = Type.Object({ event_type: eventType() })

const endpointFields = {
  id: Type.String(),
  object: Type.Literal('webhook_endpoint'),
  created_at: Type.Integer(),
  updated_at: Type.Integer(),
  name: Type.String(),
  url: Type.String(),
  event_types: Type.Array(eventType()),
  signing_secret_hint: Nullable(Type.String()),
}
export const WebhookEndpointSchema = Type.Object(endpointFields)
/** The only answers that hold the secret: when it was just made. */
export const WebhookEndpointWithSecretSchema = Type.Object({ ...endpointFields, signing_secret: Type.String() })
export const DeletedWebhookEndpointSchema = Type.Object({
  id: Type.String(),
  object: Type.Literal('webhook_endpoint.deleted'),
  deleted: Type.Literal(true),
})
export const WebhookTestResultSchema = Type.Object({
  object: Type.Literal('webhook_endpoint.test'),
  webhook_endpoint_id: Type.String(),
  event_type: eventType(),
  status_code: Type.Integer(),
  success: Type.Literal(true),
})

/** `pending`: it will be tried (again). `failed`: given up; it can be sent again by hand. */
export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed'] as const

export const WebhookDeliverySchema = Type.Object({
  /** The id of its event, which is also the header `webhook-id` of every attempt. */
  id: Type.String(),
  object: Type.Literal('webhook_endpoint.delivery'),
  webhook_endpoint_id: Type.String(),
  event_type: eventType(),
  /** The response that ended. */
  response_id: Type.String(),
  created_at: Type.Integer(),
  status: OneOf(DELIVERY_STATUSES),
  attempts: Type.Integer(),
  last_attempt_at: Nullable(Type.Integer()),
  /** Null when it was never answered. */
  last_status_code: Nullable(Type.Integer()),
  last_error: Nullable(Type.String()),
  next_attempt_at: Nullable(Type.Integer()),
})

const listOf = <T extends typeof WebhookEndpointSchema | typeof WebhookDeliverySchema>(item: T) =>
  Type.Object({
    object: Type.Literal('list'),
    data: Type.Array(item),
    first_id: Nullable(Type.String()),
    last_id: Nullable(Type.String()),
    has_more: Type.Boolean(),
  })
export const WebhookEndpointListSchema = listOf(WebhookEndpointSchema)
export const WebhookDeliveryListSchema = listOf(WebhookDeliverySchema)
export const WebhookEventTypeListSchema = Type.Object({
  object: Type.Literal('list'),
  data: Type.Array(Type.String()),
})

export type CreateWebhookEndpointRequest = Static<typeof CreateWebhookEndpointSchema>
export type UpdateWebhookEndpointRequest = Static<typeof UpdateWebhookEndpointSchema>
export type RotateWebhookSecretRequest = Static<typeof RotateWebhookSecretSchema>
export type TestWebhookEndpointRequest = Static<typeof TestWebhookEndpointSchema>
export type WebhookEndpoint = Static<typeof WebhookEndpointSchema>
export type WebhookEndpointWithSecret = Static<typeof WebhookEndpointWithSecretSchema>
export type WebhookTestResult = Static<typeof WebhookTestResultSchema>
export type WebhookDelivery = Static<typeof WebhookDeliverySchema>
export type WebhookEndpointList = Static<typeof WebhookEndpointListSchema>
export type WebhookDeliveryList = Static<typeof WebhookDeliveryListSchema>

/** What a receiver gets: the id alone. It reads the response with its own key. */
export const webhookEventBody = (event: {
  readonly id: string
  readonly type: WebhookEventType
  readonly responseId: string
  /** Seconds since the epoch. */
  readonly createdAt: number
}): string =>
  JSON.stringify({
    id: event.id,
    object: 'event',
    created_at: event.createdAt,
    type: event.type,
    data: { id: event.responseId },
  })
