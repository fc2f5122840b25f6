/** Composition: the providers that are known by name, each with the API it is spoken to in. */
import type { KnownProvider } from '../config/known-providers.ts'
import { ANTHROPIC_PROVIDERS } from '../models/anthropic/providers.ts'
import { CHAT_PROVIDERS } from '../models/chat-completions/providers.ts'

/** Providers with an API of their own. */
const NATIVE: readonly KnownProvider[] = ANTHROPIC_PROVIDERS.map((row) => ({ ...row, wireApi: 'anthropic' }))

/** Each is spoken to in its own API, and may be in Chat Completions. */
export const BUILT_IN_PROVIDERS: readonly KnownProvider[] = CHAT_PROVIDERS.map((chat): KnownProvider => {
  const native = NATIVE.find(({ name }) => name === chat.name)
  return native === undefined ? { ...chat, wireApi: 'chat' } : { ...native, chatBaseUrl: chat.baseUrl }
})
