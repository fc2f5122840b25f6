/** Rules of a request that its schema cannot say: pure functions, run in order by `validate.ts`. */
import { isClientItem } from './client-items.ts'
import type { CompactRequest } from './compact.ts'
import type { InputFile, InputImage, MessagePart } from './content.ts'
import { badRequest, missingParameter, unsupportedParameter } from './errors.ts'
import { movedParameter } from './foreign-fields.ts'
import { clip, numberOutOfRange, stringTooLong } from './invalid-texts.ts'
import type { InputItemParam } from './items.ts'
import type { CountInputTokensRequest, CreateResponseRequest } from './request.ts'
import { checkUserSchema, type SchemaPlace } from './strict-schema.ts'
import { type FunctionToolParam, isFunctions, type ToolParam } from './tools.ts'
import { findUnstorableText } from './unstorable-text.ts'

export const METADATA_LIMITS = { pairs: 16, keyChars: 64, valueChars: 512 } as const

export type RuleContext = {
  /** The least `max_output_tokens` that is taken. */
  readonly minOutputTokens: number
  readonly warnings: string[]
}
/** Throws an `ApiError`, or adds a warning, or does nothing. */
export type Rule<T> = (request: T, context: RuleContext) => void
type SharedFields = Pick<CountInputTokensRequest, keyof CountInputTokensRequest & keyof CreateResponseRequest>

/** Fields of the API that this server does not carry yet. Refused only when they ask for something. */
const LATER_FIELDS = [['moderation', 'Call a moderation service before or after this request instead.']] as const

const refuseTwoHistories: Rule<SharedFields> = (request) => {
  if (!isGiven(request.conversation) || !isGiven(request.previous_response_id)) return
  const both = "'previous_response_id' and 'conversation'"
  throw badRequest(
    'previous_response_id',
    'mutually_exclusive_parameters',
    `Mutually exclusive parameters: ${both}. Ensure you are only providing one of: ${both.replace(' and ', ' or ')}.`,
  )
}

const refuseLaterFields: Rule<Partial<CreateResponseRequest>> = (request) => {
  for (const [field, advice] of LATER_FIELDS) {
    if (isGiven(request[field])) throw unsupportedParameter(field, `This server does not support it yet. ${advice}`)
  }
}

const requireInput: Rule<CreateResponseRequest> = (request) => {
  if (request.input !== undefined && request.input !== null) return
  if (request.previous_response_id || isGiven(request.conversation) || isGiven(request.prompt)) return
  throw ('messages' in request ? movedParameter('messages') : null) ?? missingParameter('input')
}

const checkPromptValues: Rule<CreateResponseRequest> = ({ prompt }) => {
  for (const [name, value] of Object.entries(prompt?.variables ?? {})) {
    const path = `prompt.variables.${clip(name)}`
    if (typeof value === 'string') continue
    if (value.type === 'input_image') checkImage(value, path)
    else if (value.type === 'input_file') checkFile(value, path)
  }
}

/** What is kept for later cannot ask for something now. */
export function refuseTrigger(items: readonly InputItemParam[], name: string): void {
  const index = items.findIndex((item) => item.type === 'compaction_trigger')
  if (index < 0) return
  const path = `${name}[${index}]`
  const why = "A 'compaction_trigger' belongs into the input of a response."
  throw badRequest(path, 'invalid_value', `Invalid '${path}': ${why}`)
}

const checkTriggerIsLast: Rule<Pick<SharedFields, 'input'>> = ({ input }) => {
  const items = itemsOf(input)
  const index = items.findIndex((item) => item.type === 'compaction_trigger')
  if (index < 0 || index === items.length - 1) return
  const why = "A 'compaction_trigger' must be the last input item."
  throw badRequest(`input[${index}]`, 'invalid_value', `Invalid 'input[${index}]': ${why}`)
}

const checkMinOutputTokens: Rule<CreateResponseRequest> = ({ max_output_tokens: value }, { minOutputTokens }) => {
  if (typeof value !== 'number' || value >= minOutputTokens) return
  throw numberOutOfRange('max_output_tokens', value, minOutputTokens, 'integer', true)
}

