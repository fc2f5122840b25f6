/**
 * What is known about a model from its name alone: well-known families only, and only what their makers document.
 *
 * Windows are given for models that one maker serves. Open weights are served with whatever window the operator chose,
 * so theirs come from the engine or stay unknown. A missing field means unknown; a number is never guessed.
 */
import type { ModelCapabilities } from './model.ts'

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
  rule(`gpt-5(\\.\\d+)?-chat`, { ...VISION, ...window(128_000, 16_384) }),
  rule(`gpt-5(\\.[12])?(-mini|-nano|-codex|-codex-mini)?${DATED}$`, {
    ...REASONING_VISION,
    ...window(400_000, 128_000),
  }),
  rule(`gpt-5`, REASONING_VISION),
  rule(`gpt-4\\.1(-mini|-nano)?${DATED}$`, { ...VISION, ...window(1_047_576, 32_768) }),
  rule(`gpt-4o-2024-05-13$`, { ...VISION, ...window(128_000, 4096) }),
  rule(`(chatgpt-4o-latest|gpt-4o(-mini)?${DATED})$`, { ...VISION, ...window(128_000, 16_384) }),
  rule(`gpt-4-turbo${DATED}$`, { ...VISION, ...window(128_000, 4096) }),
  rule(`gpt-4(-0613)?$`, { ...TEXT, ...window(8192, 8192) }),
  rule(`gpt-3\\.5-turbo(-0125|-1106)?$`, { ...TEXT, ...window(16_385, 4096) }),
  rule(`o1-mini`, { ...REASONING, functionTools: false, ...window(128_000, 65_536) }),
  rule(`o3-mini`, { ...REASONING, ...window(200_000, 100_000) }),
  rule(`(o1|o3|o4-mini)${DATED}$`, { ...REASONING_VISION, ...window(200_000, 100_000) }),

  rule(`claude-3-(opus|sonnet|haiku)`, { ...VISION, ...window(200_000, 4096) }),
  rule(`claude-3-5-`, { ...VISION, ...window(200_000, 8192) }),
  rule(`claude-3-7-sonnet`, { ...REASONING_VISION, ...window(200_000, 64_000) }),
  rule(`claude-opus-4(-0|-1|-\\d{8}|-1-\\d{8})?$`, { ...REASONING_VISION, ...window(200_000, 32_000) }),
  rule(`claude-(sonnet-4|opus-4-5|sonnet-4-5|haiku-4-5)(-0|-\\d{8})?$`, {
    ...REASONING_VISION,
    ...window(200_000, 64_000),
  }),
  rule(`claude-(opus-4-[678]|sonnet-4-6|(fable|mythos|opus|sonnet|haiku)-5)`, {
    ...REASONING_VISION,
    ...window(1_000_000, 128_000),
  }),
  rule(`claude-`, { imageInput: true, functionTools: true }),

  rule(`gemini-1\\.5-pro`, { ...VISION, ...window(2_097_152, 8192) }),
  rule(`gemini-(1\\.5|2\\.0)-flash`, { ...VISION, ...window(1_048_576, 8192) }),
  rule(`gemini-2\\.5-(pro|flash|flash-lite)(-preview.*)?$`, { ...REASONING_VISION, ...window(1_048_576, 65_536) }),
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
]

/** Models that answer no prompts; listed by providers next to those that do. */
const NO_CHAT =
  /embed|^(bge|e5|gte)-|rerank|whisper|(^|-)(tts|transcribe|realtime|audio)(-|$)|moderation|^(dall-e|gpt-image|sora|imagen|veo)/

/** The part of a name that the rules look at: without vendor folders, in lower case. */
const baseName = (name: string) => (name.split('/').at(-1) ?? name).toLowerCase()

export const knownModelInfo = (name: string): ModelInfo =>
  RULES.find(({ names }) => names.test(baseName(name)))?.info ?? {}

/** False for embeddings, speech, images and the like, as far as the name tells. */
export const isChatModel = (name: string): boolean => !NO_CHAT.test(baseName(name))

/** Later ones win, field by field; an unknown field never hides a known one. */
export function mergeInfo(...infos: readonly ModelInfo[]): ModelInfo {
  const known = (info: ModelInfo) => Object.entries(info).filter(([, value]) => value !== undefined && value !== null)
  return Object.fromEntries(infos.flatMap(known))
}
