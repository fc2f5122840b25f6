import type { Clock } from '../../lib/clock.ts'
import type { UpstreamReply } from '../../lib/upstream-http.ts'
import { mapHttpError, type UpstreamErrorContext } from './map-error.ts'

/** An error body is read no further than this. */
const MAX_ERROR_BYTES = 64 * 1024

/** Throws `ModelError` for a reply whose status says that the call was refused, with what its body says. */
export async function assertAccepted(reply: UpstreamReply, error: UpstreamErrorContext, clock: Clock): Promise<void> {
  if (reply.status >= 200 && reply.status <= 299) return
  const { text } = await reply.readText(MAX_ERROR_BYTES)
  throw mapHttpError({ status: reply.status, body: text, header: reply.header, nowMs: clock.now() }, error)
}
