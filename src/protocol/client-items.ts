/**
 * Items of the tools that a client runs and that are no functions, and of the search for tools: what the model wants done,
 * and what came of it. In the two forms of every item: as we store and list them, and, looser, as clients send them.
 */
import type { ClientTool } from './client-tools.ts'
import { MAX_IMAGE_URL_CHARS, MAX_TEXT_CHARS } from './content.ts'
import { AnyValue, MapOf, Maybe, Nullable, OneOf, type Static, type TProperties, Type } from './schema.ts'
import { MAX_TOOLS, ToolParamSchema, ToolSchema } from './tools.ts'

const loose = { id: Maybe(Type.String()), status: Maybe(Type.String()) }
const Text = Type.String({ maxLength: MAX_TEXT_CHARS })
const CallId = Type.String({ minLength: 1, maxLength: 64 })
const Status = OneOf(['in_progress', 'completed', 'incomplete'])

const stored = <const T extends string, P extends TProperties>(type: T, fields: P) =>
  Type.Object({ id: Type.String(), type: Type.Literal(type), call_id: Type.String(), ...fields })
const param = <const T extends string, P extends TProperties>(type: T, fields: P) =>
  Type.Object({ ...loose, type: Type.Literal(type), call_id: CallId, ...fields })

// ---- shell ----------------------------------------------------------------------------------------------------

const Count = Type.Integer()
const Commands = Type.Array(Text)
export const ShellActionParamSchema = Type.Object({
  commands: Commands,
  timeout_ms: Maybe(Count),
  max_output_length: Maybe(Count),
})
const ShellActionSchema = Type.Object({
  commands: Commands,
  timeout_ms: Nullable(Count),
  max_output_length: Nullable(Count),
})
const EnvironmentSchema = Type.Union([
  Type.Object({ type: Type.Literal('local') }),
  Type.Object({ type: Type.Literal('container_reference'), container_id: Type.String() }),
])
const OutcomeSchema = Type.Union([
  Type.Object({ type: Type.Literal('exit'), exit_code: Type.Integer() }),
  Type.Object({ type: Type.Literal('timeout') }),
])
export const ShellOutputSchema = Type.Object({ stdout: Text, stderr: Text, outcome: OutcomeSchema })
export const ShellCallSchema = stored('shell_call', {
  status: Status,
  action: ShellActionSchema,
  environment: Nullable(EnvironmentSchema),
})
export const ShellCallParamSchema = param('shell_call', {
  action: ShellActionParamSchema,
  environment: Maybe(EnvironmentSchema),
})
export const ShellCallOutputSchema = stored('shell_call_output', {
  status: Status,
  output: Type.Array(ShellOutputSchema),
  max_output_length: Nullable(Count),
})
export const ShellCallOutputParamSchema = param('shell_call_output', {
  output: Type.Array(ShellOutputSchema),
  max_output_length: Maybe(Count),
})

// ---- local shell, the older one -------------------------------------------------------------------------------

const execFields = { command: Commands, timeout_ms: Maybe(Count), working_directory: Maybe(Text), user: Maybe(Text) }
export const LocalShellActionParamSchema = Type.Object({
  type: Type.Literal('exec'),
  ...execFields,
  env: Maybe(MapOf(Type.String())),
})
const LocalShellActionSchema = Type.Object({
  type: Type.Literal('exec'),
  ...execFields,
  env: MapOf(Type.String()),
})
export const LocalShellCallSchema = stored('local_shell_call', { status: Status, action: LocalShellActionSchema })
export const LocalShellCallParamSchema = param('local_shell_call', { action: LocalShellActionParamSchema })
/** In the API its `id` is that of the call. Clients send either, so `call_id` is what is kept. */
export const LocalShellCallOutputSchema = stored('local_shell_call_output', { status: Status, output: Type.String() })
export const LocalShellCallOutputParamSchema = Type.Object({
  ...loose,
  type: Type.Literal('local_shell_call_output'),
  call_id: Maybe(CallId),
  output: Text,
})

