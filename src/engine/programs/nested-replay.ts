/**
 * What the calls of a program gave before it waited, taken from the items of the context: so a program that is run again is
 * answered the same, nothing is called twice, and nothing has to be kept beside what the client has.
 *
 * Calls of the client are found by their ids, which follow from their places; those that ran here by their order.
 */
import { isContainerCall } from '../../protocol/client-items.ts'
import type { CustomToolCall, FunctionCall, Item } from '../../protocol/items.ts'
import type { FinishedCall, NestedOutcome } from '../../tools/tool.ts'
import { isRecord, outcomeOfHosted, outcomeOfOutput, UNKNOWN } from './nested-outcome.ts'

export interface NestedReplay {
  /** Null: it was not made before. */
  next(call: Pick<FinishedCall, 'callId' | 'declared' | 'input'>): NestedOutcome | null
}

const CHANGED: NestedOutcome = {
  type: 'ends',
  problem: 'run again with what its calls gave, it did not make the same calls',
}
const UNANSWERED: NestedOutcome = { type: 'error', message: 'The user did not allow this call, so it was not run.' }

type Ran = Extract<Item, { type: 'mcp_call' | 'code_interpreter_call' | 'mcp_approval_request' }>
type Denied = Extract<Item, { type: 'mcp_approval_response' }>

/** `parts`: everything that belongs to the program. */
export function createNestedReplay(parts: readonly Item[]): NestedReplay {
  const calls = new Map<string, Item>()
  const outputs = new Map<string, Item>()
  for (const item of parts) {
    if (!('call_id' in item)) continue
    if (item.type.endsWith('_output')) outputs.set(item.call_id, item)
    else calls.set(item.call_id, item)
  }
  const ran = parts.filter(isRan).filter((item) => !isAskedAgain(item, parts))
  let at = 0
  const nextRan = (call: Parameters<NestedReplay['next']>[0]): NestedOutcome | null => {
    const item = ran[at]
    if (item === undefined) return null
    at += 1
    if (!isSameRun(item, call)) return CHANGED
    return item.type === 'mcp_approval_request' ? outcomeOfAsked(item.id, parts) : outcomeOfHosted(item)
  }
  return {
    next(call) {
      const { type } = call.declared.spec
      if (type === 'mcp' || type === 'code_interpreter') return nextRan(call)
      const made = calls.get(call.callId)
      if (made === undefined) return null
      if (!isSameCall(made, call)) return CHANGED
      const output = outputs.get(call.callId)
      if (output !== undefined) return outcomeOfOutput(output, call.declared)
      return isContainerCall(made) ? { type: 'error', message: UNKNOWN } : { type: 'waits' }
    },
  }
}

/** A call that a client has allowed stands for the request that came before it. */
const isRan = (item: Item): item is Ran =>
  (item.type === 'mcp_call' && !item.approval_request_id) ||
  item.type === 'code_interpreter_call' ||
  item.type === 'mcp_approval_request'

/** Allowed, but of a tool that had changed since: then leave was asked once more. */
const isAskedAgain = (item: Ran, parts: readonly Item[]): boolean =>
  item.type === 'mcp_approval_request' &&
  parts.some((it) => it.type === 'mcp_approval_response' && it.approval_request_id === item.id && it.approve) &&
  !parts.some((it) => it.type === 'mcp_call' && it.approval_request_id === item.id)

function outcomeOfAsked(id: string, parts: readonly Item[]): NestedOutcome {
  const ran = parts.find((item) => item.type === 'mcp_call' && item.approval_request_id === id)
  if (ran?.type === 'mcp_call') return outcomeOfHosted(ran)
  const denied = parts.find((item): item is Denied => isAnswerTo(item, id))
  return denied?.reason ? { type: 'error', message: `${message(UNANSWERED)} ${denied.reason}` } : UNANSWERED
}

const isAnswerTo = (item: Item, id: string) => item.type === 'mcp_approval_response' && item.approval_request_id === id
const message = (outcome: NestedOutcome) => (outcome.type === 'error' ? outcome.message : '')

function isSameRun(item: Ran, { declared, input }: Pick<FinishedCall, 'declared' | 'input'>): boolean {
  if (item.type === 'code_interpreter_call')
    return declared.spec.type === item.type.replace('_call', '') && codeOf(input) === (item.code ?? '')
  const label = declared.spec.type === 'mcp' ? declared.spec.server_label : null
  return item.server_label === label && item.name === declared.name && item.arguments === input
}

function codeOf(input: string): unknown {
  const given: unknown = JSON.parse(input)
  return isRecord(given) ? given.code : null
}

/** Of shells and patches the arguments are not compared: an item holds them in other words. */
function isSameCall(made: Item, { declared, input }: Pick<FinishedCall, 'declared' | 'input'>): boolean {
  if (!isNamed(made)) return declared.spec.type === made.type.replace('_call', '')
  const said = made.type === 'function_call' ? made.arguments : made.input
  return made.name === declared.name && (made.namespace ?? null) === declared.namespace && said === input
}

const isNamed = (item: Item): item is FunctionCall | CustomToolCall =>
  item.type === 'function_call' || item.type === 'custom_tool_call'
