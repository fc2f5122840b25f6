/** `prompt` of a create request: which template, and what its placeholders stand for. */
import {
  InputFileSchema,
  InputImageSchema,
  InputTextSchema,
  StoredFileSchema,
  StoredImageSchema,
  StoredTextSchema,
} from './content.ts'
import { MapOf, Maybe, Nullable, type Static, Type } from './schema.ts'

export const PromptParamSchema = Type.Object({
  id: Type.String(),
  /** Left out: the default version. */
  version: Maybe(Type.String()),
  variables: Maybe(
    MapOf(Type.Union([Type.String(), InputTextSchema, InputImageSchema, InputFileSchema], { title: 'PromptVariable' })),
  ),
})

/** How a Response echoes the prompt it was made from. */
export const PromptEchoSchema = Type.Object({
  id: Type.String(),
  version: Nullable(Type.String()),
  variables: Nullable(MapOf(Type.Union([Type.String(), StoredTextSchema, StoredImageSchema, StoredFileSchema]))),
})

export type PromptEcho = Static<typeof PromptEchoSchema>
export type PromptParam = Static<typeof PromptParamSchema>
export type PromptValue = NonNullable<NonNullable<PromptParam['variables']>[string]>
