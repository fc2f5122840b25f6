/**
 * The body of `POST /v1/chat/completions` -> a create request of the Responses API, or a refusal that names the field as
 * the client spelled it. What comes out has passed the same checks as a request that came in as one.
 */
import { compileCheck } from '../compile-check.ts'
import { badRequest, unsupportedParameter } from '../errors.ts'
import { explainInvalid } from '../explain-invalid.ts'
import { reportUnknownFields } from '../foreign-fields.ts'
import type { CreateResponseRequest } from '../request.ts'
import type { ToolChoiceParam, ToolParam } from '../tools.ts'
import { type ValidationOptions, validateCreateResponse } from '../validate.ts'
import { toItems } from './messages.ts'
import { createRename, type Rename, toChatError, toChatWarning } from './names.ts'
import {
  CHAT_FIELDS,
  type ChatResponseFormat,
  type ChatTool,
  type ChatToolChoice,
  type CreateChatCompletion,
  CreateChatCompletionSchema,
} from './request.ts'

export type ValidatedChat = {
  readonly request: CreateResponseRequest
  readonly warnings: readonly string[]
  readonly includeUsage: boolean
  /** For errors and warnings that come later. */
  readonly rename: Rename
}

const fits = compileCheck(CreateChatCompletionSchema)

/** Where a field of another API lives in this one. */
const MOVED: ReadonlyMap<string, string> = new Map([
  ['input', 'messages'],
  ['instructions', 'messages'],
  ['system', 'messages'],
  ['max_output_tokens', 'max_completion_tokens'],
  ['reasoning', 'reasoning_effort'],
  ['text', 'response_format'],
  ['stop_sequences', 'stop'],
])

/** @throws ApiError 400 with the path of the first field that is wrong */
export function validateChatCompletion(body: unknown, options: ValidationOptions): ValidatedChat {
  if (!fits(body)) throw explainInvalid(CreateChatCompletionSchema, body, {})
  const warnings: string[] = []
  reportUnknownFields(body, CHAT_FIELDS, options.unknownParams, warnings, MOVED)
  refuseUnsupported(body)
  reportHints(body, options.unknownParams, warnings)
  const { items, origins } = toItems(body.messages)
  const rename = createRename(
    origins,
    (body.tools ?? []).map(({ type }) => type),
  )
  try {
    const validated = validateCreateResponse({ ...carriedFields(body), input: items }, options)
    const all = [...warnings, ...validated.warnings.map((warning) => toChatWarning(warning, rename))]
    const includeUsage = body.stream_options?.include_usage ?? false
    return { request: validated.request, warnings: all, includeUsage, rename }
  } catch (error) {
    throw toChatError(error, rename)
  }
}

/** What would change the answer if it were left out. */
const REFUSED = [
  ['functions', "Use 'tools' instead."],
  ['function_call', "Use 'tool_choice' instead."],
  ['audio', 'This server does not make audio.'],
  ['web_search_options', 'This server has no web search for it yet.'],
  ['moderation', 'Call a moderation service before or after this request instead.'],
] as const satisfies readonly (readonly [keyof CreateChatCompletion, string])[]

function refuseUnsupported(body: CreateChatCompletion): void {
  for (const [field, advice] of REFUSED) if (isGiven(body[field])) throw unsupportedParameter(field, advice)
  if ((body.n ?? 1) > 1) {
    throw badRequest(
      'n',
      'unsupported_value',
      `Unsupported value: 'n' must be 1, but got ${body.n}. Send ${body.n} requests instead.`,
    )
  }
  if (body.modalities?.includes('audio'))
    throw unsupportedParameter('modalities', "This server answers in 'text' only.")
  if (Object.keys(body.logit_bias ?? {}).length > 0) {
    throw unsupportedParameter('logit_bias', 'The token ids of a model mean nothing to another, so it is not carried.')
  }
  if (isGiven(body.top_logprobs) && body.top_logprobs !== 0 && body.logprobs !== true) {
    throw badRequest('top_logprobs', 'invalid_value', "'top_logprobs' is only allowed when 'logprobs' is true.")
  }
}

