/** Runs the shell calls of one response in its container. */
import type { ShellCallOutput } from '../../protocol/client-items.ts'
import { tellCommands } from '../../protocol/shell-output.ts'
import { ContainerError, type ShellResult } from '../containers.ts'
import type { ChosenContainer } from '../in-container/choose-container.ts'
import { citeFiles, shortened, tellFiles, withoutMarks } from '../in-container/tell-files.ts'
import type { FinishedCall, ToolContext, ToolOutcome, ToolRunner, ToolStep } from '../tool.ts'
import { markForeign } from '../tool.ts'
import { type CommandsLog, createCommandsLog } from './commands-log.ts'
import { readAction } from './read-action.ts'

export function createShellRunner(chosen: ChosenContainer): ToolRunner {
  return {
    runsHere: true,
    open: () => null,
    whole({ callId: call_id }, input) {
      const read = readAction(input)
      if (!read.ok) return { type: 'bad-arguments', problem: read.problem }
      const environment = { type: 'container_reference', container_id: chosen.id } as const
      return { id: '', type: 'shell_call', call_id, status: 'completed', action: read.action, environment }
    },
    execute: (call, context) => execute(call, context, chosen),
    *interrupted(call) {
      yield { type: 'output-open', item: openedOutput(call) }
    },
  }
}

/** Nobody finishes it: it ends as incomplete. */
function openedOutput({ callId: call_id, input }: FinishedCall): ShellCallOutput {
  const read = readAction(input)
  const max_output_length = read.ok ? read.action.max_output_length : null
  return { id: '', type: 'shell_call_output', call_id, status: 'in_progress', output: [], max_output_length }
}

async function* execute(
  call: FinishedCall,
  context: ToolContext,
  { id, containers, ready }: ChosenContainer,
): AsyncGenerator<ToolStep, ToolOutcome> {
  const read = readAction(call.input)
  if (!read.ok) return { type: 'bad-arguments', problem: read.problem }
  const { commands, timeout_ms, max_output_length } = read.action
  yield { type: 'output-open', item: openedOutput(call) }
  const log = createCommandsLog(commands.length, max_output_length)
  const run = async () => {
    await ready()
    const wall = timeout_ms === null ? {} : { wallMs: timeout_ms }
    return containers.shell(id, commands, { signal: context.signal, ...wall, onOutput: log.add })
  }
  const running = run().then(
    (result) => ({ result, error: null }),
    (error: unknown) => ({ result: null, error }),
  )
  yield* stepsUntil(running, log)
  const { result, error } = await running
  context.signal.throwIfAborted()
  if (result === null) {
    if (!(error instanceof ContainerError)) throw error
    for (const event of log.failed(error.message)) yield { type: 'output', event }
    yield { type: 'output-finish', status: 'incomplete' }
    return { type: 'result', output: `The commands were not run. ${error.message}` }
  }
  for (const event of log.ended(result)) yield { type: 'output', event }
  yield { type: 'output-finish', status: 'completed' }
  return { type: 'result', output: tellModel(log, result, context) }
}

/** What is told while they run, as it comes. */
async function* stepsUntil(running: Promise<unknown>, log: CommandsLog): AsyncGenerator<ToolStep, void> {
  let isOver = false
  const over = running.then(() => {
    isOver = true
  })
  while (!isOver) {
    await Promise.race([over, log.hasMore()])
    for (const event of log.take()) yield { type: 'output', event }
  }
}

const NOTES = { memory: 'memory', files: 'files', cpu: 'processor time' } as const

function tellModel(log: CommandsLog, { status, isNew, isCut, files }: ShellResult, context: ToolContext): string {
  const limit = status === 'memory' || status === 'files' || status === 'cpu' ? NOTES[status] : null
  return [
    ...(isNew ? ['The container had ended and began anew: earlier files and variables are gone.'] : []),
    ...(limit === null ? [] : [`The commands used more ${limit} than allowed and were stopped.`]),
    ...(isCut ? ['The output was longer than is kept; the rest of it is lost.'] : []),
    markForeign('the commands', withoutMarks(shortened(tellCommands(log.results())))),
    ...tellFiles(citeFiles(files, context)),
  ].join('\n')
}
