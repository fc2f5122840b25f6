/** What provider packages do differently, as data. The mappers read a row; none of them knows a package's name. */
import type { JSONObject } from '@ai-sdk/provider'
import type { FieldTable, ModelTurn } from '../model.ts'

export type Dialect = {
  /** Marks reasoning state, so that it goes back only to the package it came from. */
  readonly packageName: string
  /** The key of this package's own options and metadata. */
  readonly namespace: string
  /** What its reasoning text is: the model's own thoughts, or a summary of them for people. */
  readonly reasoning: 'text' | 'summary'
  /** Text and calls carry signatures too, which must come back on exactly them. */
  readonly signedParts: boolean
  readonly fields: FieldTable
  /** Hints that only the package's own options can carry; empty: none is sent. */
  options(turn: ModelTurn): JSONObject
}

/** What every package carries is left out: it is native. What none of them has a place for is told. */
const COMMON: FieldTable = {
  'input.image_url': 'emulated',
  'input.file_url': 'emulated',
  'tool_choice.allowed_tools': 'emulated',
  'tools.custom': 'refused',
  top_logprobs: 'refused',
  parallel_tool_calls: 'ignored',
  'reasoning.summary': 'ignored',
  'text.verbosity': 'ignored',
  service_tier: 'ignored',
  prompt_cache_key: 'ignored',
  prompt_cache_retention: 'ignored',
  prompt_cache_breakpoint: 'ignored',
  safety_identifier: 'ignored',
}

const dialect = (
  packageName: string,
  namespace: string,
  rest: Partial<Omit<Dialect, 'packageName' | 'namespace'>> = {},
): Dialect => ({
  packageName,
  namespace,
  reasoning: rest.reasoning ?? 'text',
  signedParts: rest.signedParts ?? false,
  fields: { ...COMMON, ...rest.fields },
  options: rest.options ?? (() => ({})),
})

const parallel = ({ tools, parallelToolCalls }: ModelTurn): JSONObject =>
  tools.length > 0 && !parallelToolCalls ? { parallelToolCalls: false } : {}

/** Chat Completions and Responses of OpenAI take the same names. */
function openaiOptions(turn: ModelTurn): JSONObject {
  const { text, topLogprobs, serviceTier, promptCacheKey, promptCacheRetention, safetyIdentifier } = turn
  return {
    // State is kept here alone.
    store: false,
    ...parallel(turn),
    ...(topLogprobs !== null && { logprobs: topLogprobs === 0 ? true : topLogprobs }),
    ...(text.verbosity !== 'medium' && { textVerbosity: text.verbosity }),
    ...(text.format.type === 'json_schema' && { strictJsonSchema: text.format.strict === true }),
    ...(serviceTier && serviceTier !== 'auto' && { serviceTier }),
    ...(promptCacheKey && { promptCacheKey }),
    ...(promptCacheRetention && { promptCacheRetention }),
    ...(safetyIdentifier && { safetyIdentifier }),
  }
}

const OPENAI_FIELDS: FieldTable = {
  top_logprobs: 'native',
  parallel_tool_calls: 'native',
  'text.verbosity': 'native',
  service_tier: 'native',
  prompt_cache_key: 'native',
  prompt_cache_retention: 'native',
  safety_identifier: 'native',
}

const NO_PENALTIES: FieldTable = { presence_penalty: 'refused', frequency_penalty: 'refused' }

const GOOGLE: Partial<Dialect> = {
  reasoning: 'summary',
  signedParts: true,
  fields: { 'reasoning.summary': 'native' },
  options: ({ reasoning }) => (reasoning.summary === null ? {} : { thinkingConfig: { includeThoughts: true } }),
}

const DIALECTS: readonly Dialect[] = [
  dialect('@ai-sdk/amazon-bedrock', 'bedrock', { fields: NO_PENALTIES }),
  dialect('@ai-sdk/cohere', 'cohere'),
  dialect('@ai-sdk/google', 'google', GOOGLE),
  dialect('@ai-sdk/google-vertex', 'vertex', GOOGLE),
  dialect('@ai-sdk/mistral', 'mistral', {
    fields: { parallel_tool_calls: 'native' },
    options: parallel,
  }),
  dialect('@ai-sdk/openai', 'openai', { reasoning: 'summary', fields: OPENAI_FIELDS, options: openaiOptions }),
]

/** A package that is not listed is believed to carry what the specification has a place for. */
export const dialectOf = (packageName: string): Dialect =>
  DIALECTS.find((it) => it.packageName === packageName) ??
  dialect(packageName, packageName.slice(packageName.lastIndexOf('/') + 1))
