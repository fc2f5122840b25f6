/**
 * Programs and what they called, among the items of a context. The model sees a program as a call of a function, and what
 * it put out as the output of that; what it called is the program's own affair.
 */
import { hash } from 'node:crypto'
import type { TurnItem } from '../../models/model.ts'
import { isContainerCall } from '../../protocol/client-items.ts'
import { badRequest } from '../../protocol/errors.ts'
import type { Item } from '../../protocol/items.ts'
import { PROGRAMS, type Program, type ProgramItem, programOf } from '../../protocol/programs.ts'
import { markForeign } from '../../tools/tool.ts'

/** Made by a program, or the answer to what it made. */
export const isNested = (item: Item): boolean => programOf(item) !== null

const ANSWERS: ReadonlySet<Item['type']> = new Set([
  'function_call_output',
  'custom_tool_call_output',
  'shell_call_output',
  'apply_patch_call_output',
])

/**
 * What belongs to each program: its calls, their outputs, and the answers to what it asked leave for. Clients may leave out
 * who made the call that they answer.
 */
export function partsOfPrograms(items: readonly Item[]): ReadonlyMap<string, readonly Item[]> {
  const parts = new Map<string, Item[]>()
  const programOfCall = new Map<string, string>()
  for (const item of items) {
    if (item.type === 'program') parts.set(item.call_id, [])
    const answered = ANSWERS.has(item.type) && 'call_id' in item ? programOfCall.get(item.call_id) : undefined
    const allowed = item.type === 'mcp_approval_response' ? programOfCall.get(item.approval_request_id) : undefined
    const program = answered ?? allowed ?? programOf(item)
    const own = program === null ? undefined : parts.get(program)
    if (program === null || !own) continue
    own.push(item)
    if (ANSWERS.has(item.type)) continue
    if (item.type === 'mcp_approval_request') programOfCall.set(item.id, program)
    else if ('call_id' in item) programOfCall.set(item.call_id, program)
  }
  return parts
}

/** Programs that wait no more: what they called last was answered, and they have not ended. */
export function answeredPrograms(items: readonly Item[]): readonly Program[] {
  if (!items.some(({ type }) => type === 'program')) return []
  const ended = new Set(items.flatMap((item) => (item.type === 'program_output' ? [item.call_id] : [])))
  const parts = partsOfPrograms(items)
  return items.flatMap((item) => {
    if (item.type !== 'program' || ended.has(item.call_id)) return []
    const own = parts.get(item.call_id) ?? []
    return isAnswer(own.at(-1), own) ? [item] : []
  })
}

/** What commands said that ran here is no answer of the client. */
function isAnswer(last: Item | undefined, own: readonly Item[]): boolean {
  if (last === undefined) return false
  const { type } = last
  if (type !== 'shell_call_output') return ANSWERS.has(type) || type === 'mcp_approval_response'
  return !own.some((item) => isContainerCall(item) && item.call_id === last.call_id)
}

/** What a program gave, as the model is told it. */
export const tellOutput = (result: string): string => markForeign('a program and the tools that it called', result)

const CUT_OFF = 'The program was cut off before it came to its end.'

/** `isEnded`: it has an output, or is about to have one. */
export function recallProgram(
  item: ProgramItem,
  { isEnded, offersTools }: { readonly isEnded: boolean; readonly offersTools: boolean },
): TurnItem[] {
  const { id, call_id } = item
  const shared = { id, status: 'completed', call_id } as const
  const output = (said: string): TurnItem => ({ ...shared, type: 'function_call_output', output: said })
  if (!offersTools) {
    const said = item.type === 'program' ? item.code : tellOutput(item.result)
    const text = `[${item.type === 'program' ? 'A program was run' : 'It gave'}:]\n${said}`
    return [{ id, type: 'message', status: 'completed', role: 'user', content: [{ type: 'input_text', text }] }]
  }
  if (item.type === 'program_output') return [output(tellOutput(item.result))]
  const call = { ...shared, type: 'function_call', name: PROGRAMS, arguments: argumentsOf(item.code) } as const
  return isEnded ? [call] : [call, output(CUT_OFF)]
}

export const argumentsOf = (code: string): string => JSON.stringify({ code })

/** The id of a call of a program follows from its place, so that it is the same when the program is run again. */
export const nestedCallId = (programCallId: string, index: number): string =>
  `call_${hash('sha256', JSON.stringify([programCallId, index]), 'hex').slice(0, 32)}`

const VERSION = 'p1'
const FINGERPRINT = /^p1\.([0-9a-z]{1,12})\.[A-Za-z0-9_-]{43}$/

/**
 * By what a program is known again: its moment, and a digest of all that a second run depends on. It is no secret: whoever
 * could make one could as well have a model write the program.
 */
export function fingerprintOf({ call_id, code }: Pick<Program, 'call_id' | 'code'>, at: number): string {
  const digest = hash('sha256', JSON.stringify([VERSION, call_id, code, at]), 'base64url')
  return `${VERSION}.${at.toString(36)}.${digest}`
}

/** The moment of a program, in seconds. Throws for one that came back changed, or is another server's. */
export function momentOf(program: Program): number {
  const at = Number.parseInt(FINGERPRINT.exec(program.fingerprint)?.[1] ?? '', 36)
  if (Number.isSafeInteger(at) && fingerprintOf(program, at) === program.fingerprint) return at
  throw badRequest(
    'input',
    'invalid_fingerprint',
    `The program '${program.call_id.slice(0, 64)}' cannot go on: its code and its fingerprint do not belong together. ` +
      'Send the item back unchanged, to the server that made it.',
  )
}
