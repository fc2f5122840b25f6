/** One model turn: `ModelEvent`s in, written to the composer, and at its end the calls the model made. */
import type { FinishReason, ModelBatch, ModelEvent, ModelTurn } from '../models/model.ts'
import { ModelError } from '../models/model.ts'
import type { Usage } from '../protocol/response.ts'
import type { Citations } from './cite-sources.ts'
import type { ReasoningWriter } from './compose-reasoning.ts'
import { type HostedBlock, openHostedBlock } from './hosted-block.ts'
import { type CallOptions, finishCall, type MadeCall, type OpenCall, openCall } from './open-call.ts'
import type { OfferedTools } from './resolve-tools.ts'
import { createBlockSequencer } from './sequence-blocks.ts'
import { createTextWriter } from './write-text.ts'

export type TurnResult = {
  readonly reason: FinishReason
  /** Null when the provider reported none. */
  readonly usage: Usage | null
}

export type TurnOptions = CallOptions & {
  readonly tools: OfferedTools
  /** Log probabilities travel only when the request included them. */
  readonly logprobs: boolean
  /** Makes `encrypted_content` of a provider's reasoning state; null: nothing to carry. */
  readonly sealReasoning: (reasoning: { state: string | null; text: string }) => string | null
  readonly newCallId: () => string
  /** What the tools of this response found so far. */
  readonly citations: Citations
}

export interface TurnRun {
  /** Throws `ModelError` for what no turn of this request may hold. */
  write(batch: ModelBatch): void
  /** How the turn ended; null while it has not. */
  reason(): FinishReason | null
  /** The finished calls, in their order; the item of a hosted one is set aside. For after the last batch. */
  readonly calls: readonly MadeCall[]
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
    reason: writer.reason,
    calls: writer.calls,
    result: writer.result,
  }
}

type OpenCallState = OpenCall & { input: string }

/** Invariant: blocks arrive one after another (see sequence-blocks), so one variable holds the open one. */
function createTurnWriter(turn: ModelTurn, options: TurnOptions) {
  const { composer, tools } = options
  const text = createTextWriter(composer, options.citations)
  const calls: MadeCall[] = []
  let callCount = 0
  let call: OpenCallState | null = null
  let reasoning: { writer: ReasoningWriter; text: string } | null = null
  let hosted: HostedBlock | null = null
  let finish: Extract<ModelEvent, { type: 'finish' }> | null = null

  const startCall = (event: Extract<ModelEvent, { type: 'call-start' }>) => {
    const offered = tools.byModelName.get(event.name)
    if (!offered)
      throw new ModelError('malformed', `The model called '${event.name}', which is not a tool of this request.`)
    if (!mayCall(turn, event.name, callCount)) return
    callCount += 1
    const callId = tools.claimCallId(event.callId) ?? options.newCallId()
    call = { ...openCall(offered, { callId }, options), input: '' }
  }
  const addInput = (delta: string) => {
    if (!call) return
    call.input += delta
    call.addInput(delta)
  }
  const endCall = () => {
    if (!call) return
    calls.push(finishCall(call, call.input, options))
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
        text.start(event.message)
        return
      case 'text-delta':
        text.delta(event.delta, (options.logprobs && event.logprobs) || [])
        return
      case 'annotation':
        composer.message().annotate(event.annotation)
        return
      case 'text-end':
        text.end()
        return
      case 'refusal-end':
        composer.message().endPart()
        return
      case 'refusal-start':
        composer.message(event.message).startRefusal()
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
        addInput(event.delta)
        return
      case 'call-end':
        endCall()
        return
      case 'hosted-start':
        hosted = openHostedBlock(composer, event.item)
        // Its provider was told the limit; what it ran is not left for the tools of this server.
        if (event.item.type.endsWith('_call')) options.takeHostedCall()
        return
      case 'hosted-delta':
        hosted?.delta(event.delta)
        return
      case 'hosted-running':
        hosted?.running()
        return
      case 'hosted-image':
        hosted?.image(event.image)
        return
      case 'hosted-end':
        hosted?.end(event.item)
        hosted = null
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
    calls,
    reason: () => finish?.reason ?? null,
    result(): TurnResult {
      if (!finish) throw new ModelError('malformed', 'The model stopped without saying why.')
      return { reason: finish.reason, usage: finish.usage }
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
