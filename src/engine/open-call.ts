/** The item of a call, from its first word to its last: of one that the model makes, or that a client has just allowed. */
import type { ClientCall } from '../protocol/client-items.ts'
import { isHostedItem } from '../protocol/hosted-items.ts'
import { ITEM_ID_PREFIX } from '../protocol/items.ts'
import type { Approval, FinishedCall, InputListener, OpenedCall, ToolOutcome } from '../tools/tool.ts'
import type { CallWriter } from './compose-call.ts'
import type { EventComposer } from './compose-events.ts'
import type { HostedWriter } from './compose-hosted.ts'
import type { OfferedTool } from './offered-tool.ts'

export type CallOptions = {
  readonly composer: EventComposer
  readonly newItemId: (prefix: string) => string
  /** Takes one of the hosted calls that the response may still make; false when there is none left. */
  readonly takeHostedCall: () => boolean
  /** How many it may still make. */
  readonly hostedCallsLeft: () => number
}

export type OpenCall = {
  readonly offered: OfferedTool
  readonly start: OpenedCall
  /** Null for a call that is not shown, or not yet. */
  readonly writer: CallWriter | HostedWriter | null
  /** It is beyond the limit. */
  readonly isRefused: boolean
  addInput(delta: string): void
}

export function openCall(
  offered: OfferedTool,
  { callId, approval }: { readonly callId: string; readonly approval?: Approval },
  { composer, newItemId, takeHostedCall }: CallOptions,
): OpenCall {
  const { declared, tool } = offered
  const call = { callId, declared, ...(approval && { approval }) }
  const opened = tool.open({ itemId: '', ...call })
  const unseen = { offered, start: { itemId: '', ...call }, writer: null, addInput() {} }
  if (opened === null) return { ...unseen, isRefused: false }
  const prefix = ITEM_ID_PREFIX[opened.type]
  if (!isHostedItem(opened)) {
    const writer = composer.call(prefix, (id) => ({ ...opened, id }))
    return { offered, start: { itemId: writer.id, ...call }, writer, isRefused: false, addInput: writer.delta }
  }
  if (!takeHostedCall()) return { ...unseen, start: { itemId: newItemId(prefix), ...call }, isRefused: true }
  const writer = composer.hosted(prefix, (id) => ({ ...opened, id }))
  const start = { itemId: writer.item().id, ...call }
  const addInput = tellInput(writer, tool.onInput?.(start) ?? null)
  addInput('')
  return { offered, start, writer, isRefused: false, addInput }
}

export const LIMIT_REACHED = 'The limit of tool calls of this response is reached. Answer with what you have.'

/** A call the model has finished making. */
export type MadeCall = {
  readonly call: FinishedCall
  readonly offered: OfferedTool
  /** Of the hosted item that is open for it; null for a call that the client runs. */
  readonly writer: HostedWriter | null
  /** The item of a call that was shown when it was whole. */
  readonly shown?: ClientCall
  /** Why it is neither run nor shown to the client, as the model is told: it is beyond the limit, or broken. */
  readonly refusal: Extract<ToolOutcome, { type: 'result' | 'bad-arguments' }> | null
}

/** Its input is whole. A hosted item is set aside, and one that was not shown yet is shown now. */
export function finishCall(call: OpenCall, input: string, options: CallOptions): MadeCall {
  const { offered, start, writer } = call
  const made = { call: { ...start, input, item: null }, offered, writer: null, refusal: null }
  if (call.isRefused) return { ...made, refusal: { type: 'result', output: LIMIT_REACHED } }
  if (writer === null) return showWhole(made, options)
  if (writer.type === 'call') {
    writer.endInput()
    return made
  }
  options.composer.setAside(writer)
  return { ...made, call: { ...made.call, item: writer.item() }, writer }
}

function showWhole(made: MadeCall, { composer, newItemId, takeHostedCall }: CallOptions): MadeCall {
  const { call, offered } = made
  const whole = offered.tool.whole?.(call, call.input)
  if (!whole) throw new TypeError(`a call of '${call.declared.name}' is never shown`)
  if (whole.type === 'bad-arguments') {
    return { ...made, call: { ...call, itemId: newItemId(ITEM_ID_PREFIX.function_call) }, refusal: whole }
  }
  if (offered.tool.runsHere && !takeHostedCall()) {
    const refusal = { type: 'result', output: LIMIT_REACHED } as const
    return { ...made, call: { ...call, itemId: newItemId(ITEM_ID_PREFIX.function_call) }, refusal }
  }
  const { id: itemId } = composer.clientCall(ITEM_ID_PREFIX[whole.type], (id) => ({ ...whole, id }))
  return { ...made, call: { ...call, itemId }, shown: { ...whole, id: itemId } }
}

const tellInput = (writer: HostedWriter, listen: InputListener | null) => (delta: string) => {
  if (listen) for (const event of listen(delta)) writer.tell(event)
}
