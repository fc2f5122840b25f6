/**
 * Runs the calls of one turn that run here, side by side, and says whether the model goes on.
 *
 * Invariant: a call ends in exactly one way that the model or the client gets to see, also when its tool fails in a way
 * nobody foresaw. What the model is told stands in the order of its calls, whichever ended first.
 */
import { sideBySide } from '../lib/side-by-side.ts'
import { ModelError, type TurnItem } from '../models/model.ts'
import { isContainerCall, type ShellCallOutput, type ToolSearchOutput } from '../protocol/client-items.ts'
import type { McpApprovalRequest } from '../protocol/hosted-items.ts'
import { ITEM_ID_PREFIX } from '../protocol/items.ts'
import type { ProgramOutput } from '../protocol/programs.ts'
import type { ToolContext, ToolOutcome, ToolOutput, ToolStep } from '../tools/tool.ts'
import type { EventComposer } from './compose-events.ts'
import type { ShellOutputWriter } from './compose-shell-output.ts'
import type { MadeCall } from './open-call.ts'
import type { RunBatch } from './run-event.ts'
import type { TurnRun } from './run-turn.ts'

export type ToolCallsResult =
  /** No calls, or some that the client must run or allow: the response ends. */
  | {
      readonly next: 'end'
      /** Nobody waits: what was called was told to the programs that had called it. */
      readonly isTold?: boolean
    }
  /**
   * All ran here. A call stands where its item stands; the outputs follow the whole turn, as of calls made at once.
   * `limited`: some were refused, because the response may make no more.
   */
  | {
      readonly next: 'turn'
      readonly calls: ReadonlyMap<string, TurnItem>
      readonly outputs: readonly TurnItem[]
      readonly limited: boolean
      /** Names of the only tools that may be called next: those whose calls were broken, beside calls that wait. */
      readonly only: readonly string[] | null
    }

export type ToolRunDeps = {
  readonly composer: EventComposer
  readonly context: ToolContext
  readonly corrections: Corrections
  /** How many calls may run at once. */
  readonly atOnce: number
  /** Puts on disk what a client is asked to allow. */
  readonly keepAsked: (request: McpApprovalRequest, digest: string) => Promise<void>
  /** Told of a fault of a tool; the run goes on. */
  readonly onFault: (error: unknown) => void
}

/** `run`: a turn that has been read to its end. */
export async function* runToolCalls(
  run: Pick<TurnRun, 'reason' | 'calls'>,
  deps: ToolRunDeps,
): AsyncGenerator<RunBatch, ToolCallsResult> {
  const { composer, corrections } = deps
  // A turn that was cut off may hold half a call, and one without an end is an error of the model.
  const reason = run.reason()
  if (reason !== 'stop' && reason !== 'tool_calls') {
    for (const { writer } of run.calls) if (writer) composer.closeAside(writer)
    return { next: 'end' }
  }
  if (run.calls.length === 0) return { next: 'end' }
  composer.closeItem('completed')
  const said = new Map<MadeCall, ShellCallOutput>()
  const outcomes = yield* runAll(run.calls, { ...deps, onSaid: (made, item) => said.set(made, item) })
  const calls = new Map<string, TurnItem>()
  const outputs: TurnItem[] = []
  const broken: string[] = []
  for (const [made, outcome] of outcomes) {
    // What a program called is told to it, not to the model.
    if (made.call.caller) continue
    if (outcome.type === 'bad-arguments') broken.push(made.call.declared.declaration.name)
    calls.set(made.call.itemId, callItem(made))
    outputs.push(outputItem(made, tellModel(made, outcome, corrections), said.get(made)))
  }
  const waits = [...outcomes.values()].some(isWaiting)
  const goesOn = corrections.endTurn(waits) && outputs.length > 0
  const limited = run.calls.some(({ refusal }) => refusal?.type === 'result')
  if (goesOn) return { next: 'turn', calls, outputs, limited, only: waits ? broken : null }
  return { next: 'end', isTold: !waits && run.calls.some(({ call }) => call.caller) }
}

const isWaiting = ({ type }: ToolOutcome) => type === 'await-client' || type === 'await-approval'

const WAITING = 'This call was handed over, and will be answered later. Do not make it again.'

function tellModel(made: MadeCall, outcome: ToolOutcome, corrections: Corrections): ToolOutput {
  if (outcome.type === 'result') return outcome.output
  return outcome.type === 'bad-arguments' ? corrections.tell(made, outcome) : WAITING
}

export type CallDeps = ToolRunDeps & {
  /** Told of the commands of a call that have said everything. */
  readonly onSaid: (made: MadeCall, item: ShellCallOutput) => void
}

