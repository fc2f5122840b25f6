/** What the generations of Gemini do differently, as data by the model's name. The mappers read a row. */
import type { Effort } from '../upstream/nearest-effort.ts'

/** How much a model may think: a named level, a number of tokens, or nothing to say about it. */
export type Thinking =
  | { readonly type: 'level'; readonly levels: readonly ThinkingLevel[] }
  | { readonly type: 'budget'; readonly budgets: Readonly<Partial<Record<Effort, number>>> }
  | null

export type ThinkingLevel = 'minimal' | 'low' | 'medium' | 'high'

export type Family = {
  readonly thinking: Thinking
  /** The first function call of each step must carry a signature, be it the dummy one. */
  readonly signatures: boolean
  /** Takes `systemInstruction`; else the instructions open the first user message. */
  readonly systemInstruction: boolean
  /** Function responses may hold images and files. */
  readonly mediaInResponses: boolean
  /** Knows the calling mode `VALIDATED`: schemas of functions are kept, and the choice may be narrowed. */
  readonly validatedCalls: boolean
  /** Takes `responseMimeType` beside function declarations. */
  readonly jsonWithTools: boolean
  /** Fetches public URLs by itself. */
  readonly fileUrls: boolean
}

const GEMINI_3: Family = {
  thinking: { type: 'level', levels: ['minimal', 'low', 'medium', 'high'] },
  signatures: true,
  systemInstruction: true,
  mediaInResponses: true,
  validatedCalls: true,
  jsonWithTools: true,
  fileUrls: true,
}

/** Budgets as the maker's own table of efforts has them; Flash can be told not to think at all. */
const FLASH_BUDGETS = { none: 0, minimal: 1024, low: 1024, medium: 8192, high: 24_576 }
const PRO_BUDGETS = { minimal: 1024, low: 1024, medium: 8192, high: 24_576, xhigh: 32_768 }

const GEMINI_2_5: Family = {
  thinking: { type: 'budget', budgets: FLASH_BUDGETS },
  signatures: false,
  systemInstruction: true,
  mediaInResponses: false,
  validatedCalls: true,
  jsonWithTools: false,
  fileUrls: true,
}

const GEMINI_2_0: Family = { ...GEMINI_2_5, thinking: null, validatedCalls: false, fileUrls: false }

/** The first rule that fits counts. */
const RULES: readonly (readonly [RegExp, Family])[] = [
  [/^gemma-[23]/, { ...GEMINI_2_0, systemInstruction: false }],
  [/^gemma/, GEMINI_2_0],
  [/^(learnlm|gemini-(1|2\.0))/, GEMINI_2_0],
  [/^gemini-2\.5-pro/, { ...GEMINI_2_5, thinking: { type: 'budget', budgets: PRO_BUDGETS } }],
  [/^gemini-2/, GEMINI_2_5],
  [/^gemini-3-pro/, { ...GEMINI_3, thinking: { type: 'level', levels: ['low', 'high'] } }],
  [/^gemini-[\d.]+-pro/, { ...GEMINI_3, thinking: { type: 'level', levels: ['low', 'medium', 'high'] } }],
]

/** A name that no rule knows, as `gemini-flash-latest`, is taken for one of the newest. */
export function familyOf(model: string): Family {
  const name = model.split('/').at(-1)?.toLowerCase() ?? ''
  return RULES.find(([names]) => names.test(name))?.[1] ?? GEMINI_3
}
