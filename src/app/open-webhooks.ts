/** Webhooks as the operator has set them: the endpoints of the configuration, who sends, and the use cases. */
import type { ResolvedConfig } from '../config/resolved-config.ts'
import type { IdempotencyDeps } from '../engine/idempotency.ts'
import { hintOf, sealSecret, secretsOf } from '../engine/webhook-secrets.ts'
import { createWebhooks, type Webhooks } from '../engine/webhooks.ts'
import { startWebhookDelivery } from '../jobs/deliver-webhooks.ts'
import { seconds } from '../lib/clock.ts'
import type { OutboundGuard } from '../lib/outbound-guard.ts'
import { createWebhookSender } from '../lib/send-webhook.ts'

type WebhookParts = IdempotencyDeps & {
  readonly guard: OutboundGuard
  readonly version: string
  readonly opened: AsyncDisposableStack
}

export type OpenedWebhooks = {
  readonly webhooks: Webhooks
  /** A delivery may be due. */
  wake(): void
}

export async function openWebhooks(config: ResolvedConfig, parts: WebhookParts): Promise<OpenedWebhooks> {
  const { guard, version, opened, ...deps } = parts
  const sender = createWebhookSender({
    guard,
    clock: deps.clock,
    allowPrivateHosts: config.security.allowPrivateHosts,
    userAgent: `antiphon/${version}`,
    timeoutMs: config.limits.webhookTimeMs,
  })
  await deps.store.webhooks.setConfigured(config.webhooks.map((endpoint) => toStored(endpoint, deps)))
  const delivery = opened.use(
    startWebhookDelivery({
      queue: deps.store.webhooks,
      sender,
      secretsOf: ({ projectId, endpoint }) => secretsOf({ projectId, ...endpoint }, seconds(deps.clock), deps),
      clock: deps.clock,
      telemetry: deps.telemetry,
    }),
  )
  const wake = () => delivery.wake()
  return { webhooks: createWebhooks({ ...deps, webhookSender: sender, onDelivery: wake }), wake }
}

function toStored({ name, projectId, url, secret, events }: ResolvedConfig['webhooks'][number], deps: IdempotencyDeps) {
  // The same at every start, so that deliveries that are due survive it.
  const id = `whe_${name}`
  const now = seconds(deps.clock)
  return {
    id,
    projectId,
    name,
    url,
    eventTypes: events,
    secret: sealSecret(secret, { projectId, id }, deps),
    secretHint: hintOf(secret),
    previousSecret: null,
    previousUntil: null,
    configured: true,
    createdAt: now,
    updatedAt: now,
  }
}
