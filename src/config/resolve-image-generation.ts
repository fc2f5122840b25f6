/** Who draws: an engine with what it needs. */
import { IMAGE_ENGINES } from './entities.ts'
import type { ReadContext } from './kinds.ts'
import type { ReadSettings } from './read-settings.ts'
import type { ImageGenerationConfig } from './resolved-config.ts'

const OPENAI_URL = 'https://api.openai.com/v1'

/** Null where none is named, and where something was wrong with it, which was reported then. */
export function resolveImageGeneration(
  { values, placeOf }: ReadSettings,
  context: ReadContext,
): ImageGenerationConfig | null {
  const engine = values['tools.image_generation.engine']
  const url = values['tools.image_generation.url']
  const apiKey = values['tools.image_generation.api_key']
  const model = values['tools.image_generation.model']
  const useless = engine === null || engine === 'demo' ? PATHS : []
  for (const path of useless) {
    if (values[path] === null) continue
    const problem =
      engine === null
        ? `image_generation lacks "engine": one of ${IMAGE_ENGINES.join(', ')}`
        : 'the image engine "demo" takes nothing else'
    context.error(placeOf(path), problem)
  }
  if (engine === null || engine === 'demo') return engine && { engine }
  const place = placeOf('tools.image_generation.engine')
  if (engine === 'openai') {
    if (url === null && apiKey === null)
      context.error(place, 'the image engine "openai" lacks "api_key", or a "url" of your own')
    return { engine, url: url ?? OPENAI_URL, apiKey, model }
  }
  if (url === null || model === null) {
    context.error(place, `the image engine "chat" lacks "${url === null ? 'url' : 'model'}"`)
    return null
  }
  return { engine, url, apiKey, model }
}

const PATHS = ['tools.image_generation.url', 'tools.image_generation.api_key', 'tools.image_generation.model'] as const
