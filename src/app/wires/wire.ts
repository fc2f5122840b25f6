/** What one API takes: how an adapter is made, and how its provider's models are listed. Each is a file of its own. */
import type { ProviderConfig } from '../../config/resolved-config.ts'
import type { Model, ModelCapabilities } from '../../models/model.ts'
import type { ModelInfo } from '../../models/model-info.ts'
import type { ListKind } from '../../models/provider-models.ts'
import type { AdapterOptions } from '../../models/upstream/adapter-options.ts'

/** Where nothing is known a model is believed to take what the API offers; its provider then refuses what it cannot. */
export const BELIEVED: ModelCapabilities = {
  contextWindow: null,
  maxOutputTokens: null,
  imageInput: true,
  fileInput: true,
  functionTools: true,
  customTools: false,
  structuredOutput: true,
  reasoning: true,
  logprobs: true,
}

/** `model`: the name the provider knows. */
export type OpenOptions = AdapterOptions & { readonly model: string }

export type Wire = {
  open(options: OpenOptions, connection: ProviderConfig, info: ModelInfo): Model
  listKind(connection: ProviderConfig): ListKind
  /** The address as the adapter wants it, where a configured one may be written otherwise. */
  base?(connection: ProviderConfig): string
  /** Headers that let a list request in. */
  authorize(apiKey: string, connection: ProviderConfig): Readonly<Record<string, string>>
}
