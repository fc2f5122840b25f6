import type { ProviderConfig } from '../../config/resolved-config.ts'
import type { ListKind } from '../../models/provider-models.ts'

const ENGINE_LISTS: Readonly<Record<string, ListKind>> = {
  ollama: 'ollama',
  lmstudio: 'lmstudio',
  llamacpp: 'llamacpp',
}

/** Of those that are spoken to as OpenAI is: engines tell more of their models than its list has room for. */
export const listKindOf = ({ type }: ProviderConfig): ListKind => ENGINE_LISTS[type] ?? 'openai'
