/** Composition: the providers that are known by name, each with the API it is spoken to in. */
import { createProviderCatalog, type KnownProvider, type ProviderCatalog } from '../config/known-providers.ts'
import { BRIDGED_PROVIDERS } from '../models/ai-sdk/providers.ts'
import { ANTHROPIC_PROVIDERS } from '../models/anthropic/providers.ts'
import { CHAT_PROVIDERS } from '../models/chat-completions/providers.ts'
import { DEFAULT_QUIRKS } from '../models/chat-completions/quirks.ts'
import { GEMINI_PROVIDER } from '../models/gemini/provider.ts'
import { RESPONSES_PROVIDERS } from '../models/responses/providers.ts'
import { DEFAULT_RESPONSES_QUIRKS } from '../models/responses/quirks.ts'

/**
 * OpenAI's own API is the Responses API. What is reached by moving `OPENAI_BASE_URL` is mostly another server, and Chat
 * Completions is what nearly all of them have.
 */
const OF_RESPONSES: readonly KnownProvider[] = RESPONSES_PROVIDERS.map((row) =>
  row.name === 'azure'
    ? { ...row, wireApi: 'responses', ownAddress: true }
    : { ...row, wireApi: 'responses', movedWireApi: 'chat' },
)
const OF_ANTHROPIC: readonly KnownProvider[] = ANTHROPIC_PROVIDERS.map((row) => ({ ...row, wireApi: 'anthropic' }))
const OF_GEMINI: KnownProvider = { ...GEMINI_PROVIDER, wireApi: 'gemini' }

/** Providers with an API better than their Chat Completions, which they may have all the same. */
const NATIVE = [...OF_RESPONSES, ...OF_ANTHROPIC, OF_GEMINI].map((native): KnownProvider => {
  const chat = CHAT_PROVIDERS.find(({ name }) => name === native.name)
  return chat === undefined ? native : { ...native, chatBaseUrl: chat.baseUrl }
})

export const BUILT_IN_PROVIDERS: readonly KnownProvider[] = [
  ...NATIVE,
  ...CHAT_PROVIDERS.filter(({ name }) => !NATIVE.some((native) => native.name === name)).map(
    (row): KnownProvider => ({ ...row, wireApi: 'chat' }),
  ),
  ...BRIDGED_PROVIDERS.map((row): KnownProvider => ({ ...row, wireApi: 'ai_sdk' })),
]

/** With the quirks of every adapter that has some. */
export const PROVIDER_CATALOG: ProviderCatalog = createProviderCatalog(BUILT_IN_PROVIDERS, {
  ...DEFAULT_QUIRKS,
  ...DEFAULT_RESPONSES_QUIRKS,
})
