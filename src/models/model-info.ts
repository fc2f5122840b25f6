/**
 * What is known about a model from its name alone: what its maker publishes (`published-info.ts`), and what is true of a
 * whole family.
 *
 * Windows stand here only for what the package lacks or has wrong: models that were retired, and the makers' short names.
 * Open weights are served with whatever window the operator chose, so theirs come from the engine or stay unknown. A missing field
 * means unknown; a number is never guessed.
 */
import type { ModelCapabilities } from './model.ts'
import { publishedInfo } from './published-info.ts'

export type ModelInfo = { readonly [Field in keyof ModelCapabilities]?: ModelCapabilities[Field] }

type Rule = { readonly names: RegExp; readonly info: ModelInfo }

const DATED = '(-\\d{4}-\\d{2}-\\d{2})?'
const rule = (pattern: string, info: ModelInfo): Rule => ({ names: new RegExp(`^${pattern}`), info })
const window = (contextWindow: number, maxOutputTokens: number) => ({ contextWindow, maxOutputTokens })

const TEXT: ModelInfo = { imageInput: false, fileInput: false, reasoning: false, functionTools: true }
const VISION: ModelInfo = { imageInput: true, reasoning: false, functionTools: true }
const REASONING: ModelInfo = { imageInput: false, reasoning: true, functionTools: true }
const REASONING_VISION: ModelInfo = { imageInput: true, reasoning: true, functionTools: true }

/** The first rule that fits counts: special cases stand above their family. */
const RULES: readonly Rule[] = [
  rule(`gpt-oss`, REASONING),
  rule(`gpt-5(\\.\\d+)?-chat`, VISION),
  rule(`gpt-5`, REASONING_VISION),
  rule(`gpt-4\\.1(-mini|-nano)?${DATED}$`, VISION),
  rule(`(chatgpt-4o-latest|gpt-4o(-mini)?${DATED}|gpt-4-turbo${DATED})$`, VISION),
  rule(`(gpt-4|gpt-3\\.5-turbo)(-\\d+)?$`, TEXT),
  rule(`o1-mini`, { ...REASONING, functionTools: false, ...window(128_000, 65_536) }),
  rule(`o3-mini`, REASONING),
  rule(`(o1|o3|o4-mini)${DATED}$`, REASONING_VISION),

  rule(`claude-3-(opus|sonnet|haiku)`, { ...VISION, ...window(200_000, 4096) }),
  rule(`claude-3-5-`, { ...VISION, ...window(200_000, 8192) }),
  rule(`claude-3-7-sonnet`, { ...REASONING_VISION, ...window(200_000, 64_000) }),
  rule(`claude-opus-4-0$`, { ...REASONING_VISION, ...window(200_000, 32_000) }),
  // A million is behind a header that nobody sends here.
  rule(`claude-sonnet-4(-0|-20250514)$`, { ...REASONING_VISION, ...window(200_000, 64_000) }),
  // Newer than what the packages know; what they publish stands above this.
  rule(`claude-(fable|mythos|opus|sonnet|haiku)-5`, { ...REASONING_VISION, ...window(1_000_000, 128_000) }),
  rule(`claude-`, { imageInput: true, functionTools: true }),

  rule(`gemini-1\\.5-pro`, { ...VISION, ...window(2_097_152, 8192) }),
  rule(`gemini-1\\.5-flash`, { ...VISION, ...window(1_048_576, 8192) }),
  rule(`gemini-2\\.0-flash`, VISION),
  rule(`gemini-2\\.5-(pro|flash|flash-lite)(-preview.*)?$`, REASONING_VISION),
  rule(`gemini-[3-9]`, { imageInput: true, reasoning: true, functionTools: true }),

  rule(`llama-?(3\\.2-(11b|90b)|3\\.2-vision|4)`, VISION),
  rule(`(meta-)?llama-?3`, TEXT),
  rule(`(qwq|qwen-?3[.\\d]*.*thinking)`, REASONING),
  rule(`qwen.*-?vl`, VISION),
  rule(`qwen`, { imageInput: false, functionTools: true }),
  rule(`magistral`, { reasoning: true, functionTools: true }),
  rule(`(pixtral|mistral-medium-3|mistral-small-3\\.[12])`, VISION),
  rule(`(codestral|devstral|mixtral|open-mistral-7b)`, TEXT),
  rule(`mistral`, { functionTools: true }),
  rule(`deepseek-(r1|reasoner)`, { imageInput: false, reasoning: true }),
  rule(`deepseek`, { imageInput: false, functionTools: true }),
  rule(`gemma-?(3[-:](4|12|27)b|4)`, { imageInput: true }),
  rule(`(llava|internvl|minicpm-v|moondream|smolvlm|kimi-vl|glm-4[.\\d]*v|phi-(3[.\\d]*-vision|4-multimodal))`, {
    imageInput: true,
  }),
]

const EMBEDDING = /embed|^(bge|e5|gte)-|^all-minilm/

/** Models that answer no prompts and make no embeddings; listed by providers next to those that do. */
const NEITHER =
  /rerank|whisper|(^|-)(tts|transcribe|realtime|audio)(-|$)|moderation|^(dall-e|gpt-image|sora|imagen|veo)/

/** The part of a name that the rules look at: without vendor folders, in lower case. */
const baseName = (name: string) => (name.split('/').at(-1) ?? name).toLowerCase()

export function knownModelInfo(name: string): ModelInfo {
  const base = baseName(name)
  const family = RULES.find(({ names }) => names.test(base))?.info ?? {}
  const published = publishedInfo(base)
  // A window that stands above is there because the package lacks it or has it wrong.
  const { contextWindow, maxOutputTokens } = family
  return { ...family, ...published, ...(contextWindow && { contextWindow, maxOutputTokens }) }
}

/** False for embeddings, speech, images and the like, as far as the name tells. */
export const isChatModel = (name: string): boolean => !EMBEDDING.test(baseName(name)) && !NEITHER.test(baseName(name))

export const isEmbeddingModel = (name: string): boolean =>
  EMBEDDING.test(baseName(name)) && !NEITHER.test(baseName(name))

/** Later ones win, field by field; an unknown field never hides a known one. */
export function mergeInfo(...infos: readonly ModelInfo[]): ModelInfo {
  const known = (info: ModelInfo) => Object.entries(info).filter(([, value]) => value !== undefined && value !== null)
  return Object.fromEntries(infos.flatMap(known))
}
