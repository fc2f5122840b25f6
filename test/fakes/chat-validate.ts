/** The checks real Chat Completions servers make, and their words: what a sloppy adapter would fail on in production. */

export type ChatRefusal = {
  readonly status: number
  readonly message: string
  readonly param: string | null
  readonly code: string | null
}
export type Json = Readonly<Record<string, unknown>>

export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const KNOWN_FIELDS: ReadonlySet<string> = new Set(
  `model messages audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens
  metadata modalities moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key prompt_cache_options
  prompt_cache_retention reasoning_effort response_format safety_identifier seed service_tier stop store stream
  stream_options temperature tool_choice tools top_logprobs top_p user verbosity web_search_options`.split(/\s+/),
)

const refuse = (message: string, param: string | null, code: string | null = null): ChatRefusal => ({
  status: 400,
  message,
  param,
  code,
})

/** Null when a real server would take it. */
export function validateChatRequest(body: unknown, extraFields: readonly string[] = []): ChatRefusal | null {
  if (!isJson(body)) return refuse('We could not parse the JSON body of your request.', null)
  const unknown = Object.keys(body).find((name) => !KNOWN_FIELDS.has(name) && !extraFields.includes(name))
  if (unknown) return refuse(`Unrecognized request argument supplied: ${unknown}`, unknown, 'unknown_parameter')
  const empty = Object.keys(body).find((name) => body[name] === null)
  if (empty)
    return refuse(`Invalid type for '${empty}': expected a value, but got null instead.`, empty, 'invalid_type')
  if (typeof body.model !== 'string' || body.model === '') return refuse('you must provide a model parameter', 'model')
  return checkMessages(body.messages) ?? checkTools(body) ?? checkScalars(body) ?? checkFormat(body.response_format)
}

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool', 'function']

function checkMessages(messages: unknown): ChatRefusal | null {
  if (!Array.isArray(messages) || messages.length === 0) {
    return refuse(
      "Invalid 'messages': empty array. Expected an array with minimum length 1.",
      'messages',
      'empty_array',
    )
  }
  let open: Set<string> = new Set()
  for (const [index, message] of messages.entries()) {
    const at = `messages[${index}]`
    if (!isJson(message)) return refuse(`Invalid type for '${at}': expected an object.`, at, 'invalid_type')
    const { role } = message
    if (typeof role !== 'string' || !ROLES.includes(role)) {
      return refuse(
        `Invalid value: '${role}'. Supported values are: ${ROLES.join(', ')}.`,
        `${at}.role`,
        'invalid_value',
      )
    }
    if (role === 'tool') {
      const id = typeof message.tool_call_id === 'string' ? message.tool_call_id : ''
      if (!open.delete(id)) {
        return refuse(
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
          `${at}.role`,
        )
      }
    } else if (open.size > 0) return unanswered(open, at)
    const refusal = checkContent(message, at) ?? (role === 'assistant' ? checkCalls(message, at) : null)
    if (refusal) return refusal
    if (role === 'assistant') open = new Set(callIds(message))
  }
  return open.size > 0 ? unanswered(open, `messages[${messages.length - 1}]`) : null
}

const unanswered = (ids: ReadonlySet<string>, at: string) =>
  refuse(
    `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${[...ids].join(', ')}`,
    at,
  )

const callIds = (message: Json): string[] =>
  Array.isArray(message.tool_calls) ? message.tool_calls.filter(isJson).map((call) => String(call.id)) : []

const PART_TYPES: Readonly<Record<string, readonly string[]>> = {
  system: ['text'],
  developer: ['text'],
  user: ['text', 'image_url', 'input_audio', 'file'],
  assistant: ['text', 'refusal'],
  tool: ['text'],
  function: [],
}

