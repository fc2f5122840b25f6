/** Rules of `text.format` that need more than its own schema. */
import type { ModelTurn } from '../models/model.ts'
import { badRequest } from '../protocol/errors.ts'
import type { Item } from '../protocol/items.ts'
import type { CreateResponseRequest } from '../protocol/request.ts'
import { checkStrictSchema } from '../protocol/strict-schema.ts'

export function checkFormat(request: Pick<CreateResponseRequest, 'text'>, turn: ModelTurn): void {
  const format = request.text?.format
  if (format?.type === 'json_schema' && format.strict) {
    checkStrictSchema(format.schema, { param: 'text.format.schema', name: format.name, kind: 'response_format' })
  }
  // A model that is not told to write JSON may fill its whole budget with white space in this mode.
  if (format?.type === 'json_object' && !mentionsJson(turn)) {
    throw badRequest(
      'input',
      null,
      "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
    )
  }
}

const mentionsJson = (turn: ModelTurn) => /json/i.test(turn.instructions ?? '') || turn.items.some(itemMentionsJson)

function itemMentionsJson(item: Item): boolean {
  if (item.type !== 'message') return false
  return item.content.some((part) => 'text' in part && /json/i.test(part.text))
}
