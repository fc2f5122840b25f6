/** One model turn: `ModelEvent`s in, written to the composer, and at its end the calls the model made. */
import type { FinishReason, ModelBatch, ModelEvent, ModelTurn } from '../models/model.ts'
import { ModelError } from '../models/model.ts'
import { ITEM_ID_PREFIX } from '../protocol/items.ts'
import type { Usage } from '../protocol/response.ts'
import type { FinishedCall } from '../tools/tool.ts'
import type { CallWriter } from './compose-call.ts'
import type { EventComposer } from './compose-events.ts'
import type { ReasoningWriter } from './compose-reasoning.ts'
import type { OfferedTool, OfferedTools } from './resolve-tools.ts'
import { createBlockSequencer } from './sequence-blocks.ts'

export type TurnResult = {
  readonly reason: FinishReason
  /** Null when the provider reported none. */
  readonly usage: Usage | null
  readonly calls: readonly OfferedCall[]
}
export type OfferedCall = { readonly call: FinishedCall; readonly offered: OfferedTool }

export type TurnOptions = {
  readonly composer: EventComposer
  readonly tools: OfferedTools
  /** Log probabilities travel only when the request included them. */
  readonly logprobs: boolean
  /** Makes `encrypted_content` of a provider's reasoning state; null: nothing to carry. */
  readonly sealReasoning: (reasoning: { state: string | null; text: string }) => string | null
  readonly newCallId: () => string
}

export interface TurnRun {
  /** Throws `ModelError` for what no turn of this request may hold. */
  write(batch: ModelBatch): void
  /** After the last batch. Throws `ModelError` when the turn has no end. */
  result(): TurnResult
}

/** No generator of its own: `runResponse` passes the composer's events on, and a layer costs a promise per batch. */
export function startTurn(turn: ModelTurn, options: TurnOptions): TurnRun {
  const writer = createTurnWriter(turn, options)
  const blocks = createBlockSequencer()
  return {
    write(batch) {
      for (const event of batch) blocks.push(event, writer.write)
    },
    result: writer.result,
  }
}

type OpenCallState = {
  readonly writer: CallWriter
  readonly offered: OfferedTool
  readonly start: Omit<FinishedCall, 'input'>
}

/** Invariant: blocks arrive one after another (see sequence-blocks), so one variable holds the open one. */
function createTurnWriter(turn: ModelTurn, options: TurnOptions) {
  const { composer, tools } = options
  const calls: OfferedCall[] = []
  let call: OpenCallState | null = null
  let reasoning: { writer: ReasoningWriter; text: string } | null = null
  let finish: Extract<ModelEvent, { type: 'finish' }> | null = null

  const startCall = (event: Extract<ModelEvent, { type: 'call-start' }>) => {
    const offered = tools.byModelName.get(event.name)
    if (!offered)
      throw new ModelError('malformed', `The model called '${event.name}', which is not a tool of this request.`)
    if (!mayCall(turn, event.name, calls.length)) return
    const { declared, tool } = offered
    const callId = tools.claimCallId(event.callId) ?? options.newCallId()
    const prefix =
      declared.declaration.type === 'function' ? ITEM_ID_PREFIX.function_call : ITEM_ID_PREFIX.custom_tool_call
    let itemId = ''
    const writer = composer.call(prefix, (id) => {
      itemId = id
      return tool.open({ itemId: id, callId, declared })
    })
    call = { writer, offered, start: { itemId, callId, declared } }
  }
  const endCall = () => {
    if (!call) return
    call.writer.endInput()
    calls.push({ call: { ...call.start, input: call.writer.input }, offered: call.offered })
    call = null
  }
  const endReasoning = (state: string | null) => {
    if (!reasoning) return
    reasoning.writer.endPart()
    reasoning.writer.seal(options.sealReasoning({ state, text: reasoning.text }))
    reasoning = null
  }

  const write = (event: ModelEvent): void => {
    switch (event.type) {
      case 'text-start':
        composer.message().startText()
        return
      case 'text-delta':
        composer.message().text(event.delta, (options.logprobs && event.logprobs) || [])
        return
      case 'annotation':
        composer.message().annotate(event.annotation)
        return
      case 'text-end':
      case 'refusal-end':
        composer.message().endPart()
        return
      case 'refusal-start':
        composer.message().startRefusal()
        return
      case 'refusal-delta':
        composer.message().refusal(event.delta)
        return
      case 'reasoning-start':
        reasoning = { writer: composer.reasoning(), text: '' }
        return
      case 'reasoning-delta':
        if (!reasoning) return
        if (event.kind === 'text') reasoning.text += event.delta
        reasoning.writer.delta(event.kind, event.part, event.delta)
        return
      case 'reasoning-end':
        endReasoning(event.state ?? null)
        return
      case 'call-start':
        startCall(event)
        return
      case 'call-delta':
        call?.writer.delta(event.delta)
        return
      case 'call-end':
        endCall()
        return
      case 'finish':
        finish = event
        return
      default:
        event satisfies never
    }
  }

  return {
    write,
    result(): TurnResult {
      if (!finish) throw new ModelError('malformed', 'The model stopped without saying why.')
      return { reason: finish.reason, usage: finish.usage, calls }
    },
  }
}

/**
 * Whether a call may reach the client. `tool_choice` and `parallel_tool_calls` are hard limits that providers do not
 * all keep: what goes beyond them is left out.
 */
function mayCall(turn: ModelTurn, name: string, callsSoFar: number): boolean {
  if (turn.toolChoice.mode === 'none') return false
  if (turn.toolChoice.allowed && !turn.toolChoice.allowed.includes(name)) return false
  return turn.parallelToolCalls || callsSoFar === 0
}
