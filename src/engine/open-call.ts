/** Opens the item of a call: of one that the model begins to make, or of one that a client has just allowed. */
import { isHostedItem } from '../protocol/hosted-items.ts'
import { ITEM_ID_PREFIX } from '../protocol/items.ts'
import type { Approval, InputListener, OpenedCall } from '../tools/tool.ts'
import type { CallWriter } from './compose-call.ts'
import type { EventComposer } from './compose-events.ts'
import type { HostedWriter } from './compose-hosted.ts'
import type { OfferedTool } from './resolve-tools.ts'

export type CallOptions = {
  readonly composer: EventComposer
  readonly newItemId: (prefix: string) => string
  /** Takes one of the hosted calls that the response may still make; false when there is none left. */
  readonly takeHostedCall: () => boolean
}

export type OpenCall = {
  readonly offered: OfferedTool
  readonly start: OpenedCall
  /** Null for a call that is not shown. */
  readonly writer: CallWriter | HostedWriter | null
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
  const prefix = ITEM_ID_PREFIX[opened.type]
  if (!isHostedItem(opened)) {
    const writer = composer.call(prefix, (id) => ({ ...opened, id }))
    return { offered, start: { itemId: writer.id, ...call }, writer, addInput: writer.delta }
  }
  if (!takeHostedCall()) return { offered, start: { itemId: newItemId(prefix), ...call }, writer: null, addInput() {} }
  const writer = composer.hosted(prefix, (id) => ({ ...opened, id }))
  const start = { itemId: writer.item().id, ...call }
  const addInput = tellInput(writer, tool.onInput?.(start) ?? null)
  addInput('')
  return { offered, start, writer, addInput }
}

const tellInput = (writer: HostedWriter, listen: InputListener | null) => (delta: string) => {
  if (listen) for (const event of listen(delta)) writer.tell(event)
}
