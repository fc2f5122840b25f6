/**
 * What an operator or a probe says of single fields, above what the adapter believes. `ignored` and `refused` take the
 * field out of the turn, so that the provider never sees it; `emulated` leads to the emulation, where there is one.
 */

import { TURN_FIELDS, type TurnField } from '../lib/field-support.ts'
import type { FieldTable, Model, ModelTurn } from './model.ts'
import type { ModelInfo } from './model-info.ts'
import { isAsked, paramOf, withoutField } from './turn-fields.ts'

/** Fields that are a capability of the model: what is said of them decides whether the adapter uses it. */
const CAPABILITIES = {
  'input.image': 'imageInput',
  'input.file': 'fileInput',
  'tools.function': 'functionTools',
  'tools.custom': 'customTools',
  'text.format.json_schema': 'structuredOutput',
  top_logprobs: 'logprobs',
} as const satisfies Partial<Record<TurnField, keyof ModelInfo>>

const isCapability = (field: TurnField): field is keyof typeof CAPABILITIES => Object.hasOwn(CAPABILITIES, field)

/** A table of fields as what is known of a model. */
export function infoOfFields(fields: FieldTable): ModelInfo {
  const known = TURN_FIELDS.flatMap((field) => {
    const support = fields[field]
    return support !== undefined && isCapability(field) ? [[CAPABILITIES[field], support === 'native']] : []
  })
  return Object.fromEntries(known)
}

/** Of a file that a model cannot read it is shown the text. */
const lacking = (field: TurnField) => (field === 'input.file' ? 'emulated' : 'refused')

/** A full table: what nobody says is native, and what the model cannot do at all is refused. */
export function ledgerOf({ fields, capabilities }: Pick<Model, 'fields' | 'capabilities'>): Required<FieldTable> {
  const entries = TURN_FIELDS.map((field) => {
    const said = fields[field] ?? 'native'
    const lacks = isCapability(field) && !capabilities[CAPABILITIES[field]]
    return [field, lacks && said === 'native' ? lacking(field) : said] as const
  })
  // The check: the entries are made from all of TURN_FIELDS.
  return Object.fromEntries(entries) as Required<FieldTable>
}

/** Fields whose emulation does not hang on a capability. */
const EMULATED_HERE: readonly TurnField[] = ['stop', 'parallel_tool_calls', 'input.image_url', 'input.file_url']

export function overrideFields(inner: Model, said: FieldTable): Model {
  const dropped = TURN_FIELDS.filter((field) => said[field] === 'ignored' || said[field] === 'refused')
  // What is native an adapter alone knows; what it is told of capabilities it has taken in already.
  const changed = [...dropped, ...EMULATED_HERE.filter((field) => said[field] === 'emulated')]
  if (changed.length === 0) return inner
  const without = (turn: ModelTurn) => dropped.reduce((rest, field) => withoutField(field, rest), turn)
  return {
    capabilities: inner.capabilities,
    fields: { ...inner.fields, ...Object.fromEntries(changed.map((field) => [field, said[field]])) },
    stream: (turn, context) => inner.stream(without(turn), context),
    countInputTokens: (turn, context) => inner.countInputTokens(without(turn), context),
    notCarried: (turn) => [
      ...(inner.notCarried?.(without(turn)) ?? []),
      ...dropped
        .filter((field) => isAsked(field, turn))
        .map((field) => ({ param: paramOf(field), weight: said[field] === 'refused' ? 'meaning' : 'hint' }) as const),
    ],
  }
}
