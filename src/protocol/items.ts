/**
 * Items: what goes into a response and what comes out of it.
 *
 * Three forms of the same things:
 * - `*Param`: as clients send them, lenient (ids, status and most fields may be missing or null);
 * - `Item`: as we store and list them, every field present;
 * - `OutputItem`: the items a response may produce.
 */

import {
  CLIENT_CALL_SCHEMAS,
  CLIENT_ID_PREFIX,
  CLIENT_OUTPUT_SCHEMAS,
  CLIENT_PARAM_SCHEMAS,
  ShellCallOutputSchema,
  ToolSearchOutputSchema,
} from './client-items.ts'
import {
  MAX_TEXT_CHARS,
  MessagePartSchema,
  OutputTextSchema,
  ReasoningTextSchema,
  RefusalSchema,
  StoredPartSchema,
  SummaryTextSchema,
  ToolOutputPartSchema,
} from './content.ts'
import {
  HOSTED_ID_PREFIX,
  HOSTED_OUTPUT_SCHEMAS,
  HOSTED_PARAM_SCHEMAS,
  McpApprovalResponseSchema,
} from './hosted-items.ts'
import { Maybe, OneOf, type Static, Type } from './schema.ts'
import { MAX_TOOLS, ToolParamSchema } from './tools.ts'

export const ITEM_STATUSES = ['in_progress', 'completed', 'incomplete'] as const
export const MESSAGE_ROLES = ['user', 'assistant', 'system', 'developer'] as const
const ItemStatusSchema = OneOf(ITEM_STATUSES)
const PhaseSchema = OneOf(['commentary', 'final_answer'])
const CallIdSchema = Type.String({ minLength: 1, maxLength: 64 })
const ToolOutputSchema = Type.Union([Type.String({ maxLength: MAX_TEXT_CHARS }), Type.Array(ToolOutputPartSchema)])

// ---- as clients send them -------------------------------------------------------------------------------------

const loose = { id: Maybe(Type.String()), status: Maybe(Type.String()) }

export const MessageParamSchema = Type.Object({
  ...loose,
  type: Type.Optional(Type.Literal('message')),
  role: OneOf(MESSAGE_ROLES),
  content: Type.Union([Type.String({ maxLength: MAX_TEXT_CHARS }), Type.Array(MessagePartSchema)]),
  phase: Maybe(PhaseSchema),
})
export const ReasoningParamSchema = Type.Object({
  ...loose,
  type: Type.Literal('reasoning'),
  summary: Maybe(Type.Array(SummaryTextSchema)),
  content: Maybe(Type.Array(ReasoningTextSchema)),
  encrypted_content: Maybe(Type.String()),
})
export const FunctionCallParamSchema = Type.Object({
  ...loose,
  type: Type.Literal('function_call'),
  call_id: CallIdSchema,
  name: Type.String({ minLength: 1, maxLength: 128 }),
  namespace: Maybe(Type.String()),
  arguments: Type.String({ maxLength: MAX_TEXT_CHARS }),
})
export const FunctionCallOutputParamSchema = Type.Object({
  ...loose,
  type: Type.Literal('function_call_output'),
  call_id: CallIdSchema,
  output: ToolOutputSchema,
})
export const CustomToolCallParamSchema = Type.Object({
  ...loose,
  type: Type.Literal('custom_tool_call'),
  call_id: CallIdSchema,
  name: Type.String({ minLength: 1, maxLength: 128 }),
  namespace: Maybe(Type.String()),
  input: Type.String({ maxLength: MAX_TEXT_CHARS }),
})
export const CustomToolCallOutputParamSchema = Type.Object({
  ...loose,
  type: Type.Literal('custom_tool_call_output'),
  call_id: CallIdSchema,
  output: ToolOutputSchema,
})
export const AdditionalToolsParamSchema = Type.Object({
  ...loose,
  type: Type.Literal('additional_tools'),
  role: Type.Literal('developer'),
  tools: Type.Array(ToolParamSchema, { maxItems: MAX_TOOLS }),
})
/** Longest `encrypted_content` of a compaction item, in characters (OpenAI's own bound). */
const MAX_SEALED_CHARS = 20_971_520
export const CompactionParamSchema = Type.Object({
  ...loose,
  type: Type.Literal('compaction'),
  encrypted_content: Type.String({ minLength: 1, maxLength: MAX_SEALED_CHARS }),
})
/** Asks for compaction now; the last item of the input, and never stored. */
export const CompactionTriggerParamSchema = Type.Object({
  id: Maybe(Type.String()),
  type: Type.Literal('compaction_trigger'),
})
/**
 * A stored item by id; `type` may be left out: a bare `{id}` is a reference.
 * Invariant: nothing that is meant as a message is a reference, else a broken message with an id would pass as one.
 */
export const ItemReferenceParamSchema = Type.Object({
  type: Maybe(Type.Literal('item_reference')),
  id: Type.String({ minLength: 1 }),
  role: Type.Optional(Type.Never()),
  content: Type.Optional(Type.Never()),
})

export const InputItemParamSchema = Type.Union(
  [
    MessageParamSchema,
    ReasoningParamSchema,
    FunctionCallParamSchema,
    FunctionCallOutputParamSchema,
    CustomToolCallParamSchema,
    CustomToolCallOutputParamSchema,
    AdditionalToolsParamSchema,
    ...HOSTED_PARAM_SCHEMAS,
    ...CLIENT_PARAM_SCHEMAS,
    CompactionParamSchema,
    CompactionTriggerParamSchema,
    ItemReferenceParamSchema,
  ],
  { title: 'InputItem' },
)

