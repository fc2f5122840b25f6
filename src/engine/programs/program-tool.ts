/**
 * `programmatic_tool_calling`: a model writes JavaScript that calls tools of its request, and the program runs here, in a
 * sandbox. It is the engine's own tool, as the search for tools is: what it calls are tools of the request.
 *
 * A program that waits for its client ends with the response. It is run again from its beginning when the answers are
 * there, with all that its calls gave before: see `nested-replay.ts`.
 */
import { hash } from 'node:crypto'
import { ApiError } from '../../protocol/errors.ts'
import { PROGRAMS, type Program, type ProgramOutput } from '../../protocol/programs.ts'
import type {
  ProgramResult,
  ProgramRun,
  ProgramSandbox,
  ProgramStep,
  ProgramTool,
} from '../../sandbox/program-sandbox.ts'
import { SandboxUnavailable } from '../../sandbox/sandbox.ts'
import type {
  BadArguments,
  DeclaredTool,
  FinishedCall,
  NestedOutcome,
  Tool,
  ToolContext,
  ToolOutcome,
  ToolStep,
} from '../../tools/tool.ts'
import { pathOf } from './describe-programs.ts'
import { isRecord } from './nested-outcome.ts'
import { fingerprintOf, tellOutput } from './program-items.ts'

export const MAX_CODE_CHARS = 200_000

const ABOUT =
  'Runs a program that you write in JavaScript to call tools: several at once, in loops, with conditions, and with ' +
  'results that you filter or put together before you see them. Each tool is an async function; `await` works at the top ' +
  'level. You see only what the program gives to text(...), image(...) of a data URL, or returns: keep that short. A tool ' +
  'that fails throws. There is no network, file system, console, timer or module, and nothing stays from one program to ' +
  'the next. The tools:'

const PARAMETERS = {
  type: 'object',
  properties: { code: { type: 'string', description: 'JavaScript source code.' } },
  required: ['code'],
  additionalProperties: false,
}

type Steps = AsyncGenerator<ToolStep, ToolOutcome>

export function createProgramTool(sandbox: ProgramSandbox): Tool {
  return {
    claims: ({ type }) => type === PROGRAMS,
    echo: () => ({ type: PROGRAMS }),
    async admit(_spec, path) {
      const why = await unavailable(sandbox)
      if (why === null) return
      const message = `Programs cannot be run by this server: ${why}.`
      throw new ApiError({ status: 400, param: `${path}.type`, code: 'tool_unavailable', message })
    },
    declare: (spec): readonly DeclaredTool[] => [
      {
        declaration: { type: 'function', name: PROGRAMS, description: ABOUT, parameters: PARAMETERS, strict: false },
        name: PROGRAMS,
        namespace: null,
        spec,
      },
    ],
    runsHere: true,
    onlyCalls: true,
    open: () => null,
    whole({ callId, at }, input): Program | BadArguments {
      const code = readCode(input)
      if (typeof code !== 'string') return code
      const program = { id: '', type: 'program', call_id: callId, code, fingerprint: '' } as const
      return { ...program, fingerprint: fingerprintOf(program, at) }
    },
    execute: (call, context) => execute(call, context, sandbox),
  }
}

async function unavailable(sandbox: ProgramSandbox): Promise<string | null> {
  try {
    await sandbox.ready()
    return null
  } catch (error) {
    if (error instanceof SandboxUnavailable) return error.message
    throw error
  }
}

const broken = (problem: string): BadArguments => ({ type: 'bad-arguments', problem })

function readCode(input: string): string | BadArguments {
  const given = parse(input)
  if (!isRecord(given)) return broken('they are not a JSON object')
  const { code } = given
  if (typeof code !== 'string' || code.trim() === '') return broken('they need "code", a text that is not empty')
  if (code.length > MAX_CODE_CHARS) return broken(`"code" is longer than ${MAX_CODE_CHARS} characters`)
  return code.isWellFormed() && !code.includes('\0') ? code : broken('"code" holds characters that are none')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

async function* execute(call: FinishedCall, context: ToolContext, sandbox: ProgramSandbox): Steps {
  const code = readCode(call.input)
  if (typeof code !== 'string') return code
  const callable = context.nested.callable()
  const seed = hash('sha256', call.callId, 'hex')
  const spec = { code, at: call.at * 1000, seed, tools: callable.map(toProgramTool) }
  let run: ProgramRun
  try {
    run = await sandbox.start(spec, context.signal)
  } catch (error) {
    if (!(error instanceof SandboxUnavailable)) throw error
    return yield* end(call, context, failed(`programs cannot be run now: ${error.message}`))
  }
  try {
    return yield* follow(run, call, context)
  } finally {
    run.close()
  }
}

async function* follow(run: ProgramRun, call: FinishedCall, context: ToolContext): Steps {
  let results: readonly ProgramResult[] = []
  for (;;) {
    const step = await run.advance(results)
    context.signal.throwIfAborted()
    if (step.type === 'end') return yield* end(call, context, step)
    const outcomes = yield* context.nested.run(call, step.calls)
    const last = outcomes.find(({ type }) => type === 'ends')
    if (last?.type === 'ends') return yield* end(call, context, failed(last.problem))
    if (outcomes.some(({ type }) => type === 'waits')) return { type: 'await-client' }
    results = outcomes.map(toResult)
  }
}

const toProgramTool = (tool: DeclaredTool): ProgramTool => ({
  name: tool.declaration.name,
  path: pathOf(tool),
  takes: tool.declaration.type === 'custom' ? 'text' : 'object',
})

const toResult = (outcome: NestedOutcome): ProgramResult =>
  outcome.type === 'value' ? { value: outcome.value } : { error: outcome.type === 'error' ? outcome.message : '' }

type End = Extract<ProgramStep, { type: 'end' }>
const failed = (problem: string): End => ({ type: 'end', output: [], isCut: false, problem })

async function* end(call: FinishedCall, { imageInput }: ToolContext, step: End): Steps {
  const result = resultOf(step)
  const status = step.problem === null ? 'completed' : 'incomplete'
  const item: ProgramOutput = { id: '', type: 'program_output', call_id: call.callId, result, status }
  yield { type: 'item', item }
  const images = imageInput ? step.output.flatMap((piece) => (piece.type === 'image' ? [piece.url] : [])) : []
  const text = tellOutput(result)
  if (images.length === 0) return { type: 'result', output: text }
  const shown = images.map((image_url) => ({ type: 'input_image', detail: 'auto', image_url }) as const)
  return { type: 'result', output: [{ type: 'input_text', text }, ...shown] }
}

function resultOf({ output, isCut, problem }: End): string {
  const said = output.map((piece) => (piece.type === 'text' ? piece.text : '[an image]'))
  if (isCut) said.push('[There was more than a program may give; it was cut.]')
  if (problem !== null) said.push(`[The program did not come to its end: ${problem}]`)
  return said.length === 0 ? '[The program gave nothing.]' : said.join('\n')
}
