/** Custom calls whose input does not fit the tool's grammar: the model is told why, and asked for them once more. */
import type { Ids } from '../lib/ids.ts'
import { createJsonStringStream } from '../lib/json-string-stream.ts'
import { ITEM_ID_PREFIX } from '../protocol/items.ts'
import { type Finish, type HeldTurn, holdTurn } from './hold-turn.ts'
import { type Model, type ModelContext, ModelError, type ModelEvent, type ModelTurn, type TurnItem } from './model.ts'
import type { ToolGrammar } from './tool-grammar.ts'

type CallStart = Extract<ModelEvent, { type: 'call-start' }>

/** The name of the only parameter of a custom tool that is declared as a function. */
export const CUSTOM_INPUT = 'input'

export type BadCall = {
  readonly start: CallStart
  readonly input: string
  readonly problem: string
  readonly grammar: ToolGrammar
}
export type RepairedCalls = {
  /** In the places of the bad ones. */
  readonly calls: readonly { readonly start: CallStart; readonly input: string }[]
  readonly finish: Finish
}

type Repairing = { readonly bad: readonly BadCall[]; readonly context: ModelContext; readonly ids: Ids }

/** `turn`: with the custom tools as functions. Throws `ModelError` when the second try does not fit either. */
export async function repairCalls(inner: Model, turn: ModelTurn, repairing: Repairing): Promise<RepairedCalls> {
  const { bad, context } = repairing
  const second = await holdTurn(inner.stream(repairTurn(inner, turn, repairing), context))
  const inputs = inputsOf(second)
  const calls: { readonly start: CallStart; readonly input: string }[] = []
  for (const { start, grammar } of bad) {
    const input = inputs.get(start.name)?.shift()
    const problem = input === undefined ? 'it was not called again' : await grammar.problem(input, context.signal)
    if (input === undefined || problem !== null) {
      const message = `The model's input for the tool '${start.name}' is not usable, in two tries: ${problem}.`
      throw new ModelError('malformed', message)
    }
    calls.push({ start, input })
  }
  return { calls, finish: second.finish }
}

function repairTurn(inner: Model, turn: ModelTurn, { bad, ids }: Repairing): ModelTurn {
  const items = bad.flatMap(({ start, input, problem }): TurnItem[] => {
    const call_id = start.callId ?? ids.next('call')
    const json = JSON.stringify({ [CUSTOM_INPUT]: input })
    const output = `The call was not carried out: ${problem}. Call the tool again, with a corrected ${CUSTOM_INPUT}.`
    const status = 'completed'
    return [
      {
        id: ids.next(ITEM_ID_PREFIX.function_call),
        type: 'function_call',
        status,
        call_id,
        name: start.name,
        arguments: json,
      },
      { id: ids.next(ITEM_ID_PREFIX.function_call_output), type: 'function_call_output', status, call_id, output },
    ]
  })
  const names = [...new Set(bad.map(({ start }) => start.name))]
  const canForce = inner.fields.tool_choice === undefined || inner.fields.tool_choice !== 'refused'
  return {
    ...turn,
    items: [...turn.items, ...items],
    toolChoice: { mode: canForce ? 'required' : 'auto', allowed: names },
  }
}

/** Name -> the inputs of its calls, in order. */
function inputsOf({ events }: HeldTurn): Map<string, string[]> {
  const names = new Map<string, string>()
  const json = new Map<string, string>()
  for (const event of events) {
    if (event.type === 'call-start') names.set(event.id, event.name)
    if (event.type === 'call-delta') json.set(event.id, (json.get(event.id) ?? '') + event.delta)
  }
  const inputs = new Map<string, string[]>()
  for (const [id, name] of names) {
    const reader = createJsonStringStream(CUSTOM_INPUT)
    const input = reader.push(json.get(id) ?? '') + reader.end()
    inputs.set(name, [...(inputs.get(name) ?? []), input])
  }
  return inputs
}
