/** One model turn: `ModelEvent`s in, written to the composer, and at its end the calls the model made. */
import type { FinishReason, ModelBatch, ModelEvent, ModelTurn } from '../models/model.ts'
import { ModelError } from '../models/model.ts'
import type { Usage } from '../protocol/response.ts'
import type { FinishedCall, ToolOutcome } from '../tools/tool.ts'
import type { Citations } from './cite-sources.ts'
import type { HostedWriter } from './compose-hosted.ts'
import type { ReasoningWriter } from './compose-reasoning.ts'
import { type HostedBlock, openHostedBlock } from './hosted-block.ts'
import { type CallOptions, type OpenCall, openCall } from './open-call.ts'
import type { OfferedTool, OfferedTools } from './resolve-tools.ts'
import { createBlockSequencer } from './sequence-blocks.ts'
import { createTextWriter } from './write-text.ts'

export type TurnResult = {
  readonly reason: FinishReason
  /** Null when the provider reported none. */
  readonly usage: Usage | null
}

/** A call the model has finished making. */
export type MadeCall = {
  readonly call: FinishedCall
  readonly offered: OfferedTool
  /** Of the hosted item that is open for it; null for a call that the client runs. */
  readonly writer: HostedWriter | null
  /** Not run, and not shown to the client; what the model is told instead. */
  readonly refusal: Extract<ToolOutcome, { type: 'result' }> | null
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
  /**
   * The next finished call; null when there is none. The item of a hosted call stays open until it was run, so what the
   * model said after it waits: asking for the next call writes it. For after the last batch.
   */
  takeCall(): MadeCall | null
  /** After the last batch and the last call. Throws `ModelError` when the turn has no end. */
  result(): TurnResult
}

/** No generator of its own: `runResponse` passes the composer's events on, and a layer costs a promise per batch. */
export function startTurn(turn: ModelTurn, options: TurnOptions): TurnRun {
  const writer = createTurnWriter(turn, options)
  const blocks = createBlockSequencer()
  /** What came behind a hosted call. Bounded by what one model turn may send. */
  let waiting: ModelEvent[] = []
  let reason: FinishReason | null = null
  const pass = (event: ModelEvent) => {
    if (event.type === 'finish') reason = event.reason
    if (writer.holds()) waiting.push(event)
    else writer.write(event)
  }
  return {
    write(batch) {
      for (const event of batch) blocks.push(event, pass)
    },
    reason: () => reason,
    takeCall() {
      const call = writer.takeCall()
      if (call !== null || waiting.length === 0) return call
      const events = waiting
      waiting = []
      for (const event of events) pass(event)
      return writer.takeCall()
    },
    result: writer.result,
  }
}

type OpenCallState = OpenCall & { input: string }

export const LIMIT_REACHED = 'The limit of tool calls of this response is reached. Answer with what you have.'

/** Invariant: blocks arrive one after another (see sequence-blocks), so one variable holds the open one. */
function createTurnWriter(turn: ModelTurn, options: TurnOptions) {
  const { composer, tools } = options
  const text = createTextWriter(composer, options.citations)
  const calls: MadeCall[] = []
  let callCount = 0
  /** A hosted call is made and its item open. */
  let holds = false
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
    const { offered, start, writer, input } = call
    call = null
    if (writer?.type === 'call') writer.endInput()
    const hosted = writer?.type === 'hosted' ? writer : null
    holds = hosted !== null
    calls.push({
      call: { ...start, input, item: hosted?.item() ?? null },
      offered,
      writer: hosted,
      refusal: writer === null ? { type: 'result', output: LIMIT_REACHED } : null,
    })
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
    holds: () => holds,
    takeCall() {
      holds = false
      return calls.shift() ?? null
    },
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
