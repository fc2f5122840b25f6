/**
 * The server's side of one program: a line of JSON to it, a line from it, in turn.
 *
 * Invariant: what comes from inside is a stranger's. Too much of it, what is no step, and what comes too late end the
 * process, and so does the end of its program.
 */
import type { Clock } from '../../../lib/clock.ts'
import {
  MAX_PROGRAM_CALLS,
  type ProgramCall,
  type ProgramLimits,
  type ProgramOutputPiece,
  type ProgramRun,
  type ProgramSpec,
  type ProgramStep,
} from '../../program-sandbox.ts'
import type { NodeProcess, ProcessEnd } from './launch-node.ts'

export const MAX_IMAGES = 10
export const MAX_IMAGE_CHARS = 4 * 1024 * 1024
/** Of one step: the calls of a program with their arguments, or its output. */
const MAX_LINE_BYTES = 64 * 1024 * 1024
/** How much longer than its limit a step may take to be told of. */
const BACKSTOP_MS = 500
const MAX_PROBLEM_CHARS = 4_000

export type ProgramRunParts = {
  readonly process: NodeProcess
  readonly spec: ProgramSpec
  readonly limits: ProgramLimits
  readonly clock: Clock
}

export function runProgram({ process, spec, limits, clock }: ProgramRunParts): ProgramRun {
  const line = openLine(process)
  let leftMs = limits.wallMs
  const step = async (request: string): Promise<ProgramStep> => {
    const begun = clock.monotonic()
    const stop = clock.after(leftMs + BACKSTOP_MS, process.kill)
    const said = await line.ask(request)
    stop()
    leftMs -= clock.monotonic() - begun
    if (leftMs <= 0) return ended(`it computed for longer than ${limits.wallMs / 1000} s`)
    return typeof said === 'string' ? readStep(said, limits) : ended(whyEnded(said, limits))
  }
  let first: string | null = firstLine(spec, limits)
  return {
    async advance(results) {
      const request = first ?? JSON.stringify({ results })
      first = null
      const done = await step(request)
      if (done.type === 'end') process.kill()
      return done
    },
    close: process.kill,
  }
}

const ended = (problem: string): ProgramStep => ({ type: 'end', output: [], isCut: false, problem })
const FORGED = 'it answered with what a program never would'

const firstLine = ({ code, at, seed, tools }: ProgramSpec, { outputBytes }: ProgramLimits): string =>
  JSON.stringify({
    code,
    at,
    seed: Number.parseInt(seed.slice(0, 8), 16) || 0,
    tools,
    maxCalls: MAX_PROGRAM_CALLS,
    outputChars: outputBytes,
    images: MAX_IMAGES,
    imageChars: MAX_IMAGE_CHARS,
    stuck: 'it waits for something that never comes: nothing but calls of tools can be waited for',
  })

function whyEnded({ code, signal, said }: ProcessEnd, { memoryBytes, cpuMs }: ProgramLimits): string {
  if (/out of memory|Allocation failed|bad_alloc/i.test(said) || code === 134 || code === 139)
    return `it needed more memory than ${Math.floor(memoryBytes / 2 ** 20)} MB`
  if (signal === 'SIGKILL' || signal === 'SIGXCPU' || code === 137 || code === 152)
    return `it was ended: a program may compute for ${cpuMs / 1000} s`
  return 'its process ended'
}

function openLine(process: NodeProcess) {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  let end: ProcessEnd | null = null
  let waiting: ((said: string | ProcessEnd) => void) | null = null
  const answer = (said: string | ProcessEnd) => {
    const asked = waiting
    waiting = null
    asked?.(said)
  }
  process.onData((piece) => {
    bytes += piece.length
    // Nobody asked, or it is too long to be a step.
    if (waiting === null || bytes > MAX_LINE_BYTES) return process.kill()
    text += decoder.decode(piece, { stream: true })
    const at = text.indexOf('\n')
    if (at < 0) return
    const said = text.slice(0, at)
    text = ''
    bytes = 0
    answer(said)
  })
  void process.ended.then((how) => {
    end = how
    answer(how)
  })
  return {
    ask(request: string): Promise<string | ProcessEnd> {
      if (end !== null) return Promise.resolve(end)
      const { promise, resolve } = Promise.withResolvers<string | ProcessEnd>()
      waiting = resolve
      process.write(`${request}\n`)
      return promise
    },
  }
}

type JsonObject = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What was said, as far as it can be one: a step that is none ends the program. */
function readStep(line: string, { outputBytes }: ProgramLimits): ProgramStep {
  const said = parse(line)
  if (!isObject(said)) return ended(FORGED)
  if (said.type === 'calls') {
    const calls = Array.isArray(said.calls) ? said.calls.flatMap(readCall) : []
    return calls.length > 0 && calls.length <= MAX_PROGRAM_CALLS ? { type: 'calls', calls } : ended(FORGED)
  }
  if (said.type !== 'end' || !Array.isArray(said.output)) return ended(FORGED)
  const output = said.output.flatMap(readPiece)
  const chars = output.reduce((sum, piece) => sum + (piece.type === 'text' ? piece.text.length : 0), 0)
  const images = output.filter(({ type }) => type === 'image')
  if (chars > outputBytes || images.length > MAX_IMAGES) return ended(FORGED)
  const problem = typeof said.problem === 'string' ? said.problem.slice(0, MAX_PROBLEM_CHARS).toWellFormed() : null
  return { type: 'end', output, isCut: said.isCut === true, problem }
}

function readCall(value: unknown): ProgramCall[] {
  if (!isObject(value) || typeof value.name !== 'string' || typeof value.input !== 'string') return []
  return [{ name: value.name, input: value.input.toWellFormed() }]
}

function readPiece(value: unknown): ProgramOutputPiece[] {
  if (!isObject(value)) return []
  const { type, text, url } = value
  if (type === 'text' && typeof text === 'string') return [{ type, text: text.toWellFormed() }]
  if (type !== 'image' || typeof url !== 'string' || url.length > MAX_IMAGE_CHARS || !IMAGE.test(url)) return []
  return [{ type, url }]
}

const IMAGE = /^data:image\/(?:png|jpeg|webp|gif);base64,[A-Za-z0-9+/=]*$/i

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}
