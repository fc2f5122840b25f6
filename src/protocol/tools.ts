/** Tool declarations and `tool_choice`. */
import {
  CLIENT_TOOL_PARAM_SCHEMAS,
  CLIENT_TOOL_SCHEMAS,
  ClientChoiceSchema,
  type ClientToolParam,
  type ToolSearchTool,
  ToolSearchToolSchema,
} from './client-tools.ts'
import {
  CodeInterpreterToolParamSchema,
  FileSearchToolSchema,
  HOSTED_TOOL_OF_TYPE,
  HostedChoiceSchema,
  HostedToolSchema,
  ImageGenerationToolSchema,
  McpToolSchema,
  WebSearchPreviewToolSchema,
  WebSearchToolSchema,
} from './hosted-tools.ts'
import { type PROGRAMS, ProgramsChoiceSchema, ProgramsToolSchema } from './programs.ts'
import { AnyObject, Maybe, Nullable, OneOf, type Static, Type } from './schema.ts'

export const MAX_TOOLS = 128
export const TOOL_NAME_PATTERN = '^[a-zA-Z0-9_-]+$'
const ToolNameSchema = Type.String({ minLength: 1, maxLength: 128, pattern: TOOL_NAME_PATTERN })
const CallersSchema = Maybe(Type.Array(OneOf(['direct', 'programmatic']), { minItems: 1 }))

export const FunctionToolParamSchema = Type.Object({
  type: Type.Literal('function'),
  name: ToolNameSchema,
  description: Maybe(Type.String()),
  parameters: Maybe(AnyObject()),
  strict: Maybe(Type.Boolean()),
  output_schema: Maybe(AnyObject()),
  defer_loading: Maybe(Type.Boolean()),
  allowed_callers: CallersSchema,
})
export const CustomFormatSchema = Type.Union([
  Type.Object({ type: Type.Literal('text') }),
  Type.Object({
    type: Type.Literal('grammar'),
    syntax: OneOf(['lark', 'regex']),
    definition: Type.String({ minLength: 1 }),
  }),
])
export const CustomToolParamSchema = Type.Object({
  type: Type.Literal('custom'),
  name: ToolNameSchema,
  description: Maybe(Type.String()),
  format: Maybe(CustomFormatSchema),
  defer_loading: Maybe(Type.Boolean()),
  allowed_callers: CallersSchema,
})
export const NamespaceToolParamSchema = Type.Object({
  type: Type.Literal('namespace'),
  name: Type.String({ minLength: 1, maxLength: 64, pattern: TOOL_NAME_PATTERN }),
  description: Maybe(Type.String()),
  tools: Type.Array(Type.Union([FunctionToolParamSchema, CustomToolParamSchema], { title: 'NamespacedToolParam' }), {
    minItems: 1,
    maxItems: MAX_TOOLS,
  }),
})
export const ToolParamSchema = Type.Union(
  [
    FunctionToolParamSchema,
    CustomToolParamSchema,
    NamespaceToolParamSchema,
    WebSearchToolSchema,
    WebSearchPreviewToolSchema,
    FileSearchToolSchema,
    CodeInterpreterToolParamSchema,
    ImageGenerationToolSchema,
    McpToolSchema,
    ...CLIENT_TOOL_PARAM_SCHEMAS,
    ToolSearchToolSchema,
    ProgramsToolSchema,
  ],
  { title: 'ToolParam' },
)

// ---- as echoed in a Response: defaults filled in --------------------------------------------------------------