// ---- patches --------------------------------------------------------------------------------------------------

const Path = Type.String({ minLength: 1 })
export const PatchOperationSchema = Type.Union([
  Type.Object({ type: Type.Literal('create_file'), path: Path, diff: Text }),
  Type.Object({ type: Type.Literal('update_file'), path: Path, diff: Text }),
  Type.Object({ type: Type.Literal('delete_file'), path: Path }),
])
export const ApplyPatchCallSchema = stored('apply_patch_call', {
  status: OneOf(['in_progress', 'completed']),
  operation: PatchOperationSchema,
})
export const ApplyPatchCallParamSchema = param('apply_patch_call', { operation: PatchOperationSchema })
export const ApplyPatchCallOutputSchema = stored('apply_patch_call_output', {
  status: OneOf(['completed', 'failed']),
  output: Type.Optional(Nullable(Type.String())),
})
export const ApplyPatchCallOutputParamSchema = Type.Object({
  id: Maybe(Type.String()),
  type: Type.Literal('apply_patch_call_output'),
  call_id: CallId,
  status: OneOf(['completed', 'failed']),
  output: Maybe(Text),
})

// ---- computers ------------------------------------------------------------------------------------------------

const at = { x: Type.Number(), y: Type.Number() }
const keys = Maybe(Type.Array(Type.String()))
const clickSchema = Type.Object({
  type: Type.Literal('click'),
  button: OneOf(['left', 'right', 'wheel', 'back', 'forward']),
  ...at,
  keys,
})
const otherActions = [
  Type.Object({ type: Type.Literal('drag'), path: Type.Array(Type.Object(at)), keys }),
  Type.Object({ type: Type.Literal('keypress'), keys: Type.Array(Type.String()) }),
  Type.Object({ type: Type.Literal('move'), ...at, keys }),
  Type.Object({ type: Type.Literal('screenshot') }),
  Type.Object({ type: Type.Literal('scroll'), ...at, scroll_x: Type.Number(), scroll_y: Type.Number(), keys }),
  Type.Object({ type: Type.Literal('type'), text: Text }),
  Type.Object({ type: Type.Literal('wait') }),
] as const
const doubleClick = { type: Type.Literal('double_click'), ...at }
export const ComputerActionParamSchema = Type.Union([
  clickSchema,
  Type.Object({ ...doubleClick, keys }),
  ...otherActions,
])
const ComputerActionSchema = Type.Union([
  clickSchema,
  Type.Object({ ...doubleClick, keys: Nullable(Type.Array(Type.String())) }),
  ...otherActions,
])
export const SafetyChecksSchema = Type.Array(
  Type.Object({ id: Type.String(), code: Maybe(Type.String()), message: Maybe(Type.String()) }),
)
const computerFields = {
  action: Type.Optional(ComputerActionSchema),
  actions: Type.Optional(Type.Array(ComputerActionSchema)),
}
export const ComputerCallSchema = stored('computer_call', {
  status: Status,
  ...computerFields,
  pending_safety_checks: SafetyChecksSchema,
})
export const ComputerCallParamSchema = param('computer_call', {
  action: Maybe(ComputerActionParamSchema),
  actions: Maybe(Type.Array(ComputerActionParamSchema)),
  pending_safety_checks: Maybe(SafetyChecksSchema),
})
const ScreenshotParamSchema = Type.Object({
  type: Type.Literal('computer_screenshot'),
  image_url: Maybe(Type.String({ maxLength: MAX_IMAGE_URL_CHARS })),
  file_id: Maybe(Type.String()),
  detail: Maybe(OneOf(['low', 'high', 'auto', 'original'])),
})
const ScreenshotSchema = Type.Object({
  type: Type.Literal('computer_screenshot'),
  image_url: Type.Optional(Type.String()),
  file_id: Type.Optional(Type.String()),
})
export const ComputerCallOutputSchema = stored('computer_call_output', {
  status: OneOf(['completed', 'incomplete', 'failed']),
  output: ScreenshotSchema,
  acknowledged_safety_checks: Type.Optional(SafetyChecksSchema),
})
export const ComputerCallOutputParamSchema = param('computer_call_output', {
  output: ScreenshotParamSchema,
  acknowledged_safety_checks: Maybe(SafetyChecksSchema),
})

