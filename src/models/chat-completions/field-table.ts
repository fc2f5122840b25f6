/** Quirks -> how the fields of a request fare on this endpoint. */

import type { FieldSupport } from '../../lib/field-support.ts'
import type { FieldTable, ModelTurn, NotCarried, TurnItem } from '../model.ts'
import { nearestEffort } from '../upstream/nearest-effort.ts'
import { notCarriedOf } from '../upstream/not-carried.ts'
import { encodeMessages } from './encode-messages.ts'
import type { Quirks } from './quirks.ts'

/** `text.format` stands as refused where the schema is only asked for in words; a wrapper may then check the answer. */
export function fieldTable(quirks: Quirks): FieldTable {
  const meaning = (taken: boolean): FieldSupport => (taken ? 'native' : 'refused')
  const hint = (taken: boolean): FieldSupport => (taken ? 'native' : 'ignored')
  return {
    top_logprobs: meaning(quirks.logprobs),
    presence_penalty: meaning(quirks.penalties),
    frequency_penalty: meaning(quirks.penalties),
    tool_choice: meaning(quirks.toolChoice),
    'tool_choice.allowed_tools': quirks.allowedTools ? 'native' : 'emulated',
    'tools.custom': meaning(quirks.customTools),
    'text.format.json_schema': meaning(quirks.structuredOutput === 'json_schema'),
    'text.format.json_object': quirks.structuredOutput === 'none' ? 'emulated' : 'native',
    'input.image_url': quirks.imageUrls ? 'native' : 'emulated',
    'input.file': quirks.fileParts ? 'native' : 'emulated',
    'input.file_url': 'emulated',
    parallel_tool_calls: hint(quirks.parallelToolCalls),
    'reasoning.effort': hint(quirks.reasoningEffort !== null),
    'reasoning.summary': 'ignored',
    'text.verbosity': hint(quirks.verbosity),
    service_tier: hint(quirks.serviceTier),
    prompt_cache_key: hint(quirks.promptCacheKey),
    prompt_cache_retention: hint(quirks.promptCacheRetention),
    prompt_cache_breakpoint: 'ignored',
    safety_identifier: hint(quirks.safetyIdentifierField !== null),
  }
}

/** Throws `ModelError` for images and files that this endpoint cannot be sent, so that planning refuses them. */
export function notCarried(turn: ModelTurn, quirks: Quirks): readonly NotCarried[] {
  if (turn.items.some(holdsMedia)) encodeMessages(turn, quirks)
  const lost = notCarriedOf(fieldTable(quirks), turn)
  const { effort } = turn.reasoning
  const known = quirks.reasoningEffort?.values
  if (effort === null || !known || nearestEffort(effort, known) === effort) return lost
  return [...lost, { param: 'reasoning.effort', weight: 'hint' }]
}

/** Text can always be sent. */
function holdsMedia(item: TurnItem): boolean {
  const parts = item.type === 'message' ? item.content : 'output' in item ? item.output : ''
  return typeof parts !== 'string' && parts.some(({ type }) => type === 'input_image' || type === 'input_file')
}
