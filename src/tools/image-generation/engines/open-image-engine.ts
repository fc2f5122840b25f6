/** The engines by the names of the configuration. */
import type { ImageEngine } from '../image-engine.ts'
import type { EngineParts } from './ask-image-engine.ts'
import { createChatImages } from './chat-images.ts'
import { createDemoImages } from './demo/demo-images.ts'
import { createOpenAiImages } from './openai-images.ts'

export type ImageConnection =
  | { readonly engine: 'openai'; readonly url: string; readonly apiKey: string | null; readonly model: string | null }
  | { readonly engine: 'chat'; readonly url: string; readonly apiKey: string | null; readonly model: string }
  | { readonly engine: 'demo' }

export type SharedParts = Omit<EngineParts, 'baseUrl' | 'apiKey' | 'model'>

export function openImageEngine(connection: ImageConnection, shared: SharedParts): ImageEngine {
  if (connection.engine === 'demo') return createDemoImages()
  const { url: baseUrl, apiKey, model } = connection
  if (connection.engine === 'openai') return createOpenAiImages({ ...shared, baseUrl, apiKey, model })
  return createChatImages({ ...shared, baseUrl, apiKey, model: connection.model })
}