/** What became of each call, in the order of the calls. */
async function* runAll(
  calls: readonly MadeCall[],
  deps: CallDeps,
): AsyncGenerator<RunBatch, ReadonlyMap<MadeCall, ToolOutcome>> {
  const outcomes = new Map(calls.map((made): [MadeCall, ToolOutcome] => [made, made.refusal ?? NOT_RUN]))
  const starts = calls
    .filter(({ refusal }) => refusal === null)
    .map(
      (made) =>
        async function* (): AsyncGenerator<undefined, void> {
          outcomes.set(made, yield* runCall(made, deps))
        },
    )
  const { composer, context, atOnce } = deps
  for await (const _ of sideBySide(starts, { limit: atOnce, signal: context.signal })) {
    if (composer.hasEvents) yield composer.take()
  }
  if (composer.hasEvents) yield composer.take()
  return outcomes
}

const NOT_RUN: ToolOutcome = { type: 'result', output: 'It was not run.' }

/** What the model is told of broken arguments in the course of one response. */
export interface Corrections {
  /** Throws `ModelError` when the model was told of others in an earlier turn. */
  tell(made: MadeCall, broken: Extract<ToolOutcome, { type: 'bad-arguments' }>): string
  /** Whether the model may take another turn. `waits`: for calls of this one. */
  endTurn(waits: boolean): boolean
}

/**
 * Invariant: at most one turn of a response has broken arguments and is followed by another. Each further try would be
 * paid for, and a model that cannot write them rarely learns it. Several broken calls of one turn are one chance. Where
 * other calls of that turn wait for the client, the turn that follows is the last one.
 */
export function createCorrections(): Corrections {
  let hasTold = false
  let isOver = false
  let hasWaiting = false
  return {
    tell({ offered }, { problem }) {
      if (isOver) {
        const { name } = offered.declared
        throw new ModelError('malformed', `The model called '${name}' with broken arguments again: ${problem}.`)
      }
      hasTold = true
      return `Error: the tool was not run, because of its arguments: ${problem}. Call it again with right ones.`
    },
    endTurn(waits) {
      const corrects = hasTold && !isOver
      const goesOn = !hasWaiting && (!waits || corrects)
      isOver ||= hasTold
      hasWaiting ||= waits
      return goesOn
    },
  }
}

const addItem = (item: ToolSearchOutput | ProgramOutput, composer: EventComposer) =>
  composer.whole(ITEM_ID_PREFIX[item.type], (id) => ({ ...item, id }))

/** Yields when something may have been told. Invariant: after an abort nothing is written of it any more. */
export async function* runCall(made: MadeCall, deps: CallDeps): AsyncGenerator<undefined, ToolOutcome> {
  const { call, offered, writer } = made
  const { composer, context, keepAsked, onFault, onSaid } = deps
  const further = createFurther(composer, call)
  try {
    const steps = offered.tool.execute(call, context)
    for (let step = await steps.next(); ; step = await steps.next()) {
      context.signal.throwIfAborted()
      if (step.done) {
        const { value: outcome } = step
        const asked = writer?.item()
        if (outcome.type === 'await-approval' && asked?.type === 'mcp_approval_request')
          await keepAsked(asked, outcome.digest)
        return outcome
      }
      if (step.value.type === 'progress') writer?.tell(step.value.event)
      else if (step.value.type === 'finish') writer?.finish(step.value.item)
      else further.write(step.value)
      yield
    }
  } catch (error) {
    context.signal.throwIfAborted()
    onFault(error)
    return { type: 'result', output: 'The tool failed. It may work another time, or with other arguments.' }
  } finally {
    if (!context.signal.aborted) {
      if (writer !== null) composer.closeAside(writer)
      const said = further.close()
      if (said !== null) onSaid(made, said)
    }
  }
}

type FurtherStep = Exclude<ToolStep, { type: 'progress' | 'finish' }>

/** Items of a call beside its own. */
function createFurther(composer: EventComposer, { caller }: MadeCall['call']) {
  let output: ShellOutputWriter | null = null
  return {
    write(step: FurtherStep): void {
      if (step.type === 'item') addItem(step.item, composer)
      else if (step.type === 'output-open')
        output = composer.shellOutput((id) => ({ ...step.item, id, ...(caller && { caller }) }))
      else if (step.type === 'output') output?.tell(step.event)
      else if (step.type === 'output-finish') output?.finish(step.status)
    },
    close(): ShellCallOutput | null {
      if (output === null) return null
      composer.closeAside(output)
      return output.item()
    },
  }
}

/** The call as the model made it. */
function callItem({ call, shown }: MadeCall): TurnItem {
  const { itemId: id, callId: call_id, declared, input } = call
  const { type, name } = declared.declaration
  const native = shown && isContainerCall(shown) ? { native: shown } : {}
  return type === 'function'
    ? { id, type: 'function_call', status: 'completed', call_id, name, arguments: input, ...native }
    : { id, type: 'custom_tool_call', status: 'completed', call_id, name, input }
}

function outputItem({ call }: MadeCall, output: ToolOutput, native: ShellCallOutput | undefined): TurnItem {
  const { itemId: id, callId: call_id, declared } = call
  const type = declared.declaration.type === 'function' ? 'function_call_output' : 'custom_tool_call_output'
  const told = typeof output === 'string' ? output : [...output]
  return { id, type, status: 'completed', call_id, output: told, ...(native && { native }) }
}
