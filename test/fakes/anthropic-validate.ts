/** The checks that the real Messages API makes, and its words: what a sloppy adapter would fail on in production. */
import { checkThinkingConfig, traitsOf } from './anthropic-models.ts'
import { isJson, type Json } from './chat-validate.ts'

export type AnthropicRefusal = { readonly status: number; readonly type: string; readonly message: string }

export const refuse = (message: string): AnthropicRefusal => ({ status: 400, type: 'invalid_request_error', message })

const COUNTED = ['model', 'messages', 'system', 'tools', 'tool_choice', 'thinking', 'output_config', 'cache_control']
const KNOWN: ReadonlySet<string> = new Set([
  ...COUNTED,
  ...'max_tokens metadata service_tier stop_sequences stream temperature top_k top_p'.split(' '),
])

/** Null when the real API would take it. `counting`: for `count_tokens`, which knows fewer fields. */
export function validateMessages(body: unknown, counting: boolean): AnthropicRefusal | null {
  if (!isJson(body)) return refuse('The request body is not valid JSON.')
  const extra = Object.keys(body).find((name) => !(counting ? COUNTED.includes(name) : KNOWN.has(name)))
  if (extra) return refuse(`${extra}: Extra inputs are not permitted`)
  if (typeof body.model !== 'string' || body.model === '') return refuse('model: Field required')
  const problem =
    (counting ? null : checkMaxTokens(body)) ??
    checkSystem(body.system) ??
    checkMessages(body) ??
    checkTools(body) ??
    checkThinkingConfig(body) ??
    checkSampling(body) ??
    checkHints(body) ??
    checkOutputConfig(body) ??
    checkBreakpoints(body)
  return problem === null ? null : refuse(problem)
}

type Problem = string | null

function checkMaxTokens({ max_tokens: tokens, model }: Json): Problem {
  if (tokens === undefined) return 'max_tokens: Field required'
  if (!Number.isInteger(tokens) || Number(tokens) < 1) return 'max_tokens: Input should be greater than or equal to 1'
  const most = traitsOf(String(model)).maxTokens
  return Number(tokens) <= most
    ? null
    : `max_tokens: ${tokens} > ${most}, which is the maximum allowed number of output tokens for ${model}`
}

const blank = (value: unknown) => typeof value !== 'string' || value.trim() === ''

function checkSystem(system: unknown): Problem {
  if (system === undefined || typeof system === 'string') return null
  if (!Array.isArray(system) || system.length === 0) return 'system: Input should be a valid array'
  for (const [index, block] of system.entries()) {
    if (!isJson(block) || block.type !== 'text') return `system.${index}.type: Input should be 'text'`
    if (blank(block.text)) return `system.${index}: text content blocks must contain non-whitespace text`
  }
  return null
}

const blocksOf = (message: unknown): readonly Json[] =>
  isJson(message) && Array.isArray(message.content) ? message.content.filter(isJson) : []
const roleOf = (message: unknown) => (isJson(message) ? message.role : undefined)

function checkMessages({ messages, model }: Json): Problem {
  if (!Array.isArray(messages) || messages.length === 0) return 'messages: at least one message is required'
  if (roleOf(messages[0]) !== 'user') return 'messages: first message must use the "user" role'
  const ids = new Set<string>()
  for (const [index, message] of messages.entries()) {
    const at = `messages.${index}`
    const previous = messages[index - 1]
    const problem =
      checkRole(messages, index, String(model)) ??
      checkBlocks(message, at) ??
      checkResults(previous, message, at) ??
      checkCallIds(message, at, ids)
    if (problem) return problem
  }
  const last = messages.at(-1)
  if (roleOf(last) === 'assistant') return 'This model does not support assistant message prefill.'
  return null
}

