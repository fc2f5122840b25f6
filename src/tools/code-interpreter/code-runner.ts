/** Runs the calls of one response in its container. */
import { createJsonStringStream } from '../../lib/json-string-stream.ts'
import type { HostedProgress } from '../../protocol/hosted-events.ts'
import type { CodeInterpreterCall } from '../../protocol/hosted-items.ts'
import { type CodeResult, ContainerError } from '../containers.ts'
import type { ChosenContainer } from '../in-container/choose-container.ts'
import { citeFiles } from '../in-container/tell-files.ts'
import { readArguments } from '../read-arguments.ts'
import type { FinishedCall, ToolContext, ToolOutcome, ToolRunner, ToolStep } from '../tool.ts'
import { isFailure, logsOf, tellModel, toDataUrl } from './tell-model.ts'

export const MAX_CODE_CHARS = 200_000

export function createCodeRunner(parts: ChosenContainer): ToolRunner {
  return {
    open: ({ itemId }) => ({
      id: itemId,
      type: 'code_interpreter_call',
      status: 'in_progress',
      container_id: parts.id,
      code: '',
      outputs: null,
    }),
    onInput() {
      const code = createJsonStringStream('code')
      return (delta) => {
        if (delta === '') return [{ type: 'response.code_interpreter_call.in_progress' }]
        const more = code.push(delta)
        return more === '' ? [] : [codeDelta(more)]
      }
    },
    execute: (call, context) => execute(call, context, parts),
  }
}

const codeDelta = (delta: string): HostedProgress => ({ type: 'response.code_interpreter_call_code.delta', delta })

async function* execute(
  call: FinishedCall,
  context: ToolContext,
  parts: ChosenContainer,
): AsyncGenerator<ToolStep, ToolOutcome> {
  const { item } = call
  if (item?.type !== 'code_interpreter_call') throw new TypeError('code runs in an item of its own')
  const streamed = item.code ?? ''
  const read = readCode(call, streamed)
  if (!read.ok) {
    yield progress({ type: 'response.code_interpreter_call_code.done', code: streamed })
    yield { type: 'finish', item: { ...item, status: 'failed' } }
    return read.outcome
  }
  const { code } = read
  if (code.length > streamed.length) yield progress(codeDelta(code.slice(streamed.length)))
  yield progress({ type: 'response.code_interpreter_call_code.done', code })
  yield progress({ type: 'response.code_interpreter_call.interpreting' })
  try {
    await parts.ready()
    const result = await parts.containers.run(parts.id, code, { signal: context.signal })
    context.signal.throwIfAborted()
    if (!isFailure(result)) yield progress({ type: 'response.code_interpreter_call.completed' })
    const status = isFailure(result) ? 'failed' : 'completed'
    yield { type: 'finish', item: { ...item, code, status, outputs: outputsOf(result, context) } }
    return { type: 'result', output: tellModel(result, citeFiles(result.files, context), context.imageInput) }
  } catch (error) {
    if (!(error instanceof ContainerError)) throw error
    yield { type: 'finish', item: { ...item, code, status: 'failed' } }
    return { type: 'result', output: `The code was not run. ${error.message}` }
  }
}

const progress = (event: HostedProgress): ToolStep => ({ type: 'progress', event })

type ReadCode =
  | { readonly ok: true; readonly code: string }
  | { readonly ok: false; readonly outcome: Extract<ToolOutcome, { type: 'bad-arguments' }> }

/** What was streamed stays said: code that does not go on from it cannot be run in its item. */
function readCode(call: FinishedCall, streamed: string): ReadCode {
  const read = readArguments(call)
  if (!read.ok) return read
  const { code } = read.value
  if (typeof code !== 'string' || code.trim() === '') return broken('they need "code", a text that is not empty')
  if (!code.startsWith(streamed)) return broken('they hold "code" more than once')
  if (code.length > MAX_CODE_CHARS) return broken(`"code" is longer than ${MAX_CODE_CHARS} characters`)
  if (!code.isWellFormed() || code.includes('\0')) return broken('"code" holds characters that are none')
  return { ok: true, code }
}

const broken = (problem: string): ReadCode => ({ ok: false, outcome: { type: 'bad-arguments', problem } })

function outputsOf(result: CodeResult, { include }: ToolContext): CodeInterpreterCall['outputs'] {
  if (!include.includes('code_interpreter_call.outputs')) return null
  const logs = logsOf(result)
  return [
    ...(logs === '' ? [] : [{ type: 'logs' as const, logs }]),
    ...result.images.map((image) => ({ type: 'image' as const, url: toDataUrl(image) })),
  ]
}
