/** One place that holds a request against what the chosen model can do. */
import type { Model, ModelTurn, NotCarried } from '../models/model.ts'
import type { CreateResponseRequest } from '../protocol/request.ts'
import { toApiError } from './model-failure.ts'
import type { UnsupportedLedger } from './unsupported.ts'

export function checkCapabilities(
  turn: ModelTurn,
  request: CreateResponseRequest,
  model: Model,
  ledger: UnsupportedLedger,
): void {
  const { capabilities } = model
  if (!capabilities.functionTools && turn.tools.length > 0) {
    ledger.meaning('tools', 'This model cannot call tools. Leave them out or choose another model.')
  }
  if (!capabilities.imageInput && hasPart(turn, 'input_image')) {
    ledger.meaning('input', 'This model cannot see images. Leave them out or choose another model.')
  }
  if (!capabilities.fileInput && hasPart(turn, 'input_file')) {
    ledger.meaning('input', 'This model cannot read files. Send their text, or choose another model.')
  }
  if (!capabilities.logprobs && turn.topLogprobs !== null) {
    ledger.meaning('include', 'This model reports no log probabilities.')
  }
  const effort = request.reasoning?.effort
  if (!capabilities.reasoning && effort && effort !== 'none') {
    ledger.hint('reasoning.effort', 'this model does not reason; the value has no effect.')
  }
  for (const { param, weight } of lostBy(model, turn)) {
    if (weight === 'note') ledger.note(param, 'the provider of this model cannot be shown it; it has no effect.')
    else if (weight === 'hint') ledger.hint(param, 'the provider of this model does not take it; it has no effect.')
    else ledger.meaning(param, 'The provider of this model does not take it. Leave it out or choose another model.')
  }
}

/** An adapter that cannot even write the turn says so here, before anything has begun. */
function lostBy(model: Model, turn: ModelTurn): readonly NotCarried[] {
  try {
    return model.notCarried?.(turn) ?? []
  } catch (error) {
    throw toApiError(error)
  }
}

function hasPart(turn: ModelTurn, type: 'input_image' | 'input_file'): boolean {
  return turn.items.some((item) => {
    if (item.type === 'message') return item.content.some((part) => part.type === type)
    if (item.type !== 'function_call_output' && item.type !== 'custom_tool_call_output') return false
    return typeof item.output !== 'string' && item.output.some((part) => part.type === type)
  })
}
