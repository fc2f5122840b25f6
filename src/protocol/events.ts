/**
 * Stream events. Each carries
 * `type` and `sequence_number`. `obfuscation` is not here: it is padding that a transport adds (see http/to-sse.ts).
 */

import { ShellOutputSchema } from './client-items.ts'
import {
  AnnotationSchema,
  LogprobSchema,
  OutputTextSchema,
  ReasoningTextSchema,
  RefusalSchema,
  SummaryTextSchema,
} from './content.ts'
import { HOSTED_EVENT_SCHEMAS } from './hosted-events.ts'
import { OutputItemSchema } from './items.ts'
import { ResponseSchema } from './response.ts'
import { Nullable, type Static, type TProperties, Type } from './schema.ts'

const event = <const T extends string, P extends TProperties>(type: T, fields: P) =>
  Type.Object({ type: Type.Literal(type), sequence_number: Type.Integer({ minimum: 0 }), ...fields })

const lifecycle = { response: ResponseSchema }
const ofItem = { item_id: Type.String(), output_index: Type.Integer({ minimum: 0 }) }
const ofPart = { ...ofItem, content_index: Type.Integer({ minimum: 0 }) }
const ofSummary = { ...ofItem, summary_index: Type.Integer({ minimum: 0 }) }
const ofCommand = { output_index: Type.Integer({ minimum: 0 }), command_index: Type.Integer({ minimum: 0 }) }
const delta = { delta: Type.String() }
const errorFields = { code: Nullable(Type.String()), message: Type.String(), param: Nullable(Type.String()) }
const PartSchema = Type.Union([OutputTextSchema, RefusalSchema, ReasoningTextSchema])

export const EVENT_SCHEMAS = {
  'response.created': event('response.created', lifecycle),
  'response.queued': event('response.queued', lifecycle),
  'response.in_progress': event('response.in_progress', lifecycle),
  'response.completed': event('response.completed', lifecycle),
  'response.failed': event('response.failed', lifecycle),
  'response.incomplete': event('response.incomplete', lifecycle),
  'response.output_item.added': event('response.output_item.added', {
    output_index: Type.Integer({ minimum: 0 }),
    item: OutputItemSchema,
  }),
  'response.output_item.done': event('response.output_item.done', {
    output_index: Type.Integer({ minimum: 0 }),
    item: OutputItemSchema,
  }),
  'response.content_part.added': event('response.content_part.added', { ...ofPart, part: PartSchema }),
  'response.content_part.done': event('response.content_part.done', { ...ofPart, part: PartSchema }),
  'response.output_text.delta': event('response.output_text.delta', {
    ...ofPart,
    ...delta,
    logprobs: Type.Array(LogprobSchema),
  }),
  'response.output_text.done': event('response.output_text.done', {
    ...ofPart,
    text: Type.String(),
    logprobs: Type.Array(LogprobSchema),
  }),
  'response.output_text.annotation.added': event('response.output_text.annotation.added', {
    ...ofPart,
    annotation_index: Type.Integer({ minimum: 0 }),
    annotation: AnnotationSchema,
  }),
  'response.refusal.delta': event('response.refusal.delta', { ...ofPart, ...delta }),
  'response.refusal.done': event('response.refusal.done', { ...ofPart, refusal: Type.String() }),
  'response.reasoning_summary_part.added': event('response.reasoning_summary_part.added', {
    ...ofSummary,
    part: SummaryTextSchema,
  }),
  'response.reasoning_summary_part.done': event('response.reasoning_summary_part.done', {
    ...ofSummary,
    /** Only when the part was cut off. */
    status: Type.Optional(Type.Literal('incomplete')),
    part: SummaryTextSchema,
  }),
  'response.reasoning_summary_text.delta': event('response.reasoning_summary_text.delta', { ...ofSummary, ...delta }),
  'response.reasoning_summary_text.done': event('response.reasoning_summary_text.done', {
    ...ofSummary,
    text: Type.String(),
  }),
  'response.reasoning_text.delta': event('response.reasoning_text.delta', { ...ofPart, ...delta }),
  'response.reasoning_text.done': event('response.reasoning_text.done', { ...ofPart, text: Type.String() }),
  'response.function_call_arguments.delta': event('response.function_call_arguments.delta', { ...ofItem, ...delta }),
  'response.function_call_arguments.done': event('response.function_call_arguments.done', {
    ...ofItem,
    name: Type.String(),
    arguments: Type.String(),
  }),
  'response.custom_tool_call_input.delta': event('response.custom_tool_call_input.delta', { ...ofItem, ...delta }),
  'response.custom_tool_call_input.done': event('response.custom_tool_call_input.done', {
    ...ofItem,
    input: Type.String(),
  }),
  /** Of a `shell_call`. These have no `item_id`. */
  'response.shell_call_command.added': event('response.shell_call_command.added', {
    ...ofCommand,
    command: Type.String(),
  }),
  'response.shell_call_command.delta': event('response.shell_call_command.delta', { ...ofCommand, ...delta }),
  'response.shell_call_command.done': event('response.shell_call_command.done', {
    ...ofCommand,
    command: Type.String(),
  }),
  /** Of a `shell_call_output` whose commands ran here. */
  'response.shell_call_output_content.delta': event('response.shell_call_output_content.delta', {
    ...ofItem,
    command_index: ofCommand.command_index,
    delta: Type.Object({ stdout: Type.Optional(Type.String()), stderr: Type.Optional(Type.String()) }),
  }),
  'response.shell_call_output_content.done': event('response.shell_call_output_content.done', {
    ...ofItem,
    command_index: ofCommand.command_index,
    output: Type.Array(ShellOutputSchema),
  }),
  ...HOSTED_EVENT_SCHEMAS,
  /** Infrastructure failures only; flat (OpenAI) and nested (Open Responses) form at once. */
  error: event('error', {
    ...errorFields,
    error: Type.Optional(Type.Object({ type: Type.String(), ...errorFields })),
  }),
}

export type ResponseEventType = keyof typeof EVENT_SCHEMAS
type EventOf<T extends ResponseEventType> = Static<(typeof EVENT_SCHEMAS)[T]>
export type ResponseEvent = { [T in ResponseEventType]: EventOf<T> }[ResponseEventType]