// ---- tool search ----------------------------------------------------------------------------------------------

const execution = Maybe(OneOf(['server', 'client']))
export const ToolSearchCallSchema = stored('tool_search_call', {
  status: Status,
  execution: OneOf(['server', 'client']),
  arguments: AnyValue(),
})
/** Of a search by a server the `call_id` may be null; it is filled in, so that each output has its call. */
export const ToolSearchCallParamSchema = Type.Object({
  ...loose,
  type: Type.Literal('tool_search_call'),
  call_id: Maybe(CallId),
  execution,
  arguments: AnyValue(),
})
const searchOutput = { status: Status, execution: OneOf(['server', 'client']) }
export const ToolSearchOutputSchema = stored('tool_search_output', { ...searchOutput, tools: Type.Array(ToolSchema) })
/** As a client sent it; its tools come back unchanged. */
const GivenSearchOutputSchema = stored('tool_search_output', { ...searchOutput, tools: Type.Array(ToolParamSchema) })
export const ToolSearchOutputParamSchema = Type.Object({
  ...loose,
  type: Type.Literal('tool_search_output'),
  call_id: Maybe(CallId),
  execution,
  tools: Type.Array(ToolParamSchema, { maxItems: MAX_TOOLS }),
})

// ---- together -------------------------------------------------------------------------------------------------

export const CLIENT_PARAM_SCHEMAS = [
  ShellCallParamSchema,
  ShellCallOutputParamSchema,
  LocalShellCallParamSchema,
  LocalShellCallOutputParamSchema,
  ApplyPatchCallParamSchema,
  ApplyPatchCallOutputParamSchema,
  ComputerCallParamSchema,
  ComputerCallOutputParamSchema,
  ToolSearchCallParamSchema,
  ToolSearchOutputParamSchema,
] as const
/** What a run may produce. */
export const CLIENT_CALL_SCHEMAS = [
  ShellCallSchema,
  LocalShellCallSchema,
  ApplyPatchCallSchema,
  ComputerCallSchema,
  ToolSearchCallSchema,
] as const
/** What a client answers. */
export const CLIENT_OUTPUT_SCHEMAS = [
  ShellCallOutputSchema,
  LocalShellCallOutputSchema,
  ApplyPatchCallOutputSchema,
  ComputerCallOutputSchema,
  GivenSearchOutputSchema,
] as const

export type ShellCall = Static<typeof ShellCallSchema>
export type ShellCallOutput = Static<typeof ShellCallOutputSchema>
export type LocalShellCall = Static<typeof LocalShellCallSchema>
export type PatchOperation = Static<typeof PatchOperationSchema>
export type ComputerActionParam = Static<typeof ComputerActionParamSchema>
export type ComputerAction = Static<typeof ComputerActionSchema>
export type ToolSearchCall = Static<typeof ToolSearchCallSchema>
export type ToolSearchOutput = Static<typeof ToolSearchOutputSchema>
export type ComputerCall = Static<typeof ComputerCallSchema>
export type ClientCall = Static<(typeof CLIENT_CALL_SCHEMAS)[number]>
export type ClientCallOutput = Static<(typeof CLIENT_OUTPUT_SCHEMAS)[number]>
export type ClientItem = ClientCall | ClientCallOutput
export type ClientItemParam = Static<(typeof CLIENT_PARAM_SCHEMAS)[number]>

export const CLIENT_ID_PREFIX = {
  shell_call: 'sh',
  shell_call_output: 'sho',
  local_shell_call: 'lsh',
  local_shell_call_output: 'lsho',
  apply_patch_call: 'apc',
  apply_patch_call_output: 'apco',
  computer_call: 'cu',
  computer_call_output: 'cuo',
  tool_search_call: 'tsc',
  tool_search_output: 'tso',
} as const satisfies Record<ClientItem['type'], string>

