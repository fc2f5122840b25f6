/** Tools of the API that a client runs, and that are no functions: shells, patches, computers. As sent, and as echoed. */
import { MAX_CONTAINER_FILE_IDS, MEMORY_LIMIT_NAMES, NetworkPolicySchema } from './hosted-tools.ts'
import { AnyObject, Maybe, OneOf, type Static, Type } from './schema.ts'

const CallersSchema = Maybe(Type.Array(OneOf(['direct', 'programmatic']), { minItems: 1 }))

export const ComputerToolSchema = Type.Object({ type: Type.Literal('computer') })
export const ComputerPreviewToolSchema = Type.Object({
  type: Type.Literal('computer_use_preview'),
  environment: OneOf(['windows', 'mac', 'linux', 'ubuntu', 'browser']),
  display_width: Type.Number(),
  display_height: Type.Number(),
})
export const LocalShellToolSchema = Type.Object({ type: Type.Literal('local_shell') })
export const ApplyPatchToolSchema = Type.Object({ type: Type.Literal('apply_patch'), allowed_callers: CallersSchema })

export const MAX_SKILLS = 200
const LocalSkillSchema = Type.Object({ name: Type.String(), description: Type.String(), path: Type.String() })
const LocalEnvironmentSchema = Type.Object({
  type: Type.Literal('local'),
  skills: Type.Optional(Type.Array(LocalSkillSchema, { maxItems: MAX_SKILLS })),
})
/** Carried as far as the refusal that names them. */
const ContainerSkillSchema = Type.Union([
  Type.Object({
    type: Type.Literal('skill_reference'),
    skill_id: Type.String(),
    version: Type.Optional(Type.String()),
  }),
  Type.Object({
    type: Type.Literal('inline'),
    name: Type.String(),
    description: Type.String(),
    source: Type.Object({
      type: Type.Literal('base64'),
      media_type: Type.Literal('application/zip'),
      data: Type.String(),
    }),
  }),
])
/** The server runs the commands: in a container of its choice, or in that one. */
const ContainerAutoSchema = Type.Object({
  type: Type.Literal('container_auto'),
  file_ids: Type.Optional(Type.Array(Type.String(), { maxItems: MAX_CONTAINER_FILE_IDS })),
  memory_limit: Maybe(OneOf(MEMORY_LIMIT_NAMES)),
  network_policy: Type.Optional(NetworkPolicySchema),
  skills: Type.Optional(Type.Array(ContainerSkillSchema, { maxItems: MAX_SKILLS })),
})
const ContainerReferenceSchema = Type.Object({
  type: Type.Literal('container_reference'),
  container_id: Type.String({ minLength: 1 }),
})
const EnvironmentSchema = Type.Union([LocalEnvironmentSchema, ContainerAutoSchema, ContainerReferenceSchema])
export const ShellToolParamSchema = Type.Object({
  type: Type.Literal('shell'),
  environment: Maybe(EnvironmentSchema),
  allowed_callers: CallersSchema,
})
/** As echoed: it is known who runs it. */
export const ShellToolSchema = Type.Object({
  type: Type.Literal('shell'),
  environment: EnvironmentSchema,
  allowed_callers: CallersSchema,
})

const SAME_SCHEMAS = [
  ComputerToolSchema,
  ComputerPreviewToolSchema,
  LocalShellToolSchema,
  ApplyPatchToolSchema,
] as const
export const CLIENT_TOOL_PARAM_SCHEMAS = [...SAME_SCHEMAS, ShellToolParamSchema] as const
export const CLIENT_TOOL_SCHEMAS = [...SAME_SCHEMAS, ShellToolSchema] as const

/** Finds tools that were not shown yet: here, or in the client, which then says what its arguments are. */
export const ToolSearchToolSchema = Type.Object({
  type: Type.Literal('tool_search'),
  execution: Type.Optional(OneOf(['server', 'client'])),
  description: Maybe(Type.String()),
  parameters: Maybe(AnyObject()),
})

/** `tool_choice` that names one of them. */
export const ClientChoiceSchema = Type.Object({
  type: OneOf(['computer', 'computer_use_preview', 'computer_use', 'apply_patch', 'shell']),
})

export type ClientToolParam = Static<(typeof CLIENT_TOOL_PARAM_SCHEMAS)[number]>
export type ClientToolSpec = Static<(typeof CLIENT_TOOL_SCHEMAS)[number]>
export type ToolSearchTool = Static<typeof ToolSearchToolSchema>
export type ClientChoice = Static<typeof ClientChoiceSchema>
export type ShellToolParam = Static<typeof ShellToolParamSchema>
export type ShellTool = Static<typeof ShellToolSchema>
export type ComputerTool = Static<typeof ComputerToolSchema> | Static<typeof ComputerPreviewToolSchema>

/**
 * The name a model knows each by, and whose calls and outputs are of one kind: tools of several ages of the API may be
 * the same.
 */
export const CLIENT_TOOL_OF_TYPE: ReadonlyMap<string, ClientTool> = new Map([
  ['computer', 'computer'],
  ['computer_use', 'computer'],
  ['computer_use_preview', 'computer'],
  ['local_shell', 'local_shell'],
  ['shell', 'shell'],
  ['apply_patch', 'apply_patch'],
])
export type ClientTool = 'computer' | 'local_shell' | 'shell' | 'apply_patch'

export const isClientTool = (spec: { readonly type: string }): spec is ClientToolParam =>
  spec.type !== 'computer_use' && CLIENT_TOOL_OF_TYPE.has(spec.type)
