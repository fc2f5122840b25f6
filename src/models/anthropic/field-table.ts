/** How the fields of a request fare on a Claude, by its generation. */

import type { FieldSupport } from '../../lib/field-support.ts'
import type { FieldTable, ModelTurn, NotCarried, TurnItem } from '../model.ts'
import { notCarriedOf } from '../upstream/not-carried.ts'
import {
  carriesSafetyIdentifier,
  carriesServiceTier,
  type EncodedRequest,
  type RequestOptions,
} from './encode-request.ts'
import { DEFAULT_SAMPLING } from './encode-sampling.ts'
import { carriesFormat } from './schema-support.ts'
import { unpackThinking } from './thinking-state.ts'

export function fieldTable({ family, capabilities }: RequestOptions): FieldTable {
  const meaning = (taken: boolean): FieldSupport => (taken ? 'native' : 'refused')
  const hint = (taken: boolean): FieldSupport => (taken ? 'native' : 'ignored')
  const thinks = family.thinking !== 'none'
  return {
    instructions: 'native',
    'input.image': 'native',
    'input.file': 'native',
    'tools.function': 'native',
    'tools.custom': 'refused',
    'tools.strict': hint(capabilities.structuredOutput),
    tool_choice: meaning(family.forcedTools),
    'tool_choice.allowed_tools': 'emulated',
    parallel_tool_calls: 'native',
    'text.format.json_schema': meaning(capabilities.structuredOutput),
    'text.format.json_object': 'refused',
    'text.verbosity': 'ignored',
    'reasoning.effort': hint(thinks),
    'reasoning.summary': hint(thinks),
    temperature: meaning(family.sampling !== 'none'),
    top_p: meaning(family.sampling !== 'none'),
    presence_penalty: 'refused',
    frequency_penalty: 'refused',
    top_logprobs: 'refused',
    max_output_tokens: 'native',
    stop: 'native',
    service_tier: 'native',
    prompt_cache_key: 'emulated',
    prompt_cache_retention: 'emulated',
    prompt_cache_breakpoint: 'native',
    safety_identifier: 'native',
  }
}

/** `encode` tells what is lost in writing the request; it may throw, and planning then refuses with its words. */
export function notCarried(
  turn: ModelTurn,
  options: RequestOptions,
  encode: (turn: ModelTurn) => EncodedRequest,
): readonly NotCarried[] {
  const written = encode(turn).lost
  const known = notCarriedOf(fieldTable(options), withoutDefaults(turn))
  const lost = [...written, ...known.filter(({ param }) => !written.some((other) => other.param === param))]
  const add = (param: string, weight: NotCarried['weight']) => void lost.push({ param, weight })
  const { structuredOutput } = options.capabilities
  const { format } = turn.text
  if (format.type === 'json_schema' && structuredOutput && !carriesFormat(format, true)) add('text.format', 'meaning')
  if (!carriesServiceTier(turn.serviceTier)) add('service_tier', 'hint')
  if (!carriesSafetyIdentifier(turn.safetyIdentifier)) add('safety_identifier', 'hint')
  // The longest time this provider knows is an hour.
  if (turn.promptCacheRetention === '24h') add('prompt_cache_retention', 'hint')
  if (turn.items.some(isForeignReasoning)) add('input.reasoning', 'note')
  return lost
}

/** Clients like to send the defaults; they ask for nothing. */
const withoutDefaults = (turn: ModelTurn): ModelTurn => ({
  ...turn,
  temperature: turn.temperature === DEFAULT_SAMPLING ? null : turn.temperature,
  topP: turn.topP === DEFAULT_SAMPLING ? null : turn.topP,
})

/** Thoughts need their signature here: those of other providers, and those whose state was not sent back, are lost. */
const isForeignReasoning = (item: TurnItem): boolean =>
  item.type === 'reasoning' &&
  unpackThinking(item.encrypted_content) === null &&
  [...item.summary, ...(item.content ?? [])].some(({ text }) => text !== '')