function checkContent({ role, content, tool_calls, refusal, function_call }: Json, at: string): ChatRefusal | null {
  if (typeof content === 'string') return null
  if (content === null || content === undefined) {
    if (role === 'assistant' && (tool_calls || refusal || function_call)) return null
    return refuse(`Invalid value for 'content': expected a string, got null.`, `${at}.content`)
  }
  if (!Array.isArray(content) || content.length === 0) {
    return refuse(
      `Invalid type for '${at}.content': expected a string or a non-empty array.`,
      `${at}.content`,
      'invalid_type',
    )
  }
  for (const [index, part] of content.entries()) {
    const where = `${at}.content[${index}]`
    const type = isJson(part) ? String(part.type) : 'none'
    const allowed = PART_TYPES[String(role)] ?? []
    if (!isJson(part) || !allowed.includes(type)) {
      return refuse(`Invalid value: '${type}'. Supported values are: ${allowed.join(', ')}.`, where, 'invalid_value')
    }
    const value: unknown = part[type]
    const ok =
      type === 'text' || type === 'refusal' ? typeof value === 'string' : isJson(value) && checkMedia(type, value)
    if (!ok) return refuse(`Invalid type for '${where}.${type}'.`, `${where}.${type}`, 'invalid_type')
  }
  return null
}

function checkMedia(type: string, value: Json): boolean {
  if (type === 'image_url') {
    const detail = value.detail === undefined || ['auto', 'low', 'high'].includes(String(value.detail))
    return detail && typeof value.url === 'string' && /^(https?:|data:image\/)/.test(value.url)
  }
  if (type !== 'file') return true
  return (
    typeof value.file_id === 'string' ||
    (typeof value.file_data === 'string' && /^data:[^;]+;base64,/.test(value.file_data))
  )
}

function checkCalls(message: Json, at: string): ChatRefusal | null {
  if (message.tool_calls === undefined) return null
  const where = `${at}.tool_calls`
  if (!Array.isArray(message.tool_calls) || message.tool_calls.length === 0) {
    return refuse(`Invalid '${where}': empty array. Expected an array with minimum length 1.`, where, 'empty_array')
  }
  const fine = message.tool_calls.every(
    (call) =>
      isJson(call) &&
      typeof call.id === 'string' &&
      ((call.type === 'function' &&
        isJson(call.function) &&
        typeof call.function.name === 'string' &&
        typeof call.function.arguments === 'string') ||
        (call.type === 'custom' &&
          isJson(call.custom) &&
          typeof call.custom.name === 'string' &&
          typeof call.custom.input === 'string')),
  )
  if (!fine)
    return refuse(`Invalid '${where}': a call needs id, type, name and arguments as a string.`, where, 'invalid_type')
  const ids = callIds(message)
  return new Set(ids).size === ids.length ? null : refuse(`Duplicate tool call ids in '${where}'.`, where)
}

function checkTools(body: Json): ChatRefusal | null {
  const { tools, tool_choice: choice } = body
  if (tools === undefined) {
    if (choice !== undefined)
      return refuse(
        "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
        'tool_choice',
      )
    if (body.parallel_tool_calls !== undefined) {
      return refuse(
        "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified.",
        'parallel_tool_calls',
      )
    }
    return null
  }
  if (!Array.isArray(tools) || tools.length === 0) {
    return refuse(
      "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      'tools',
      'empty_array',
    )
  }
  for (const [index, tool] of tools.entries()) {
    const kind = isJson(tool) && tool.type === 'custom' ? 'custom' : 'function'
    const declared = isJson(tool) && tool.type === kind ? tool[kind] : null
    const name = isJson(declared) ? declared.name : null
    if (!isJson(declared) || typeof name !== 'string' || !/^[a-zA-Z0-9_-]{1,128}$/.test(name)) {
      return refuse(`Invalid 'tools[${index}].${kind}.name'.`, `tools[${index}].${kind}.name`, 'invalid_value')
    }
    if (declared.parameters !== undefined && (!isJson(declared.parameters) || declared.parameters.type !== 'object')) {
      return refuse(
        `Invalid schema for function '${name}': schema must be a JSON Schema of 'type: "object"'.`,
        `tools[${index}].function.parameters`,
        'invalid_function_parameters',
      )
    }
  }
  return checkChoice(choice, toolNames(tools))
}

