/**
 * Google's Gemini API for tests: a real HTTP server on 127.0.0.1 with `streamGenerateContent`, `countTokens` and the
 * list of models, as strict as the real one (gemini-validate). It answers by script, or by the rules of the chat
 * upstream over what the user wrote; `[[block SAFETY]]` blocks the prompt.
 */
import type { ChatUpstreamOptions } from './chat-script.ts'
import type { ChatUpstream } from './chat-upstream.ts'
import { startFakeUpstream } from './fake-upstream.ts'
import { createGeminiResponder } from './gemini-responder.ts'

/** `url` is the base URL, with `/v1beta`. */
export async function startGeminiUpstream(options: ChatUpstreamOptions = {}): Promise<ChatUpstream> {
  const upstream = await startFakeUpstream(options, createGeminiResponder(options))
  return { ...upstream, url: `http://127.0.0.1:${upstream.port}/v1beta` }
}
