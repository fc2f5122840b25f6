/** A call and its output belong together; a model that sees one without the other answers with an error. */
import { clientToolOfItem, idsOfCall, isClientCall, isClientItem, isContainerCall } from '../protocol/client-items.ts'
import { badRequest } from '../protocol/errors.ts'
import type { Item } from '../protocol/items.ts'

/** Calls that were cut off can never be answered and are not shown to a model again. */
export const isAbandonedCall = (item: Item) =>
  (item.type === 'function_call' || item.type === 'custom_tool_call' || isClientCall(item)) &&
  item.status === 'incomplete'

/** Whether an item is a call that this server was to run, and that was cut off before it had an output: nobody answers it. */
export function isCutOffIn(items: readonly Item[]): (item: Item) => boolean {
  const answered = new Set(items.flatMap((item) => (item.type === 'shell_call_output' ? [item.call_id] : [])))
  return (item) => isContainerCall(item) && !answered.has(item.call_id)
}

/** The words of errors. */
const KINDS = {
  function_call: 'function',
  function_call_output: 'function',
  custom_tool_call: 'custom tool',
  custom_tool_call_output: 'custom tool',
  computer: 'computer',
  local_shell: 'local shell',
  shell: 'shell',
  apply_patch: 'apply patch',
  tool_search: 'tool search',
} as const

type Kind = (typeof KINDS)[keyof typeof KINDS]
type Pending = { readonly kind: Kind; readonly callId: string; readonly checks: ReadonlySet<string> }

/** Refuses a context in which a finished call has no output, or an output no call of its kind before it. */
export function checkPairs(items: readonly Item[]): void {
  const open = new Map<string, Pending>()
  const calls = new Map<string, Pending>()
  for (const item of items) {
    const kind = kindOf(item)
    if (kind === null || !('call_id' in item)) continue
    if (isOutput(item)) {
      const call = calls.get(item.call_id)
      if (!call || isOther(call.kind, kind)) throw noCall(kind, item.call_id)
      refuseUnacknowledged(item, call)
      open.delete(call.callId)
    } else {
      const call = { kind, callId: item.call_id, checks: pendingChecks(item) }
      for (const id of idsOfCall(item)) calls.set(id, call)
      open.set(item.call_id, call)
    }
  }
  const [unanswered] = open
  if (!unanswered) return
  const [id, { kind }] = unanswered
  throw badRequest('input', null, `No tool output found for ${kind} call ${id}.`)
}

function kindOf(item: Item): Kind | null {
  if (isClientItem(item)) return KINDS[clientToolOfItem(item.type)]
  switch (item.type) {
    case 'function_call':
    case 'function_call_output':
    case 'custom_tool_call':
    case 'custom_tool_call_output':
      return KINDS[item.type]
    default:
      return null
  }
}

const isOutput = (item: Item) => item.type.endsWith('_output')

/** Outputs of functions and of custom tools have ever been taken for each other. */
const isOther = (call: Kind, output: Kind) => call !== output && (isOfApi(call) || isOfApi(output))
const isOfApi = (kind: Kind) => kind !== 'function' && kind !== 'custom tool'

const noCall = (kind: Kind, id: string) =>
  badRequest('input', null, `No tool call found for ${kind} call output with call_id ${id}.`)

const pendingChecks = (item: Item): ReadonlySet<string> =>
  new Set(item.type === 'computer_call' ? item.pending_safety_checks.map(({ id }) => id) : [])

/** A person has to have seen what a model was not sure about. */
function refuseUnacknowledged(item: Item, { checks }: Pending): void {
  if (item.type !== 'computer_call_output') return
  const seen = new Set(item.acknowledged_safety_checks?.map(({ id }) => id))
  const missing = [...checks].find((id) => !seen.has(id))
  if (missing === undefined) return
  const advice = "List it in 'acknowledged_safety_checks' of the output once somebody has approved the action."
  throw badRequest('input', null, `The safety check ${missing} of call ${item.call_id} is not acknowledged. ${advice}`)
}