function checkRole(messages: readonly unknown[], index: number, model: string): Problem {
  const role = roleOf(messages[index])
  const before = roleOf(messages[index - 1])
  if (role === 'system') {
    if (!traitsOf(model).systemMessages) return "role 'system' is not supported on this model"
    const after = roleOf(messages[index + 1])
    const placed = before === 'user' && (after === undefined || after === 'assistant')
    return placed ? null : `messages.${index}: a system message must follow a user message and precede the assistant's`
  }
  if (role !== 'user' && role !== 'assistant') return `messages.${index}.role: Input should be 'user' or 'assistant'`
  return role === before ? 'messages: roles must alternate between "user" and "assistant"' : null
}

const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  user: ['text', 'image', 'document', 'tool_result'],
  assistant: ['text', 'tool_use', 'thinking', 'redacted_thinking'],
  system: ['text'],
}
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  text: ['text'],
  image: ['source'],
  document: ['source', 'title', 'context', 'citations'],
  tool_result: ['tool_use_id', 'content', 'is_error'],
  tool_use: ['id', 'name', 'input'],
  thinking: ['thinking', 'signature'],
  redacted_thinking: ['data'],
}

function checkBlocks(message: unknown, at: string): Problem {
  const blocks = blocksOf(message)
  if (blocks.length === 0) return `${at}: all messages must have non-empty content`
  for (const [index, block] of blocks.entries()) {
    const problem = checkBlock(block, ALLOWED[String(roleOf(message))] ?? [], `${at}.content.${index}`)
    if (problem) return problem
  }
  const last = blocks.at(-1)?.type
  if (roleOf(message) === 'assistant' && (last === 'thinking' || last === 'redacted_thinking')) {
    return `${at}: The final block in an assistant message cannot be \`thinking\`.`
  }
  return null
}

function checkBlock(block: Json, allowed: readonly string[], at: string): Problem {
  const type = String(block.type)
  if (!allowed.includes(type)) return `${at}: Input tag '${type}' found using 'type' does not match any of the expected`
  const extra = Object.keys(block).find((name) => !['type', 'cache_control', ...(FIELDS[type] ?? [])].includes(name))
  if (extra) return `${at}.${type}.${extra}: Extra inputs are not permitted`
  if (type === 'text' && blank(block.text)) return `${at}: text content blocks must contain non-whitespace text`
  if (type === 'image' || type === 'document') return checkSource(block.source, type, at)
  if (type === 'tool_use' && !isJson(block.input)) return `${at}.tool_use.input: Input should be a valid dictionary`
  if (type.endsWith('thinking') && block.cache_control !== undefined) {
    return `${at}.${type}.cache_control: Extra inputs are not permitted`
  }
  if (type !== 'tool_result' || typeof block.content === 'string') return null
  if (!Array.isArray(block.content)) return `${at}.tool_result.content: Input should be a valid list`
  for (const [index, part] of block.content.entries()) {
    const inside = `${at}.tool_result.content.${index}`
    if (isJson(part) && part.cache_control !== undefined)
      return `${inside}.cache_control: Extra inputs are not permitted`
    const problem = isJson(part) ? checkBlock(part, ['text', 'image', 'document'], inside) : `${inside}: not an object`
    if (problem) return problem
  }
  return null
}

const MEDIA: Readonly<Record<string, readonly string[]>> = {
  image: ['image/jpeg', 'image/png', 'image/gif', 'image/webp'],
  document: ['application/pdf'],
}

function checkSource(source: unknown, kind: string, at: string): Problem {
  if (!isJson(source)) return `${at}.${kind}.source: Field required`
  if (source.type === 'url') return /^https?:/.test(String(source.url)) ? null : `${at}.${kind}.source.url: invalid URL`
  if (source.type === 'text' && kind === 'document') return blank(source.data) ? `${at}: text is empty` : null
  if (source.type !== 'base64') return `${at}.${kind}.source: unknown type`
  if (!MEDIA[kind]?.includes(String(source.media_type))) return `${at}.${kind}.source.base64.media_type: unsupported`
  const data = String(source.data)
  return /^[A-Za-z0-9+/]+=*$/.test(data) ? null : `${at}.${kind}.source.base64: invalid base64 data`
}