export const FunctionToolSchema = Type.Object({
  type: Type.Literal('function'),
  name: Type.String(),
  description: Nullable(Type.String()),
  parameters: Nullable(AnyObject()),
  strict: Type.Boolean(),
  output_schema: Type.Optional(AnyObject()),
  defer_loading: Type.Optional(Type.Boolean()),
  allowed_callers: Type.Optional(Type.Array(OneOf(['direct', 'programmatic']))),
})
export const CustomToolSchema = Type.Object({
  type: Type.Literal('custom'),
  name: Type.String(),
  description: Type.Optional(Type.String()),
  format: CustomFormatSchema,
  defer_loading: Type.Optional(Type.Boolean()),
  allowed_callers: Type.Optional(Type.Array(OneOf(['direct', 'programmatic']))),
})
export const NamespaceToolSchema = Type.Object({
  type: Type.Literal('namespace'),
  name: Type.String(),
  description: Type.String(),
  tools: Type.Array(Type.Union([FunctionToolSchema, CustomToolSchema])),
})
export const ToolSchema = Type.Union([
  FunctionToolSchema,
  CustomToolSchema,
  NamespaceToolSchema,
  HostedToolSchema,
  ...CLIENT_TOOL_SCHEMAS,
  ToolSearchToolSchema,
  ProgramsToolSchema,
])

const AllowedToolSchema = Type.Object({
  type: Type.String(),
  name: Type.Optional(Type.String()),
  server_label: Type.Optional(Type.String()),
})
export const TOOL_CHOICE_MODES = ['none', 'auto', 'required'] as const
export const ToolChoiceSchema = Type.Union([
  OneOf(TOOL_CHOICE_MODES),
  Type.Object({ type: Type.Literal('function'), name: Type.String() }),
  Type.Object({ type: Type.Literal('custom'), name: Type.String() }),
  Type.Object({
    type: Type.Literal('allowed_tools'),
    mode: OneOf(['auto', 'required']),
    tools: Type.Array(AllowedToolSchema, { minItems: 1, maxItems: MAX_TOOLS }),
  }),
  HostedChoiceSchema,
  ClientChoiceSchema,
  ProgramsChoiceSchema,
])
/** As sent: `mode` of `allowed_tools` may be missing (Open Responses) and means `auto`. */
export const ToolChoiceParamSchema = Type.Union(
  [
    OneOf(TOOL_CHOICE_MODES),
    Type.Object({ type: Type.Literal('function'), name: Type.String({ minLength: 1 }) }),
    Type.Object({ type: Type.Literal('custom'), name: Type.String({ minLength: 1 }) }),
    Type.Object({
      type: Type.Literal('allowed_tools'),
      mode: Maybe(OneOf(['auto', 'required'])),
      tools: Type.Array(AllowedToolSchema, { minItems: 1, maxItems: MAX_TOOLS }),
    }),
    HostedChoiceSchema,
    ClientChoiceSchema,
    ProgramsChoiceSchema,
  ],
  { title: 'ToolChoiceParam' },
)

export type FunctionToolParam = Static<typeof FunctionToolParamSchema>
export type CustomToolParam = Static<typeof CustomToolParamSchema>
export type NamespaceToolParam = Static<typeof NamespaceToolParamSchema>
export type ToolParam = Static<typeof ToolParamSchema>
export type FunctionTool = Static<typeof FunctionToolSchema>
export type CustomTool = Static<typeof CustomToolSchema>
export type ToolSpec = Static<typeof ToolSchema>
export type CustomFormat = Static<typeof CustomFormatSchema>
export type ToolChoiceParam = Static<typeof ToolChoiceParamSchema>
export type ToolChoice = Static<typeof ToolChoiceSchema>

/** Functions, and what holds them. */
export type FunctionsParam = FunctionToolParam | CustomToolParam | NamespaceToolParam
export type HostedToolParam = Exclude<
  ToolParam,
  FunctionsParam | ClientToolParam | ToolSearchTool | { type: typeof PROGRAMS }
>

export const isHostedTool = (tool: ToolParam): tool is HostedToolParam => HOSTED_TOOL_OF_TYPE.has(tool.type)
export const isFunctions = (tool: ToolParam): tool is FunctionsParam =>
  tool.type === 'function' || tool.type === 'custom' || tool.type === 'namespace'
