/** Composition: the providers that are known by name, each with the API it is spoken to in. */
import type { KnownProvider } from '../config/known-providers.ts'
import { CHAT_PROVIDERS } from '../models/chat-completions/providers.ts'

export const BUILT_IN_PROVIDERS: readonly KnownProvider[] = CHAT_PROVIDERS.map((row) => ({ ...row, wireApi: 'chat' }))