export const checkMetadata = ({ metadata }: Pick<CreateResponseRequest, 'metadata'>): void => {
  if (!metadata) return
  const { pairs, keyChars, valueChars } = METADATA_LIMITS
  const entries = Object.entries(metadata)
  if (entries.length > pairs) {
    const expected = `Expected an object with at most ${pairs} properties, but got an object with ${entries.length} properties instead.`
    throw badRequest('metadata', 'object_above_max_properties', `Invalid 'metadata': too many properties. ${expected}`)
  }
  for (const [key, value] of entries) {
    if (value.length > valueChars) throw stringTooLong(`metadata.${clip(key)}`, value.length, valueChars)
    if (key.length <= keyChars) continue
    const expected = `Expected a property name with maximum length ${keyChars}, but got one with length ${key.length} instead.`
    throw badRequest(
      'metadata',
      'property_name_above_max_length',
      `Invalid property name in 'metadata': '${clip(key)}' is too long. ${expected}`,
    )
  }
}

/** What the schema cannot say of a list of items; `name` is what the request calls it. */
export function checkItems(items: readonly InputItemParam[], name: string): void {
  items.forEach((item, index) => {
    const path = `${name}[${index}]`
    if (item.type === 'additional_tools' || item.type === 'tool_search_output') {
      checkTools(item.tools, `${path}.tools`)
      refuseStoredSecrets(item.tools, `${path}.tools`)
      if (item.type === 'tool_search_output' && item.execution === 'client') refuseFound(item.tools, `${path}.tools`)
    } else if ('content' in item && item.type !== 'reasoning') checkParts(item.content, `${path}.content`)
    else if ('output' in item && !isClientItem(item)) checkParts(item.output, `${path}.output`)
  })
}

/** An item is stored and listed as it was sent, and a secret never is. */
function refuseStoredSecrets(tools: readonly ToolParam[], path: string): void {
  tools.forEach((tool, index) => {
    if (tool.type !== 'mcp') return
    const secret = (['authorization', 'headers'] as const).find((field) => tool[field])
    if (secret === undefined) return
    const advice = "Name the server under 'tools' of the request, which are not stored with their secrets."
    throw badRequest(`${path}[${index}].${secret}`, 'invalid_value', `An item cannot hold '${secret}'. ${advice}`)
  })
}

/** A search of the client finds functions; where another tool runs has to be known before. */
function refuseFound(tools: readonly ToolParam[], path: string): void {
  const index = tools.findIndex((tool) => !isFunctions(tool))
  const type = tools[index]?.type
  if (type === undefined) return
  const message = `A search of the client finds functions and namespaces. Name a tool of type '${type}' under 'tools' of the request.`
  throw badRequest(`${path}[${index}].type`, 'unsupported_value', message)
}

const checkInputItems: Rule<Pick<SharedFields, 'input'>> = ({ input }) => checkItems(itemsOf(input), 'input')

const itemsOf = (input: SharedFields['input']): readonly InputItemParam[] => (typeof input === 'object' && input) || []

function checkParts(parts: string | readonly MessagePart[] | null | undefined, path: string): void {
  if (typeof parts !== 'object' || parts === null) return
  for (const [index, part] of parts.entries()) {
    if (part.type === 'input_image') checkImage(part, `${path}[${index}]`)
    else if (part.type === 'input_file') checkFile(part, `${path}[${index}]`)
  }
}

function checkImage(part: InputImage, path: string): void {
  if (!part.image_url && !part.file_id) throw missingOneOf(path, ['image_url', 'file_id'])
  if (part.image_url && !/^(https?:\/\/|data:)/i.test(part.image_url)) throw invalidUrl(`${path}.image_url`)
}

