import { createChatCompletionsModel } from '../../models/chat-completions/chat-completions-model.ts'
import { quirksOf } from '../../models/chat-completions/providers.ts'
import type { ModelCapabilities } from '../../models/model.ts'
import { listKindOf } from './list-kind.ts'
import { BELIEVED, type Wire } from './wire.ts'

export const CHAT: Wire = {
  open(options, { type, quirks: switched }, info) {
    // Azure's Chat Completions are OpenAI's.
    const quirks = quirksOf(type === 'azure' ? 'openai' : type, switched)
    const capabilities: ModelCapabilities = {
      ...BELIEVED,
      customTools: quirks.customTools,
      structuredOutput: quirks.structuredOutput === 'json_schema',
      logprobs: quirks.logprobs,
      ...info,
    }
    return createChatCompletionsModel({ ...options, quirks, capabilities })
  },
  listKind: listKindOf,
  authorize: (apiKey) => ({ authorization: `Bearer ${apiKey}` }),
}
