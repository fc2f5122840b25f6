/**
 * Programs that a model writes to call tools: the tool, its two items, and who made a call. In the two forms of every
 * item: as we store and list them, and, looser, as clients send them back.
 */
import { MAX_TEXT_CHARS } from './content.ts'
import { Maybe, OneOf, type Static, Type } from './schema.ts'

export const PROGRAMS = 'programmatic_tool_calling'

export const ProgramsToolSchema = Type.Object({ type: Type.Literal(PROGRAMS) })
/** `tool_choice` that names it. */
export const ProgramsChoiceSchema = Type.Object({ type: Type.Literal(PROGRAMS) })

/** Of a call, and of its output: a program made it, or, where nothing is said, the model itself. */
export const CallerSchema = Type.Union([
  Type.Object({ type: Type.Literal('direct') }),
  Type.Object({ type: Type.Literal('program'), caller_id: Type.String({ minLength: 1, maxLength: 64 }) }),
])

const CallId = Type.String({ minLength: 1, maxLength: 64 })
const Text = Type.String({ maxLength: MAX_TEXT_CHARS })

export const ProgramSchema = Type.Object({
  id: Type.String(),
  type: Type.Literal('program'),
  call_id: Type.String(),
  /** JavaScript. */
  code: Type.String(),
  fingerprint: Type.String(),
})
export const ProgramParamSchema = Type.Object({
  id: Maybe(Type.String()),
  type: Type.Literal('program'),
  call_id: CallId,
  code: Text,
  fingerprint: Text,
})
export const ProgramOutputSchema = Type.Object({
  id: Type.String(),
  type: Type.Literal('program_output'),
  call_id: Type.String(),
  result: Type.String(),
  status: OneOf(['completed', 'incomplete']),
})
export const ProgramOutputParamSchema = Type.Object({
  id: Maybe(Type.String()),
  type: Type.Literal('program_output'),
  call_id: CallId,
  result: Text,
  status: Maybe(OneOf(['completed', 'incomplete'])),
})

export type Program = Static<typeof ProgramSchema>
export type ProgramOutput = Static<typeof ProgramOutputSchema>
export type ProgramItem = Program | ProgramOutput
export type ProgramItemParam = Static<typeof ProgramParamSchema> | Static<typeof ProgramOutputParamSchema>
export type ToolCaller = Static<typeof CallerSchema>

export const PROGRAM_ID_PREFIX = { program: 'prog', program_output: 'progo' } as const

type Typed = { readonly type?: string | null }
export const isProgramItem = <T extends Typed>(item: T): item is Extract<T, { type: ProgramItem['type'] }> =>
  item.type === 'program' || item.type === 'program_output'

/** The `call_id` of the program that made a call; null: the model itself did, or it is no call. */
export function programOf(item: object): string | null {
  if (!('caller' in item)) return null
  const { caller } = item
  if (typeof caller !== 'object' || caller === null || !('caller_id' in caller)) return null
  return typeof caller.caller_id === 'string' ? caller.caller_id : null
}

/** What is kept of it: nothing of a call that the model itself made. */
export const keptCaller = (item: { readonly caller?: ToolCaller | null | undefined }): { caller?: ToolCaller } =>
  item.caller?.type === 'program' ? { caller: item.caller } : {}

export function normalizeProgram(item: ProgramItemParam, id: string): ProgramItem {
  const { type, call_id } = item
  if (type === 'program') return { id, type, call_id, code: item.code, fingerprint: item.fingerprint }
  return { id, type, call_id, result: item.result, status: item.status ?? 'completed' }
}