function checkFile(part: InputFile, path: string): void {
  if (!part.file_id && !part.file_data && !part.file_url) throw missingOneOf(path, ['file_id', 'file_data', 'file_url'])
  if (part.file_url && !/^https?:\/\//i.test(part.file_url)) throw invalidUrl(`${path}.file_url`)
  if (part.file_data && !part.filename) throw missingParameter(`${path}.filename`)
}

const missingOneOf = (path: string, names: readonly string[]) =>
  badRequest(
    `${path}.${names[0]}`,
    'missing_required_parameter',
    `Missing required parameter: '${path}' needs one of ${names.map((name) => `'${name}'`).join(', ')}.`,
  )

const invalidUrl = (path: string) =>
  badRequest(path, 'invalid_value', `Invalid '${path}'. Expected a valid URL, but got a value with an invalid format.`)

const checkToolSchemas: Rule<Pick<SharedFields, 'tools'>> = ({ tools }) => checkTools(tools ?? [], 'tools')

function checkTools(tools: readonly ToolParam[], path: string): void {
  tools.forEach((tool, index) => {
    const place = `${path}[${index}]`
    if (tool.type === 'namespace') checkTools(tool.tools, `${place}.tools`)
    else if (tool.type === 'function') checkFunction(tool, place)
  })
}

function checkFunction({ name, parameters, output_schema }: FunctionToolParam, path: string): void {
  if (parameters) checkUserSchema(parameters, functionPlace(name, `${path}.parameters`))
  if (output_schema) checkUserSchema(output_schema, functionPlace(name, `${path}.output_schema`))
}

const functionPlace = (name: string, param: string): SchemaPlace => ({ param, name, kind: 'function' })

const checkFormatSchema: Rule<Pick<SharedFields, 'text'>> = ({ text }) => {
  if (text?.format?.type !== 'json_schema') return
  const { schema, name } = text.format
  checkUserSchema(schema, { param: 'text.format.schema', name, kind: 'response_format' })
}

export const refuseUnstorableText = (request: object): void => {
  const path = findUnstorableText(request)
  if (path === null) return
  const what = 'it holds a NUL character or half of a surrogate pair, which cannot be stored'
  throw badRequest(path || null, 'invalid_value', `Invalid '${path}': ${what}. Remove it and try again.`)
}

const reportIdleStreamOptions: Rule<CreateResponseRequest> = (request, { warnings }) => {
  if (isGiven(request.stream_options) && !request.stream) {
    warnings.push("stream_options was ignored, because 'stream' is not true")
  }
}

/** Null, false and empty values ask for nothing. */
function isGiven(value: unknown): boolean {
  if (!value) return false
  return typeof value !== 'object' || Object.keys(value).length > 0
}

const SHARED_RULES = [
  refuseTwoHistories,
  refuseLaterFields,
  checkInputItems,
  checkTriggerIsLast,
  checkToolSchemas,
  checkFormatSchema,
]

const requireModel: Rule<CompactRequest> = ({ model }) => {
  if (!model) throw missingParameter('model')
}

const requireWindow: Rule<CompactRequest> = ({ input, previous_response_id }) => {
  if (!previous_response_id && (input === undefined || input === null)) throw missingParameter('input')
}

export const CREATE_RESPONSE_RULES: readonly Rule<CreateResponseRequest>[] = [
  refuseUnstorableText,
  ...SHARED_RULES,
  requireInput,
  checkPromptValues,
  checkMinOutputTokens,
  checkMetadata,
  reportIdleStreamOptions,
]
export const TEMPLATE_RULES: readonly Rule<Pick<SharedFields, 'input' | 'tools' | 'text'>>[] = [
  refuseUnstorableText,
  checkInputItems,
  ({ input }) => refuseTrigger(itemsOf(input), 'input'),
  checkToolSchemas,
  checkFormatSchema,
]
export const COMPACT_RULES: readonly Rule<CompactRequest>[] = [
  refuseUnstorableText,
  requireModel,
  checkInputItems,
  checkTriggerIsLast,
  requireWindow,
]
export const COUNT_INPUT_TOKENS_RULES: readonly Rule<CountInputTokensRequest>[] = SHARED_RULES
