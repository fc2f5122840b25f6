/**
 * A provider for tests: a real HTTP server on 127.0.0.1 with `POST /v1/chat/completions` and `GET /v1/models`, as
 * strict as the real ones (chat-validate). It answers by script (chat-script), by directives in
 * what the user wrote (chat-directives), or by rules over it (chat-rules).
 */
import { createResponder } from './chat-responder.ts'
import type { ChatUpstreamOptions, ScriptedReply } from './chat-script.ts'
import { type FakeUpstream, startFakeUpstream } from './fake-upstream.ts'

export type { ChatUpstreamOptions, ScriptedReply } from './chat-script.ts'

export type ChatUpstream = FakeUpstream<ScriptedReply>

export const startChatUpstream = (options: ChatUpstreamOptions = {}): Promise<ChatUpstream> =>
  startFakeUpstream(options, createResponder(options))

/** Waits until a condition holds; throws when it does not in time. */
/** Rejects when the condition does not come to hold; the time is for machines that are busy with much else. */
export async function waitUntil(condition: () => boolean, timeoutMs = 60_000): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!condition()) {
    if (performance.now() > end) throw new Error(`The condition did not hold within ${timeoutMs} ms.`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
