/**
 * The calls of programs: opened, counted, run and shown like those of a model, and told to the program instead of to it.
 *
 * Invariant: a program sees results in the order of its calls, and none before all that it made so far have ended. So what
 * it does depends on what they gave, and not on which was quicker.
 */
import { sideBySide } from '../../lib/side-by-side.ts'
import type { ShellCallOutput } from '../../protocol/client-items.ts'
import type { Item } from '../../protocol/items.ts'
import type {
  DeclaredTool,
  FinishedCall,
  NestedCall,
  NestedOutcome,
  NestedTools,
  OpenedCall,
  ToolOutcome,
  ToolStep,
} from '../../tools/tool.ts'
import { type CallOptions, finishCall, type MadeCall, openCall } from '../open-call.ts'
import type { OfferedTools } from '../resolve-tools.ts'
import { runCall, type ToolRunDeps } from '../run-tool-calls.ts'
import { outcomeOfHosted, outcomeOfOutput } from './nested-outcome.ts'
import { createNestedReplay, type NestedReplay } from './nested-replay.ts'
import { nestedCallId, partsOfPrograms } from './program-items.ts'

export type NestedParts = {
  readonly tools: Pick<OfferedTools, 'forPrograms'>
  readonly options: CallOptions
  /** As for the calls of a model. */
  readonly deps: () => ToolRunDeps
  /** What stands before a program that goes on. */
  readonly items: () => readonly Item[]
}

type Program = { made: number; readonly replay: NestedReplay }
type Begun = MadeCall | NestedOutcome

export function createNestedTools(parts: NestedParts): NestedTools {
  const { tools, options } = parts
  const programs = new Map<string, Program>()
  let deps: ToolRunDeps | null = null
  /** One context for all of them. What code printed is what its program gets, so it stands in the item. */
  const nestedDeps = (): ToolRunDeps => {
    const own = parts.deps()
    deps ??= { ...own, context: { ...own.context, include: [...own.context.include, 'code_interpreter_call.outputs'] } }
    return deps
  }
  const programOf = ({ callId }: OpenedCall): Program => {
    const known = programs.get(callId)
    if (known) return known
    const program = { made: 0, replay: createNestedReplay(partsOfPrograms(parts.items()).get(callId) ?? []) }
    programs.set(callId, program)
    return program
  }
  const begin = (caller: OpenedCall, { name, input }: NestedCall): Begun => {
    const program = programOf(caller)
    const callId = nestedCallId(caller.callId, program.made++)
    const offered = tools.forPrograms.get(name)
    if (!offered) return { type: 'error', message: `There is no tool '${name}' for programs.` }
    const before = program.replay.next({ callId, declared: offered.declared, input })
    if (before) return before
    const call = openCall(offered, { callId, caller: { type: 'program', caller_id: caller.callId } }, options)
    call.addInput(input)
    return finishCall(call, input, options)
  }
  return {
    callable: (): readonly DeclaredTool[] => [...tools.forPrograms.values()].map(({ declared }) => declared),
    async *run(caller, calls) {
      const begun = calls.map((call) => begin(caller, call))
      options.composer.closeItem('completed')
      yield { type: 'told' }
      return yield* endAll(begun, nestedDeps())
    },
  }
}

async function* endAll(begun: readonly Begun[], deps: ToolRunDeps): AsyncGenerator<ToolStep, readonly NestedOutcome[]> {
  const outcomes = new Map<Begun, NestedOutcome>()
  const said = new Map<MadeCall, ShellCallOutput>()
  const running = { ...deps, onSaid: (made: MadeCall, item: ShellCallOutput) => void said.set(made, item) }
  const starts = begun.filter(isMade).map(
    (made) =>
      async function* (): AsyncGenerator<undefined, void> {
        const outcome = made.refusal ?? (yield* runCall(made, running))
        outcomes.set(made, toNested(made, outcome, said.get(made)))
      },
  )
  const { atOnce: limit, context } = deps
  for await (const _ of sideBySide(starts, { limit, signal: context.signal })) yield { type: 'told' }
  return begun.map((one) => (isMade(one) ? (outcomes.get(one) ?? { type: 'waits' }) : one))
}

const isMade = (begun: Begun): begun is MadeCall => 'call' in begun

function toNested(
  { call, writer, refusal }: MadeCall,
  outcome: ToolOutcome,
  said: ShellCallOutput | undefined,
): NestedOutcome {
  if (refusal?.type === 'result')
    return { type: 'ends', problem: 'the limit of tool calls of this response is reached' }
  if (outcome.type === 'await-client' || outcome.type === 'await-approval') return { type: 'waits' }
  if (outcome.type === 'bad-arguments') return { type: 'error', message: brokenArguments(call, outcome.problem) }
  if (said) return outcomeOfOutput(said, call.declared)
  const item = writer?.item()
  return item ? outcomeOfHosted(item) : { type: 'error', message: 'This tool cannot be called by a program.' }
}

const brokenArguments = ({ declared }: FinishedCall, problem: string) =>
  `'${declared.name}' was not run, because of its arguments: ${problem}.`
