/** A structured answer as the arguments of a function that the model must call. */
import { isRecord } from '../lib/schema-values.ts'
import type { TextFormat } from '../protocol/options.ts'
import type { HeldTurn } from './hold-turn.ts'
import type { Model, ModelEvent, ModelTurn } from './model.ts'

const ANSWER_TOOL = 'final_answer'

type SchemaFormat = Extract<TextFormat, { type: 'json_schema' }>

/**
 * Null where it does not work: the model cannot be made to call a function, its own schema is no object, or the turn
 * forbids calls. With tools of the client's own beside it, the model calls one of them or answers.
 */
export function answerByCall(inner: Model, turn: ModelTurn) {
  const { format } = turn.text
  if (format.type !== 'json_schema' || !isRecord(format.schema) || format.schema.type !== 'object') return null
  const canForce = inner.capabilities.functionTools && inner.fields['tools.function'] !== 'emulated'
  if (!canForce || (inner.fields.tool_choice ?? 'native') !== 'native') return null
  if (turn.tools.length > 0 && turn.toolChoice.mode !== 'auto') return null
  if (turn.hosted !== undefined && turn.hosted.tools.length > 0) return null
  // Makers of models that reason let nobody force a call on them.
  if (inner.capabilities.reasoning && turn.reasoning.effort !== 'none') return null
  const name = freeName(turn)
  return {
    ask: (it: ModelTurn) => withAnswerTool(it, format, name),
    read: (held: HeldTurn) => withTextOf(held, name),
  }
}

function freeName({ tools }: ModelTurn): string {
  let name = ANSWER_TOOL
  while (tools.some((tool) => tool.name === name)) name = `${name}_`
  return name
}

function withAnswerTool(turn: ModelTurn, format: SchemaFormat, name: string): ModelTurn {
  const about = format.description ? ` ${format.description}` : ''
  const description = `Give the final answer to the user (${format.name}).${about}`
  const { allowed } = turn.toolChoice
  return {
    ...turn,
    tools: [...turn.tools, { type: 'function', name, description, parameters: format.schema, strict: false }],
    toolChoice: { mode: 'required', allowed: allowed === null ? null : [...allowed, name] },
    text: { ...turn.text, format: { type: 'text' } },
  }
}

/**
 * The first answering call as text. Any text beside it is left out, as is the answer of a turn that makes calls of the
 * client's own as well: it was given before their results were known.
 */
function withTextOf(held: HeldTurn, name: string): HeldTurn {
  const answers = held.events.flatMap((event) => (event.type === 'call-start' && event.name === name ? [event.id] : []))
  if (answers.length === 0) return held
  const isAnswer = (event: ModelEvent) => 'id' in event && answers.includes(event.id)
  const others = held.events.filter((event) => !isAnswer(event))
  if (others.some(({ type }) => type === 'call-start')) return { ...held, events: others }
  const [id] = answers
  const text = held.events.map((event) => (event.type === 'call-delta' && event.id === id ? event.delta : '')).join('')
  const kept = others.filter((event) => !event.type.startsWith('text-') && event.type !== 'annotation')
  const block: readonly ModelEvent[] =
    id === undefined
      ? []
      : [
          { type: 'text-start', id },
          { type: 'text-delta', id, delta: text },
          { type: 'text-end', id },
        ]
  const { finish } = held
  const reason = finish.reason === 'tool_calls' ? 'stop' : finish.reason
  return { events: [...kept, ...block], text, finish: { ...finish, reason } }
}