/** Item types of the API that Antiphon does not carry yet: refused by name, never dropped. */
export const LATER_ITEM_TYPES: ReadonlySet<string> = new Set(['program', 'program_output', 'configuration_update'])

// ---- as we store and list them --------------------------------------------------------------------------------

const StoredOutputSchema = Type.Union([Type.String(), Type.Array(StoredPartSchema)])

export const InputMessageSchema = Type.Object({
  id: Type.String(),
  type: Type.Literal('message'),
  status: ItemStatusSchema,
  role: OneOf(['user', 'system', 'developer']),
  content: Type.Array(StoredPartSchema),
})
export const OutputMessageSchema = Type.Object({
  id: Type.String(),
  type: Type.Literal('message'),
  status: ItemStatusSchema,
  role: Type.Literal('assistant'),
  content: Type.Array(Type.Union([OutputTextSchema, RefusalSchema])),
  phase: Type.Optional(PhaseSchema),
})
export const ReasoningItemSchema = Type.Object({
  id: Type.String(),
  type: Type.Literal('reasoning'),
  status: Type.Optional(ItemStatusSchema),
  summary: Type.Array(SummaryTextSchema),
  content: Type.Optional(Type.Array(ReasoningTextSchema)),
  encrypted_content: Type.Optional(Type.String()),
})
export const FunctionCallSchema = Type.Object({
  id: Type.String(),
  type: Type.Literal('function_call'),
  status: ItemStatusSchema,
  call_id: Type.String(),
  name: Type.String(),
  namespace: Type.Optional(Type.String()),
  arguments: Type.String(),
})
export const FunctionCallOutputSchema = Type.Object({
  id: Type.String(),
  type: Type.Literal('function_call_output'),
  status: ItemStatusSchema,
  call_id: Type.String(),
  output: StoredOutputSchema,
})
export const CustomToolCallSchema = Type.Object({
  id: Type.String(),
  type: Type.Literal('custom_tool_call'),
  status: ItemStatusSchema,
  call_id: Type.String(),
  name: Type.String(),
  namespace: Type.Optional(Type.String()),
  input: Type.String(),
})
export const CustomToolCallOutputSchema = Type.Object({
  id: Type.String(),
  type: Type.Literal('custom_tool_call_output'),
  status: ItemStatusSchema,
  call_id: Type.String(),
  output: StoredOutputSchema,
})
export const AdditionalToolsSchema = Type.Object({
  id: Type.String(),
  type: Type.Literal('additional_tools'),
  role: Type.Literal('developer'),
  tools: Type.Array(ToolParamSchema),
})
/** Stands for what was before it; sealed, so only this server can read it, and only for the same project. */
export const CompactionItemSchema = Type.Object({
  id: Type.String(),
  type: Type.Literal('compaction'),
  encrypted_content: Type.String(),
})

export const OutputItemSchema = Type.Union([
  OutputMessageSchema,
  ReasoningItemSchema,
  FunctionCallSchema,
  CustomToolCallSchema,
  ...HOSTED_OUTPUT_SCHEMAS,
  ...CLIENT_CALL_SCHEMAS,
  ShellCallOutputSchema,
  ToolSearchOutputSchema,
  CompactionItemSchema,
])
export const ItemSchema = Type.Union([
  InputMessageSchema,
  OutputMessageSchema,
  ReasoningItemSchema,
  FunctionCallSchema,
  FunctionCallOutputSchema,
  CustomToolCallSchema,
  CustomToolCallOutputSchema,
  AdditionalToolsSchema,
  ...HOSTED_OUTPUT_SCHEMAS,
  McpApprovalResponseSchema,
  ...CLIENT_CALL_SCHEMAS,
  ...CLIENT_OUTPUT_SCHEMAS,
  CompactionItemSchema,
])

export type InputItemParam = Static<typeof InputItemParamSchema>
export type MessageParam = Static<typeof MessageParamSchema>
export type CompactionTriggerParam = Static<typeof CompactionTriggerParamSchema>
export type ItemReferenceParam = Static<typeof ItemReferenceParamSchema>
export type ItemStatus = (typeof ITEM_STATUSES)[number]
export type InputMessage = Static<typeof InputMessageSchema>
export type OutputMessage = Static<typeof OutputMessageSchema>
export type ReasoningItem = Static<typeof ReasoningItemSchema>
export type FunctionCall = Static<typeof FunctionCallSchema>
export type FunctionCallOutput = Static<typeof FunctionCallOutputSchema>
export type CustomToolCall = Static<typeof CustomToolCallSchema>
export type CustomToolCallOutput = Static<typeof CustomToolCallOutputSchema>
export type CompactionItem = Static<typeof CompactionItemSchema>
export type OutputItem = Static<typeof OutputItemSchema>
export type Item = Static<typeof ItemSchema>

/** The id prefix of each item type. */
export const ITEM_ID_PREFIX = {
  message: 'msg',
  reasoning: 'rs',
  function_call: 'fc',
  function_call_output: 'fco',
  custom_tool_call: 'ctc',
  custom_tool_call_output: 'ctco',
  additional_tools: 'at',
  compaction: 'cmp',
  ...HOSTED_ID_PREFIX,
  ...CLIENT_ID_PREFIX,
} as const satisfies Record<Item['type'], string>
