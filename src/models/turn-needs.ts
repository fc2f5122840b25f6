/** What a turn asks of a model, so that it never goes to a deployment that would have to drop something (law 17). */
import { HOSTED_TOOL_OF_TYPE } from '../protocol/hosted-tools.ts'
import { type Model, type ModelCapabilities, ModelError, type ModelTurn } from './model.ts'
import { isAsked } from './turn-fields.ts'

/** False where the answer would mean something else. */
export function canServe(model: Model, turn: ModelTurn): boolean {
  const { capabilities } = model
  if (turn.tools.length > 0 && !capabilities.functionTools) return false
  if (!hasHostedTools(capabilities, turn)) return false
  if (turn.topLogprobs !== null && !capabilities.logprobs) return false
  if (!capabilities.imageInput && isAsked('input.image', turn)) return false
  if (!capabilities.fileInput && isAsked('input.file', turn)) return false
  return !losesMeaning(model, turn)
}

const hasHostedTools = ({ hostedTools = [] }: ModelCapabilities, { hosted }: ModelTurn): boolean =>
  (hosted?.tools ?? []).every(({ type }) => hostedTools.some((tool) => tool === HOSTED_TOOL_OF_TYPE.get(type)))

/** Also where its adapter cannot write the turn at all. */
function losesMeaning(model: Model, turn: ModelTurn): boolean {
  try {
    return (model.notCarried?.(turn) ?? []).some(({ weight }) => weight === 'meaning')
  } catch (error) {
    if (error instanceof ModelError) return true
    throw error
  }
}