export const toolNames = (tools: unknown): readonly string[] =>
  Array.isArray(tools)
    ? tools.filter(isJson).flatMap((tool) => {
        const declared = tool[String(tool.type)]
        return isJson(declared) && typeof declared.name === 'string' ? [declared.name] : []
      })
    : []

function checkChoice(choice: unknown, names: readonly string[]): ChatRefusal | null {
  if (choice === undefined || ['none', 'auto', 'required'].includes(String(choice))) return null
  if (!isJson(choice)) return refuse(`Invalid value: '${choice}'.`, 'tool_choice', 'invalid_value')
  const allowed = isJson(choice.allowed_tools) ? choice.allowed_tools : null
  if (choice.type === 'allowed_tools' && (!allowed || !['auto', 'required'].includes(String(allowed.mode)))) {
    return refuse("Invalid value for 'tool_choice.allowed_tools.mode'.", 'tool_choice', 'invalid_value')
  }
  const chosen = toolNames(choice.type === 'allowed_tools' ? allowed?.tools : [choice])
  const missing = chosen.find((name) => !names.includes(name))
  if (chosen.length > 0 && missing === undefined) return null
  return refuse(`Tool choice '${missing ?? ''}' not found in 'tools' parameter.`, 'tool_choice')
}

const RANGES: Readonly<Record<string, readonly [number, number, boolean]>> = {
  temperature: [0, 2, false],
  top_p: [0, 1, false],
  presence_penalty: [-2, 2, false],
  frequency_penalty: [-2, 2, false],
  top_logprobs: [0, 20, true],
  max_tokens: [1, 1e9, true],
  max_completion_tokens: [1, 1e9, true],
  n: [1, 128, true],
}

function checkScalars(body: Json): ChatRefusal | null {
  for (const [name, [low, high, whole]] of Object.entries(RANGES)) {
    const value = body[name]
    if (value === undefined) continue
    const fine = typeof value === 'number' && value >= low && value <= high && (!whole || Number.isInteger(value))
    if (!fine) return refuse(`Invalid '${name}': expected a value between ${low} and ${high}.`, name, 'invalid_value')
  }
  if (body.max_tokens !== undefined && body.max_completion_tokens !== undefined) {
    return refuse("Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.", 'max_tokens')
  }
  if (body.top_logprobs !== undefined && body.logprobs !== true) {
    return refuse("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.", 'top_logprobs')
  }
  if (body.stream_options !== undefined && body.stream !== true) {
    return refuse("The 'stream_options' parameter is only allowed when 'stream' is enabled.", 'stream_options')
  }
  const stops = Array.isArray(body.stop) ? body.stop.length : 1
  return stops >= 1 && stops <= 4 ? null : refuse("Invalid 'stop': expected 1 to 4 sequences.", 'stop')
}

function checkFormat(format: unknown): ChatRefusal | null {
  if (format === undefined) return null
  const type = isJson(format) ? format.type : undefined
  if (!isJson(format) || !['text', 'json_object', 'json_schema'].includes(String(type))) {
    return refuse(
      `Invalid value: '${type}'. Supported values are: 'json_object', 'json_schema', and 'text'.`,
      'response_format.type',
      'invalid_value',
    )
  }
  if (type !== 'json_schema') return null
  const schema = format.json_schema
  if (!isJson(schema) || typeof schema.name !== 'string' || !/^[a-zA-Z0-9_-]{1,64}$/.test(schema.name)) {
    return refuse(
      "Missing required parameter: 'response_format.json_schema.name'.",
      'response_format.json_schema.name',
      'missing_required_parameter',
    )
  }
  if (schema.schema !== undefined && !isJson(schema.schema)) {
    return refuse(
      "Invalid type for 'response_format.json_schema.schema'.",
      'response_format.json_schema.schema',
      'invalid_type',
    )
  }
  return null
}