/** What makes an answer faster or easier to repeat, but no other answer. */
function reportHints(body: CreateChatCompletion, policy: ValidationOptions['unknownParams'], warnings: string[]): void {
  for (const field of ['seed', 'prediction'] as const) {
    if (!isGiven(body[field])) continue
    if (policy === 'error') throw unsupportedParameter(field, 'This server does not carry it.')
    warnings.push(`${field} is not carried and was ignored`)
  }
  if (body.messages.some(({ name }) => name)) warnings.push('messages[].name is not carried and was ignored')
  if (isGiven(body.max_tokens) && isGiven(body.max_completion_tokens)) {
    warnings.push('max_tokens was ignored, because max_completion_tokens is given')
  }
}

const isGiven = (value: unknown) => value !== null && value !== undefined

/** Fields that mean the same there. */
const SAME = [
  'model',
  'frequency_penalty',
  'metadata',
  'parallel_tool_calls',
  'presence_penalty',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'safety_identifier',
  'service_tier',
  'stop',
  'stream',
  'temperature',
  'top_p',
  'user',
] as const satisfies readonly (keyof CreateChatCompletion)[]

function carriedFields(body: CreateChatCompletion): Record<string, unknown> {
  const same = Object.fromEntries(SAME.filter((field) => isGiven(body[field])).map((field) => [field, body[field]]))
  const obfuscation = body.stream_options?.include_obfuscation
  const format = body.response_format ? { format: toTextFormat(body.response_format) } : {}
  return {
    ...same,
    store: body.store ?? false,
    max_output_tokens: body.max_completion_tokens ?? body.max_tokens,
    tools: body.tools?.map(toTool),
    tool_choice: body.tool_choice ? toToolChoice(body.tool_choice) : undefined,
    ...(isGiven(obfuscation) && { stream_options: { include_obfuscation: obfuscation } }),
    ...(isGiven(body.reasoning_effort) && { reasoning: { effort: body.reasoning_effort } }),
    ...((body.response_format || body.verbosity) && {
      text: { ...format, ...(body.verbosity && { verbosity: body.verbosity }) },
    }),
    ...(body.logprobs && { include: ['message.output_text.logprobs'], top_logprobs: body.top_logprobs ?? 0 }),
  }
}

/** Here a schema is not strict unless the request says so; there it would be. */
function toTool(tool: ChatTool): ToolParam {
  if (tool.type === 'function') {
    const { parameters, strict, ...rest } = tool.function
    return { type: 'function', ...rest, parameters: parameters ?? null, strict: strict ?? false }
  }
  const { format, ...rest } = tool.custom
  if (format?.type !== 'grammar') return { type: 'custom', ...rest, ...(format && { format }) }
  return { type: 'custom', ...rest, format: { type: 'grammar', ...format.grammar } }
}

function toToolChoice(choice: ChatToolChoice): ToolChoiceParam {
  if (typeof choice === 'string') return choice
  switch (choice.type) {
    case 'function':
    case 'custom':
      return toNamed(choice)
    case 'allowed_tools':
      return {
        type: 'allowed_tools',
        mode: choice.allowed_tools.mode,
        tools: choice.allowed_tools.tools.map(toNamed),
      }
  }
}

type Named = Extract<ChatToolChoice, { type: 'function' | 'custom' }>
const toNamed = (choice: Named): { type: 'function' | 'custom'; name: string } => ({
  type: choice.type,
  name: choice.type === 'function' ? choice.function.name : choice.custom.name,
})

function toTextFormat(format: ChatResponseFormat): object {
  if (format.type !== 'json_schema') return format
  const { strict, schema, ...rest } = format.json_schema
  return { type: 'json_schema', ...rest, schema: schema ?? {}, strict: strict ?? false }
}
