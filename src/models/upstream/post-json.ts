/** One small question to a provider: a JSON answer, and the same errors as a call that is streamed. */
import { callUpstream, type UpstreamReply } from '../../lib/upstream-http.ts'
import { ModelError } from '../model.ts'
import { assertAccepted } from './assert-accepted.ts'
import { parseJson } from './fields.ts'
import type { UpstreamCall, UpstreamOptions } from './stream-upstream.ts'
import { toModelError } from './to-model-error.ts'

export type Asking = Pick<UpstreamOptions, 'provider' | 'secrets' | 'params' | 'clock' | 'clocks' | 'dispatcher'>

/** Longer answers are refused. */
const MAX_ANSWER_BYTES = 1024 * 1024
/** No such question takes longer, however patient the connection's clocks are: somebody waits for it. */
const MAX_WAIT_MS = 5_000

/** `undefined` when the answer is no JSON. Throws `ModelError`. */
export async function postJson(
  options: Asking,
  call: UpstreamCall,
  { model, signal }: { readonly model: string; readonly signal: AbortSignal },
): Promise<unknown> {
  const { provider, secrets, params, clock, dispatcher } = options
  const wholeMs = Math.min(MAX_WAIT_MS, options.clocks.wholeMs)
  const clocks = { ...options.clocks, wholeMs }
  let reply: UpstreamReply | null = null
  try {
    reply = await callUpstream({ dispatcher, ...call, signal, clock, clocks })
    await assertAccepted(reply, { provider, model, secrets, params }, clock)
    const { text, complete } = await reply.readText(MAX_ANSWER_BYTES)
    if (!complete) throw new ModelError('malformed', `The answer of the provider '${provider}' is too long.`)
    return parseJson(text)
  } catch (cause) {
    throw toModelError(cause, provider, reply?.status ?? null)
  } finally {
    reply?.destroy()
  }
}