const TOOL_OF_ITEM = {
  shell_call: 'shell',
  shell_call_output: 'shell',
  local_shell_call: 'local_shell',
  local_shell_call_output: 'local_shell',
  apply_patch_call: 'apply_patch',
  apply_patch_call_output: 'apply_patch',
  computer_call: 'computer',
  computer_call_output: 'computer',
  tool_search_call: 'tool_search',
  tool_search_output: 'tool_search',
} as const satisfies Record<ClientItem['type'], ItemTool>
type ItemTool = ClientTool | 'tool_search'
export const clientToolOfItem = (type: ClientItem['type']): ItemTool => TOOL_OF_ITEM[type]

/** Whose call an item of this type is; null: no call of these tools. */
export const clientToolOfCall = (type: unknown): ItemTool | null => {
  const item = CLIENT_CALL_TYPES.find((known) => known === type)
  return item ? clientToolOfItem(item) : null
}
const CLIENT_CALL_TYPES = ['shell_call', 'local_shell_call', 'apply_patch_call', 'computer_call'] as const

type Typed = { readonly type?: string | null }
export const isClientItem = <T extends Typed>(item: T): item is Extract<T, { type: ClientItem['type'] }> =>
  Object.hasOwn(CLIENT_ID_PREFIX, item.type ?? '')
export const isClientCall = <T extends Typed>(item: T): item is Extract<T, { type: ClientCall['type'] }> =>
  isClientItem(item) && !isClientOutput(item)
export const isClientOutput = <T extends Typed>(item: T): item is Extract<T, { type: ClientCallOutput['type'] }> =>
  isClientItem(item) && item.type.endsWith('_output')

/** What an output may name its call by: of the older local shell also the id of the item. */
export const idsOfCall = (call: { readonly type: string; readonly id: string; readonly call_id: string }) =>
  call.type === 'local_shell_call' ? [call.call_id, call.id] : [call.call_id]

/** Only what belongs to an action of its kind: models fill in more. */
export function toComputerAction(given: ComputerActionParam): ComputerAction {
  const { type } = given
  const held = 'keys' in given && given.keys ? { keys: given.keys } : {}
  switch (type) {
    case 'click':
      return { type, button: given.button, x: given.x, y: given.y, ...held }
    case 'double_click':
      return { type, x: given.x, y: given.y, keys: given.keys ?? null }
    case 'move':
      return { type, x: given.x, y: given.y, ...held }
    case 'drag':
      return { type, path: given.path, ...held }
    case 'scroll':
      return { type, x: given.x, y: given.y, scroll_x: given.scroll_x, scroll_y: given.scroll_y, ...held }
    case 'keypress':
      return { type, keys: given.keys }
    case 'type':
      return { type, text: given.text }
    case 'screenshot':
    case 'wait':
      return { type }
    default:
      return given satisfies never
  }
}

/** The call as it is announced: its commands stream. */
export const openedCall = (call: ClientCall): ClientCall =>
  call.type === 'shell_call'
    ? { ...call, status: 'in_progress', action: { ...call.action, commands: [] } }
    : { ...call, status: 'in_progress' }

/** Nothing of a patch is shown before it is whole, and it has no other end. */
export const closedCall = (call: ClientCall, status: 'in_progress' | 'completed' | 'incomplete'): ClientCall =>
  call.type === 'apply_patch_call' ? { ...call, status: 'completed' } : { ...call, status }

/** A call whose commands the server runs itself; its output follows in the same response, unless that was cut off. */
export const isContainerCall = (item: { readonly type?: string | null }): item is ShellCall =>
  item.type === 'shell_call' && 'environment' in item && isContainer(item.environment)

const isContainer = (environment: unknown): boolean =>
  typeof environment === 'object' &&
  environment !== null &&
  'type' in environment &&
  environment.type === 'container_reference'

/** What of a call is streamed. */
export const streamedCommands = (call: ClientCall): readonly string[] =>
  call.type === 'shell_call' ? call.action.commands : []
