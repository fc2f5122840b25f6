/**
 * Prompt templates: stored prompts with versions and typed variables. How a request names one is OpenAI's; how they
 * are made is ours, because OpenAI has no API for it.
 */
import { CreateResponseSchema } from './request.ts'
import { MapOf, Maybe, Nullable, OneOf, type Static, Type } from './schema.ts'

export const VARIABLE_TYPES = ['string', 'image', 'file'] as const
export const MAX_PROMPT_VARIABLES = 100
/** The template of one version as JSON, in UTF-8. */
export const MAX_TEMPLATE_BYTES = 1024 * 1024

const VariableSchema = Type.Object({
  type: OneOf(VARIABLE_TYPES),
  description: Maybe(Type.String({ maxLength: 1024 })),
  /** For strings: taken where a request gives no value. */
  default: Maybe(Type.String()),
})

const { properties } = CreateResponseSchema
/** The fields of a request that a template may give. */
const templateFields = {
  model: properties.model,
  instructions: properties.instructions,
  input: properties.input,
  tools: properties.tools,
  tool_choice: properties.tool_choice,
  parallel_tool_calls: properties.parallel_tool_calls,
  text: properties.text,
  reasoning: properties.reasoning,
  temperature: properties.temperature,
  top_p: properties.top_p,
  max_output_tokens: properties.max_output_tokens,
  truncation: properties.truncation,
}
export const TEMPLATE_FIELDS: readonly (keyof typeof templateFields)[] = [
  'model',
  'instructions',
  'input',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'text',
  'reasoning',
  'temperature',
  'top_p',
  'max_output_tokens',
  'truncation',
]

export const PromptTemplateSchema = Type.Object({ ...templateFields, variables: Maybe(MapOf(VariableSchema)) })
export const CreatePromptSchema = Type.Object({
  ...PromptTemplateSchema.properties,
  name: Maybe(Type.String({ minLength: 1, maxLength: 256 })),
})
/** A new version, or with `default_version` alone another choice of the version that counts. */
export const UpdatePromptSchema = Type.Object({
  ...CreatePromptSchema.properties,
  default_version: Maybe(Type.String({ minLength: 1 })),
})

export const PromptSchema = Type.Object({
  id: Type.String(),
  object: Type.Literal('prompt'),
  created_at: Type.Integer(),
  name: Nullable(Type.String()),
  /** The version shown; `default_version` is the one a request without a version gets. */
  version: Type.String(),
  default_version: Type.String(),
  latest_version: Type.String(),
  ...templateFields,
  variables: MapOf(VariableSchema),
})
export const PromptListSchema = Type.Object({
  object: Type.Literal('list'),
  data: Type.Array(PromptSchema),
  first_id: Nullable(Type.String()),
  last_id: Nullable(Type.String()),
  has_more: Type.Boolean(),
})
export const DeletedPromptSchema = Type.Object({
  id: Type.String(),
  object: Type.Literal('prompt.deleted'),
  deleted: Type.Literal(true),
})

export type PromptVariable = Static<typeof VariableSchema>
export type PromptTemplate = Static<typeof PromptTemplateSchema>
export type CreatePromptRequest = Static<typeof CreatePromptSchema>
export type UpdatePromptRequest = Static<typeof UpdatePromptSchema>
export type PromptObject = Static<typeof PromptSchema>
export type PromptList = Static<typeof PromptListSchema>
