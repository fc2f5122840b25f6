/** Tools whose calls are kept, and are not made again when they were. */
import { abandonedItem } from '../protocol/hosted-items.ts'
import type { Item } from '../protocol/items.ts'
import type {
  FinishedCall,
  Preparation,
  PreparedTools,
  PrepareStep,
  Tool,
  ToolContext,
  ToolOutcome,
  ToolRunner,
  ToolStep,
} from '../tools/tool.ts'
import type { Journal, KeptCall } from './journal.ts'

export function journalTools(tools: readonly Tool[], journal: Journal): readonly Tool[] {
  let preparations = 0
  return tools.map((tool) => {
    const { prepare } = tool
    if (!prepare) return { ...tool, ...journalRunner(tool, journal) }
    return {
      ...tool,
      ...journalRunner(tool, journal),
      prepare(spec, preparation, context) {
        const ask = (given: Preparation) => prepare(spec, given, context)
        return runPrepare(ask, { preparation, index: preparations++, signal: context.signal }, journal)
      },
    }
  })
}

const journalRunner = (runner: ToolRunner, journal: Journal): ToolRunner => ({
  ...runner,
  execute: (call, context) => runCall(runner, call, context, journal),
})

type Asked = { readonly preparation: Preparation; readonly index: number; readonly signal: AbortSignal }
type Ask = (preparation: Preparation) => AsyncGenerator<PrepareStep, PreparedTools>

async function* runPrepare(
  ask: Ask,
  { preparation, index, signal }: Asked,
  journal: Journal,
): AsyncGenerator<PrepareStep, PreparedTools> {
  const before = journal.prepared(index)
  if (before === null) await journal.begin(signal, 'call')
  else yield* before
  // What was shown then stands for the answer now, so nothing is shown again.
  const items = [...preparation.items, ...(before ?? []).flatMap(finishedItem)]
  const steps = ask(before === null ? preparation : { items, hasApprovals: false })
  const shown: PrepareStep[] = []
  for (let step = await steps.next(); ; step = await steps.next()) {
    if (step.done) {
      if (before === null) await journal.keep({ type: 'prepared', index, steps: shown })
      return { ...step.value, runner: journalRunner(step.value.runner, journal) }
    }
    if (before !== null) continue
    shown.push(step.value)
    yield step.value
  }
}

const finishedItem = (step: PrepareStep): Item[] => (step.type === 'finish' ? [step.item] : [])

async function* runCall(
  runner: ToolRunner,
  call: FinishedCall,
  context: ToolContext,
  journal: Journal,
): AsyncGenerator<ToolStep, ToolOutcome> {
  // What the client runs has no effect here.
  if (call.item === null && runner.runsHere !== true) return yield* runner.execute(call, context)
  const { callId } = call
  const before = journal.call(callId)
  if (before !== null) return yield* repeat(before, context)
  const isUnknown = journal.wasStarted(callId) && runner.isRepeatable !== true
  await journal.begin(context.signal, 'call')
  if (!journal.wasStarted(callId)) await journal.keep({ type: 'call-started', callId })
  const steps: ToolStep[] = []
  const running = isUnknown ? endUnknown(runner, call) : runner.execute(call, journal.watch(context))
  const keep = (outcome: ToolOutcome | null) => journal.keep({ type: 'call', callId, steps, outcome })
  try {
    for (let step = await running.next(); ; step = await running.next()) {
      if (step.done) {
        await keep(step.value)
        return step.value
      }
      steps.push(step.value)
      yield step.value
    }
  } catch (error) {
    if (!context.signal.aborted) await keep(null)
    throw error
  }
}

async function* repeat(
  { step: { steps, outcome }, cited, ready, done }: KeptCall,
  context: ToolContext,
): AsyncGenerator<ToolStep, ToolOutcome> {
  await ready
  for (const source of cited) context.cite(source)
  yield* steps
  done()
  if (outcome === null) throw new Error('the tool failed before the run was taken over')
  return outcome
}

const UNKNOWN =
  'The server stopped while this call ran, and nobody knows whether it was carried out. It was not made again. Find out ' +
  'before you call it again, or tell the user.'

async function* endUnknown(runner: ToolRunner, call: FinishedCall): AsyncGenerator<ToolStep, ToolOutcome> {
  if (runner.interrupted) yield* runner.interrupted(call)
  else if (call.item) yield { type: 'finish', item: abandonedItem(call.item) }
  return { type: 'result', output: UNKNOWN }
}