/** The calls of a message are answered at the start of the next one, and nothing else is. */
function checkResults(previous: unknown, message: unknown, at: string): Problem {
  const calls = blocksOf(previous).flatMap((block) => (block.type === 'tool_use' ? [String(block.id)] : []))
  const blocks = blocksOf(message)
  const answered = blocks.flatMap((block) => (block.type === 'tool_result' ? [String(block.tool_use_id)] : []))
  const missing = calls.filter((id) => !answered.includes(id))
  if (missing.length > 0) {
    return `${at}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(', ')}.`
  }
  const stray = answered.find((id) => !calls.includes(id))
  if (stray) return `${at}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray}.`
  if (new Set(answered).size !== answered.length) return `${at}: each tool_use must have a single result.`
  const leads = blocks.slice(0, answered.length).every(({ type }) => type === 'tool_result')
  return leads ? null : `${at}: \`tool_result\` blocks must come first.`
}

function checkCallIds(message: unknown, at: string, seen: Set<string>): Problem {
  for (const block of blocksOf(message)) {
    if (block.type !== 'tool_use') continue
    const id = String(block.id)
    if (!/^[a-zA-Z0-9_-]+$/.test(id)) return `${at}: String should match pattern '^[a-zA-Z0-9_-]+$'`
    if (seen.has(id)) return `${at}: \`tool_use\` ids must be unique`
    seen.add(id)
  }
  return null
}

function checkTools({ tools, tool_choice: choice, messages, model }: Json): Problem {
  if (tools === undefined) {
    if (choice !== undefined) return 'tool_choice: tool_choice may only be specified while providing tools.'
    const calls = (messages as unknown[]).flatMap(blocksOf).some(({ type }) => type === 'tool_use')
    return calls ? 'Requests which include `tool_use` or `tool_result` blocks must define tools' : null
  }
  if (!Array.isArray(tools) || tools.length === 0) return 'tools: Input should be a non-empty list'
  const names = tools.map((tool) => (isJson(tool) ? String(tool.name) : ''))
  if (new Set(names).size !== names.length) return 'tools: Tool names must be unique.'
  for (const [index, tool] of tools.entries()) {
    const problem = checkTool(tool, `tools.${index}`, String(model))
    if (problem) return problem
  }
  return checkChoice(choice, names, String(model))
}

function checkTool(tool: unknown, at: string, model: string): Problem {
  if (!isJson(tool)) return `${at}: not an object`
  const extra = Object.keys(tool).find(
    (name) => !['name', 'description', 'input_schema', 'strict', 'cache_control'].includes(name),
  )
  if (extra) return `${at}.custom.${extra}: Extra inputs are not permitted`
  if (!/^[a-zA-Z0-9_-]{1,128}$/.test(String(tool.name))) return `${at}.custom.name: String should match pattern`
  const schema = tool.input_schema
  if (!isJson(schema) || schema.type !== 'object') return `${at}.custom.input_schema.type: Input should be 'object'`
  if (tool.strict === undefined) return null
  if (!traitsOf(model).structuredOutput) return `${at}.custom.strict: Extra inputs are not permitted`
  return checkStrictSchema(schema, `${at}.custom`)
}

const UNBOUND = ['minimum', 'maximum', 'minLength', 'maxLength', 'maxItems', 'multipleOf', 'oneOf', 'patternProperties']

/** Every object closed, and none of the bounds that cannot be sampled by. */
function checkStrictSchema(schema: unknown, at: string): Problem {
  if (Array.isArray(schema)) return schema.map((it) => checkStrictSchema(it, at)).find((it) => it !== null) ?? null
  if (!isJson(schema)) return null
  if (schema.type === 'object' && schema.additionalProperties !== false) {
    return `${at}: For 'object' type, 'additionalProperties' must be explicitly set to false`
  }
  const bound = UNBOUND.find((name) => schema[name] !== undefined)
  if (bound) return `${at}: property '${bound}' is not supported`
  return (
    Object.values(schema)
      .map((it) => checkStrictSchema(it, at))
      .find((it) => it !== null) ?? null
  )
}

