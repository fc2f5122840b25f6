/** The end of a background response as receivers of webhooks are told. */
import { type Clock, seconds } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { ResponseObject, ResponseStatus } from '../protocol/response.ts'
import type { WebhookEventType } from '../protocol/webhooks.ts'
import type { WebhookEvent } from '../store/webhook-store.ts'

/** How long the log of deliveries knows an event. */
const LOG_SECONDS = 30 * 24 * 3600

const EVENT_OF: Readonly<Partial<Record<ResponseStatus, WebhookEventType>>> = {
  completed: 'response.completed',
  failed: 'response.failed',
  cancelled: 'response.cancelled',
  incomplete: 'response.incomplete',
}

type Ended = Pick<ResponseObject, 'id' | 'background' | 'status'>

/** Null for a response that is not in the background: whoever asked for it has been told. */
export function webhookEventOf(response: Ended, { clock, ids }: { clock: Clock; ids: Ids }): WebhookEvent | null {
  const type = EVENT_OF[response.status]
  if (response.background !== true || type === undefined) return null
  const createdAt = seconds(clock)
  return { id: ids.next('evt'), type, responseId: response.id, createdAt, expiresAt: createdAt + LOG_SECONDS }
}
