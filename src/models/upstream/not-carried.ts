/** What a turn asks for and a provider will not see, read from the provider's table of fields. */

import type { TurnField } from '../../lib/field-support.ts'
import type { FieldTable, ModelTurn, NotCarried } from '../model.ts'
import { isAsked, paramOf } from '../turn-fields.ts'

/** Told by a model's capabilities and refused while planning, or always carried. All others an adapter decides about. */
const DECIDED_ELSEWHERE: ReadonlySet<TurnField> = new Set([
  'instructions',
  'input.image',
  'input.file',
  'tools.function',
  'tools.custom',
  'tools.strict',
  'tool_choice.allowed_tools',
  'max_output_tokens',
])

export function notCarriedOf(fields: FieldTable, turn: ModelTurn): readonly NotCarried[] {
  const lost: NotCarried[] = []
  for (const field in fields) {
    const name = field as TurnField
    const support = fields[name]
    if ((support !== 'ignored' && support !== 'refused') || DECIDED_ELSEWHERE.has(name) || !isAsked(name, turn))
      continue
    lost.push({ param: paramOf(name), weight: support === 'refused' ? 'meaning' : 'hint' })
  }
  return lost
}
