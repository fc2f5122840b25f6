/** Hosted tools that play a script: the far side of the tool port. Each stands behind a plain function of its name. */
import type { HostedItem } from '../../src/protocol/hosted-items.ts'
import { createFunctionTool } from '../../src/tools/function/function-tool.ts'
import type { FinishedCall, Tool, ToolContext, ToolOutcome, ToolStep } from '../../src/tools/tool.ts'

export const CODE_NAME = 'run_code'
export const SEARCH_NAME = 'search'

export type ScriptedTool = Tool & {
  /** Calls that were run, in order. */
  readonly calls: readonly FinishedCall[]
}

export type ToolScript = (call: FinishedCall, context: ToolContext) => AsyncGenerator<ToolStep, ToolOutcome>

const functions = createFunctionTool()
const claims =
  (name: string): Tool['claims'] =>
  (spec) =>
    spec.type === 'function' && spec.name === name

function scripted(name: string, part: Pick<Tool, 'open' | 'onInput'>, script: ToolScript): ScriptedTool {
  const calls: FinishedCall[] = []
  return {
    calls,
    claims: claims(name),
    echo: functions.echo,
    declare: functions.declare,
    ...part,
    async *execute(call, context) {
      calls.push(call)
      return yield* script(call, context)
    },
  }
}

/**
 * The script of a tool that is slow or fails, by a number from `next` when a call begins: its lower digit is how many
 * times the call gives way to others before each step, and from 10 on it throws when it has done as much as its tens say.
 */
export const unsteady = (script: ToolScript, next: () => number): ToolScript =>
  async function* (call, context) {
    const fate = next()
    const steps = script(call, context)
    for (let done = 1; ; done++) {
      for (let turn = 0; turn < fate % 10; turn++) await new Promise(setImmediate)
      if (fate >= 10 && done > fate / 10) throw new Error('it broke')
      context.signal.throwIfAborted()
      const step = await steps.next()
      if (step.done) return step.value
      yield step.value
    }
  }

/** Its code streams as it comes; by default it prints the code. */
export const scriptedCodeTool = (script: ToolScript = runCode): ScriptedTool =>
  scripted(
    CODE_NAME,
    {
      open: ({ itemId }) => ({
        id: itemId,
        type: 'code_interpreter_call',
        status: 'in_progress',
        container_id: 'cntr_1',
        code: '',
        outputs: null,
      }),
      onInput: () => (delta) => (delta === '' ? [] : [{ type: 'response.code_interpreter_call_code.delta', delta }]),
    },
    script,
  )

export async function* runCode({ item, input }: FinishedCall): AsyncGenerator<ToolStep, ToolOutcome> {
  if (item?.type !== 'code_interpreter_call') throw new TypeError('it opened another item')
  yield { type: 'progress', event: { type: 'response.code_interpreter_call_code.done', code: input } }
  yield { type: 'progress', event: { type: 'response.code_interpreter_call.interpreting' } }
  const done: HostedItem = { ...item, status: 'completed', outputs: [{ type: 'logs', logs: input }] }
  yield { type: 'progress', event: { type: 'response.code_interpreter_call.completed' } }
  yield { type: 'finish', item: done }
  return { type: 'result', output: input }
}

/** By default it finds the same page for everything. */
export const scriptedSearchTool = (script: ToolScript = search): ScriptedTool =>
  scripted(
    SEARCH_NAME,
    {
      open: ({ itemId }) => ({
        id: itemId,
        type: 'web_search_call',
        status: 'in_progress',
        action: { type: 'search', queries: [] },
      }),
    },
    script,
  )

export async function* search({ item, input }: FinishedCall): AsyncGenerator<ToolStep, ToolOutcome> {
  if (item?.type !== 'web_search_call') throw new TypeError('it opened another item')
  yield { type: 'progress', event: { type: 'response.web_search_call.searching' } }
  yield { type: 'progress', event: { type: 'response.web_search_call.completed' } }
  yield { type: 'finish', item: { ...item, status: 'completed', action: { type: 'search', queries: [input] } } }
  return { type: 'result', output: 'https://example.com says so.' }
}