function checkChoice(choice: unknown, names: readonly string[], model: string): Problem {
  if (choice === undefined) return null
  if (!isJson(choice)) return 'tool_choice: Input should be an object'
  const { type } = choice
  const fields = Object.keys(choice).filter((name) => name !== 'type')
  const allowed =
    type === 'tool' ? ['name', 'disable_parallel_tool_use'] : type === 'none' ? [] : ['disable_parallel_tool_use']
  const extra = fields.find((name) => !allowed.includes(name))
  if (extra) return `tool_choice.${type}.${extra}: Extra inputs are not permitted`
  if (type === 'tool' && !names.includes(String(choice.name)))
    return `tool_choice: Tool '${choice.name}' not found in provided tools`
  if ((type === 'any' || type === 'tool') && !traitsOf(model).forcedTools) {
    return 'tool_choice: type "tool" and "any" are not supported for this model.'
  }
  return ['auto', 'any', 'tool', 'none'].includes(String(type)) ? null : 'tool_choice: unknown type'
}

function checkSampling({ temperature, top_p: topP, thinking, model }: Json): Problem {
  const { sampling } = traitsOf(String(model))
  if (temperature !== undefined && (Number(temperature) < 0 || Number(temperature) > 1))
    return 'temperature: range: 0..1'
  if (sampling === 'none' && ((temperature ?? 1) !== 1 || topP !== undefined)) {
    return '`temperature` and `top_p` are deprecated for this model.'
  }
  if (sampling === 'one' && temperature !== undefined && topP !== undefined) {
    return '`temperature` and `top_p` cannot both be specified for this model. Please use only one.'
  }
  const thinks = isJson(thinking) && ['enabled', 'adaptive'].includes(String(thinking.type))
  if (thinks && (temperature ?? 1) !== 1) return '`temperature` may only be set to 1 when thinking is enabled.'
  return thinks && Number(topP ?? 1) < 0.95 ? '`top_p` must be at least 0.95 when thinking is enabled.' : null
}

function checkHints({ stop_sequences: stop, metadata, service_tier: tier }: Json): Problem {
  if (Array.isArray(stop) && stop.some(blank)) return 'stop_sequences: each stop sequence must contain non-whitespace'
  if (stop !== undefined && !Array.isArray(stop)) return 'stop_sequences: Input should be a valid list'
  if (tier !== undefined && tier !== 'auto' && tier !== 'standard_only') return 'service_tier: unknown value'
  if (metadata === undefined) return null
  const id = isJson(metadata) && Object.keys(metadata).join() === 'user_id' ? metadata.user_id : null
  return typeof id === 'string' && id.length <= 256
    ? null
    : 'metadata.user_id: String should have at most 256 characters'
}

function checkOutputConfig({ output_config: config, model }: Json): Problem {
  if (config === undefined) return null
  if (!isJson(config) || Object.keys(config).length === 0) return 'output_config: Input should be an object'
  const extra = Object.keys(config).find((name) => name !== 'effort' && name !== 'format')
  if (extra) return `output_config.${extra}: Extra inputs are not permitted`
  const { efforts, structuredOutput } = traitsOf(String(model))
  if (config.effort !== undefined && !efforts.includes(String(config.effort))) {
    return `output_config.effort: This model does not support effort level '${config.effort}'.`
  }
  if (config.format === undefined) return null
  if (!structuredOutput) return 'output_config.format: structured outputs are not supported for this model'
  const { format } = config
  if (!isJson(format) || format.type !== 'json_schema' || !isJson(format.schema)) return 'output_config.format: invalid'
  return checkStrictSchema(format.schema, 'output_config.format.schema')
}

function checkBreakpoints(body: Json): Problem {
  const count = JSON.stringify([body.tools, body.system, body.messages]).split('"cache_control":').length - 1
  return count <= 4 ? null : `A maximum of 4 blocks with cache_control may be provided. Found ${count}.`
}
