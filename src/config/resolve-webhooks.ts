/** Endpoints of webhooks that the operator has set. */
import { WEBHOOK_EVENTS, type webhooks as webhooksKind } from './entities.ts'
import type { Read, ReadContext } from './kinds.ts'
import { DEFAULT_PROJECT_NAME, projectIdOf } from './project-name.ts'
import type { WebhookConfig } from './resolved-config.ts'

type Written = Read<ReturnType<typeof webhooksKind>>

/** A secret in the clear is only as good as it is long. */
const MIN_SECRET_CHARS = 16
const BASE64_SECRET = /^whsec_[A-Za-z0-9+/]{22,}={0,2}$/

export function resolveWebhooks(written: Written | null, context: Pick<ReadContext, 'error'>): WebhookConfig[] {
  return [...(written ?? [])].map(([name, { url, secret, events, project }]) => {
    const problem = problemOf(secret.value)
    if (problem !== null) context.error(secret.place, `the secret of the webhook "${name}" ${problem}`)
    return {
      name,
      url,
      secret: secret.value,
      events: events ?? WEBHOOK_EVENTS,
      projectId: projectIdOf(project?.value ?? DEFAULT_PROJECT_NAME),
    }
  })
}

function problemOf(secret: string): string | null {
  if (secret.startsWith('whsec_'))
    return BASE64_SECRET.test(secret) ? null : 'is not "whsec_" and base64 of 16 bytes or more'
  return secret.length < MIN_SECRET_CHARS ? `is shorter than ${MIN_SECRET_CHARS} characters` : null
}
