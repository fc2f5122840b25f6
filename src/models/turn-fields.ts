/** PORT: what the names of request fields mean on a turn: whether one is asked for, and the turn without it. */
import type { TurnField } from '../lib/field-support.ts'
import type { StoredPart } from '../protocol/content.ts'
import type { ModelTurn, TurnItem } from './model.ts'

const ASKED: Readonly<Record<TurnField, (turn: ModelTurn) => boolean>> = {
  instructions: (turn) => !!turn.instructions,
  'input.image': (turn) => turn.items.some((item) => holds(item, 'input_image')),
  'input.image_url': (turn) => turn.items.some((item) => partsOf(item).some((part) => addressOf(part, 'input_image'))),
  'input.file': (turn) => turn.items.some((item) => holds(item, 'input_file')),
  'input.file_url': (turn) => turn.items.some((item) => partsOf(item).some((part) => addressOf(part, 'input_file'))),
  'tools.function': (turn) => turn.tools.some(({ type }) => type === 'function'),
  'tools.custom': (turn) => turn.tools.some(({ type }) => type === 'custom'),
  'tools.strict': (turn) => turn.tools.some((tool) => tool.type === 'function' && tool.strict),
  tool_choice: (turn) => turn.toolChoice.mode === 'required',
  'tool_choice.allowed_tools': (turn) => turn.toolChoice.allowed !== null,
  parallel_tool_calls: (turn) => !turn.parallelToolCalls && turn.tools.length > 0,
  'text.format.json_schema': (turn) => turn.text.format.type === 'json_schema',
  'text.format.json_object': (turn) => turn.text.format.type === 'json_object',
  'text.verbosity': (turn) => turn.text.verbosity !== 'medium',
  'reasoning.effort': (turn) => turn.reasoning.effort !== null,
  'reasoning.summary': (turn) => turn.reasoning.summary !== null,
  temperature: (turn) => turn.temperature !== null,
  top_p: (turn) => turn.topP !== null,
  presence_penalty: (turn) => !!turn.presencePenalty,
  frequency_penalty: (turn) => !!turn.frequencyPenalty,
  top_logprobs: (turn) => turn.topLogprobs !== null,
  max_output_tokens: (turn) => turn.maxOutputTokens !== null,
  stop: (turn) => turn.stop !== null && turn.stop.length > 0,
  service_tier: (turn) => !!turn.serviceTier && turn.serviceTier !== 'auto' && turn.serviceTier !== 'default',
  prompt_cache_key: (turn) => !!turn.promptCacheKey,
  prompt_cache_retention: (turn) => !!turn.promptCacheRetention,
  // Lies in content parts; whether an adapter finds one is its own business.
  prompt_cache_breakpoint: () => false,
  safety_identifier: (turn) => !!turn.safetyIdentifier,
}

/** Whether the answer could differ by this field. */
export const isAsked = (field: TurnField, turn: ModelTurn): boolean => ASKED[field](turn)

const holds = (item: TurnItem, type: 'input_image' | 'input_file') => partsOf(item).some((part) => part.type === type)

/** What a client or a tool said in parts. */
export function partsOf(item: TurnItem): readonly StoredPart[] {
  if (item.type === 'message') return item.role === 'assistant' ? [] : item.content
  if (item.type !== 'function_call_output' && item.type !== 'custom_tool_call_output') return []
  return typeof item.output === 'string' ? [] : item.output
}

/** Where the content of a part has to be fetched from; null: it is there, or it is another kind of part. */
export function addressOf(part: StoredPart, type: 'input_image' | 'input_file'): string | null {
  if (part.type !== type) return null
  if (part.type === 'input_file') return part.file_data ? null : part.file_url || null
  const url = part.type === 'input_image' ? part.image_url : null
  return url && /^https?:/i.test(url) ? url : null
}

const plainText = (turn: ModelTurn): Partial<ModelTurn> => ({ text: { ...turn.text, format: { type: 'text' } } })
const withoutTools = (turn: ModelTurn, type: 'function' | 'custom'): Partial<ModelTurn> => ({
  tools: turn.tools.filter((tool) => tool.type !== type),
})

/** What takes the place of a field that is left out. Content that was said is never taken out of a turn. */
const DEFAULTS: Readonly<Partial<Record<TurnField, (turn: ModelTurn) => Partial<ModelTurn>>>> = {
  'tools.function': (turn) => withoutTools(turn, 'function'),
  'tools.custom': (turn) => withoutTools(turn, 'custom'),
  'tools.strict': ({ tools }) => ({
    tools: tools.map((tool) => (tool.type === 'function' ? { ...tool, strict: false } : tool)),
  }),
  tool_choice: ({ toolChoice }) => ({ toolChoice: { ...toolChoice, mode: 'auto' } }),
  'tool_choice.allowed_tools': ({ toolChoice }) => ({ toolChoice: { ...toolChoice, allowed: null } }),
  parallel_tool_calls: () => ({ parallelToolCalls: true }),
  'text.format.json_schema': plainText,
  'text.format.json_object': plainText,
  'text.verbosity': ({ text }) => ({ text: { ...text, verbosity: 'medium' } }),
  'reasoning.effort': ({ reasoning }) => ({ reasoning: { ...reasoning, effort: null } }),
  'reasoning.summary': ({ reasoning }) => ({ reasoning: { ...reasoning, summary: null } }),
  temperature: () => ({ temperature: null }),
  top_p: () => ({ topP: null }),
  presence_penalty: () => ({ presencePenalty: null }),
  frequency_penalty: () => ({ frequencyPenalty: null }),
  top_logprobs: () => ({ topLogprobs: null }),
  max_output_tokens: () => ({ maxOutputTokens: null }),
  stop: () => ({ stop: null }),
  service_tier: () => ({ serviceTier: null }),
  prompt_cache_key: () => ({ promptCacheKey: null }),
  prompt_cache_retention: () => ({ promptCacheRetention: null }),
  safety_identifier: () => ({ safetyIdentifier: null }),
}

/** The turn as if nobody had asked for the field. */
export const withoutField = (field: TurnField, turn: ModelTurn): ModelTurn =>
  isAsked(field, turn) ? { ...turn, ...DEFAULTS[field]?.(turn) } : turn

/** The name a client used for what the tables tell apart more finely. */
const PARAMS: Readonly<Partial<Record<TurnField, string>>> = {
  'input.image': 'input',
  'input.image_url': 'input',
  'input.file': 'input',
  'input.file_url': 'input',
  'tools.function': 'tools',
  'tools.custom': 'tools',
  'tools.strict': 'tools',
  'tool_choice.allowed_tools': 'tool_choice',
  'text.format.json_schema': 'text.format',
  'text.format.json_object': 'text.format',
}
export const paramOf = (field: TurnField): string => PARAMS[field] ?? field
