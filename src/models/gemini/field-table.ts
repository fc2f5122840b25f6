/** How the fields of a request fare on Gemini. */
import type { FieldTable, ModelTurn, NotCarried } from '../model.ts'
import { notCarriedOf } from '../upstream/not-carried.ts'
import { encodeRequest, type GeminiDialect, takesFormat } from './encode-request.ts'
import { encodeSchema } from './encode-schema.ts'
import { effortSent } from './encode-thinking.ts'
import { familyOf } from './families.ts'

export const fieldTable = ({ vertex }: GeminiDialect): FieldTable => ({
  instructions: 'native',
  'input.image': 'native',
  'input.image_url': 'native',
  'input.file': 'native',
  'input.file_url': 'native',
  'tools.function': 'native',
  'tools.custom': 'refused',
  'tools.strict': 'native',
  tool_choice: 'native',
  'tool_choice.allowed_tools': 'native',
  // The engine keeps the first call and leaves the others out.
  parallel_tool_calls: 'emulated',
  'text.format.json_schema': 'native',
  'text.format.json_object': 'native',
  'text.verbosity': 'ignored',
  'reasoning.effort': 'native',
  'reasoning.summary': 'native',
  temperature: 'native',
  top_p: 'native',
  presence_penalty: 'native',
  frequency_penalty: 'native',
  top_logprobs: 'native',
  max_output_tokens: 'native',
  stop: 'native',
  service_tier: vertex ? 'ignored' : 'native',
  prompt_cache_key: 'ignored',
  prompt_cache_retention: 'ignored',
  prompt_cache_breakpoint: 'ignored',
  safety_identifier: 'ignored',
})

/**
 * What the table says, and what depends on the model or on the schemas of this turn. Throws `ModelError`
 * (`invalid_request`) for a turn that has no form here, so that it is refused before anything has begun.
 */
export function notCarried(turn: ModelTurn, dialect: GeminiDialect): readonly NotCarried[] {
  encodeRequest(turn, dialect)
  return [
    ...notCarriedOf(fieldTable(dialect), turn),
    ...lostReasoning(turn),
    ...lostTier(turn, dialect),
    ...lostFormat(turn),
    ...lostInTools(turn),
  ]
}

function lostReasoning({ model, reasoning: { effort, summary } }: ModelTurn): readonly NotCarried[] {
  const { thinking } = familyOf(model)
  const lost: NotCarried[] = []
  if (effort !== null && effortSent(effort, thinking) !== effort && !(thinking === null && effort === 'none')) {
    lost.push({ param: 'reasoning.effort', weight: 'hint' })
  }
  if (summary !== null && thinking === null) lost.push({ param: 'reasoning.summary', weight: 'hint' })
  return lost
}

const KNOWN_TIERS: ReadonlySet<string> = new Set(['auto', 'default', 'flex', 'priority'])

function lostTier({ serviceTier }: ModelTurn, { vertex }: GeminiDialect): readonly NotCarried[] {
  if (vertex || !serviceTier || KNOWN_TIERS.has(serviceTier)) return []
  return [{ param: 'service_tier', weight: 'hint' }]
}

/**
 * A strict schema is a promise: with a keyword that cannot be kept it is not carried, which `text.format` itself says to
 * the wrapper that then checks the answer. Without one the path of the keyword tells what is refused.
 */
function lostFormat(turn: ModelTurn): readonly NotCarried[] {
  const { format } = turn.text
  if (format.type === 'text') return []
  if (!takesFormat(turn)) return [{ param: 'text.format', weight: 'meaning' }]
  if (format.type === 'json_object') return []
  const weight = format.strict ? 'meaning' : 'hint'
  const lost = encodeSchema(format.schema).lost.map(
    (path): NotCarried => ({ param: `text.format.schema.${path}`, weight }),
  )
  return lost.length > 0 && format.strict ? [...lost, { param: 'text.format', weight }] : lost
}

/** Arguments are the model's own in any case: whoever runs the function has to check them. */
const lostInTools = ({ tools }: ModelTurn): readonly NotCarried[] =>
  tools.flatMap((tool) =>
    tool.type === 'function' && tool.parameters
      ? encodeSchema(tool.parameters).lost.map(
          (path): NotCarried => ({
            param: `tools.${tool.name}.parameters.${path}`,
            weight: 'hint',
          }),
        )
      : [],
  )
