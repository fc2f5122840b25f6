/** One place that holds a request against what the chosen model can do. */

import { TURN_FIELDS, type TurnField } from '../lib/field-support.ts'
import type { Model, ModelTurn, NotCarried } from '../models/model.ts'
import { isAsked, paramOf } from '../models/turn-fields.ts'
import type { ClientToolSpec } from '../protocol/client-tools.ts'
import type { CreateResponseRequest } from '../protocol/request.ts'
import { toApiError } from './model-failure.ts'
import type { UnsupportedLedger } from './unsupported.ts'

export function checkCapabilities(
  turn: ModelTurn,
  request: CreateResponseRequest,
  model: Model,
  { ledger, asksForTools }: { readonly ledger: UnsupportedLedger; readonly asksForTools: boolean },
): void {
  const { capabilities } = model
  const name = `The model '${turn.model}'`
  if (!capabilities.functionTools && (turn.tools.length > 0 || asksForTools)) {
    ledger.meaning('tools', `${name} cannot call tools. Leave them out or choose another model.`)
  }
  if (!capabilities.imageInput && isAsked('input.image', turn)) {
    ledger.meaning('input', `${name} cannot see images. Leave them out or choose another model.`)
  }
  if (!capabilities.imageInput && turn.tools.some((tool) => tool.type === 'function' && usesScreen(tool.native))) {
    ledger.meaning('tools', `${name} cannot see images, so it cannot use a computer. Choose another model.`)
  }
  if (!capabilities.fileInput && isAsked('input.file', turn)) {
    ledger.meaning('input', `${name} cannot read files. Send their text, or choose another model.`)
  }
  if (!capabilities.logprobs && turn.topLogprobs !== null) {
    ledger.meaning('include', `${name} reports no log probabilities.`)
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
  for (const field of TURN_FIELDS) {
    // Of files it is told one by one where it is done.
    if (field === 'input.file') continue
    if (model.fields[field] === 'emulated' && isAsked(field, turn)) ledger.note(paramOf(field), emulation(field))
  }
}

const usesScreen = (tool: ClientToolSpec | undefined) =>
  tool?.type === 'computer' || tool?.type === 'computer_use_preview'

/** An adapter that cannot even write the turn says so here, before anything has begun. */
function lostBy(model: Model, turn: ModelTurn): readonly NotCarried[] {
  try {
    return model.notCarried?.(turn) ?? []
  } catch (error) {
    throw toApiError(error)
  }
}

/** How this server does what a provider does not, in a few words. */
const EMULATIONS: Readonly<Partial<Record<TurnField, string>>> = {
  'input.image_url': 'images by URL are fetched by this server.',
  'input.file_url': 'files by URL are fetched by this server.',
  'tools.function': 'described to the model in words; its calls are read out of the answer and checked.',
  'tools.custom': 'declared as functions with one string; grammars are checked by this server.',
  tool_choice: 'the model is told to call, and reminded once.',
  'text.format.json_schema': 'the answer is checked by this server and comes as a whole.',
  'text.format.json_object': 'asked for in words.',
  parallel_tool_calls: 'calls after the first are left out by this server.',
  stop: 'the answer is cut by this server.',
}
const emulation = (field: TurnField) => `emulated; ${EMULATIONS[field] ?? 'done by this server, not by the provider.'}`
