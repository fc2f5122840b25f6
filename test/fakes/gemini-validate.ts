/** The checks the real `generateContent` makes, and its words: what a sloppy adapter would fail on in production. */
import { isJson, type Json } from './chat-validate.ts'
import { checkContents, unknownName } from './gemini-contents-rules.ts'
import { checkGeminiSchema } from './gemini-schema-rules.ts'
import { badField, type GeminiRefusal, refusal } from './gemini-status.ts'

const REQUEST_FIELDS = ['contents', 'systemInstruction', 'tools', 'toolConfig', 'generationConfig', 'serviceTier']
const CONFIG_FIELDS = [
  'temperature',
  'topP',
  'maxOutputTokens',
  'stopSequences',
  'presencePenalty',
  'frequencyPenalty',
  'responseLogprobs',
  'logprobs',
  'responseMimeType',
  'responseJsonSchema',
  'thinkingConfig',
  'mediaResolution',
]

/** The generations that the fake serves differently. */
export const isGemini3 = (model: string): boolean => /^gemini-[3-9]/.test(model)

/** Null when a real server would take it. */
export function validateGeminiRequest(body: unknown, model: string): GeminiRefusal | null {
  if (!isJson(body)) return refusal(400, 'Invalid JSON payload received. Unexpected token.')
  const unknown = Object.keys(body).find((key) => !REQUEST_FIELDS.includes(key))
  if (unknown) return unknownName(unknown, '')
  return (
    checkNulls(body, '') ??
    checkContents(body.contents, isGemini3(model)) ??
    checkSystem(body.systemInstruction) ??
    checkTools(body) ??
    checkConfig(body, model)
  )
}

function checkNulls(value: unknown, at: string): GeminiRefusal | null {
  // Arguments, responses and schemas are the caller's own.
  if (/\.(args|response|parametersJsonSchema|responseJsonSchema)$/.test(at)) return null
  if (value === null) return badField(at, `Invalid value at '${at}': null.`)
  if (typeof value !== 'object') return null
  for (const [key, child] of Object.entries(value)) {
    const found = checkNulls(child, `${at}.${key}`)
    if (found) return found
  }
  return null
}

function checkSystem(instruction: unknown): GeminiRefusal | null {
  if (instruction === undefined) return null
  const parts = isJson(instruction) && Array.isArray(instruction.parts) ? instruction.parts : []
  const isText = parts.length > 0 && parts.every((part) => isJson(part) && typeof part.text === 'string' && part.text)
  return isText ? null : badField('system_instruction', 'system_instruction must hold text.')
}

const NAME = /^[a-zA-Z_][\w.:-]{0,127}$/

function checkTools({ tools, toolConfig }: Json): GeminiRefusal | null {
  if (tools === undefined)
    return toolConfig === undefined ? null : badField('tool_config', 'tool_config without tools.')
  if (!Array.isArray(tools) || tools.length === 0) return badField('tools', 'tools must not be empty.')
  const declared = tools
    .filter(isJson)
    .flatMap(({ functionDeclarations }) =>
      Array.isArray(functionDeclarations) ? functionDeclarations.filter(isJson) : [],
    )
  for (const [index, { name, description, parametersJsonSchema, ...rest }] of declared.entries()) {
    const at = `tools[0].function_declarations[${index}]`
    const [unknown] = Object.keys(rest)
    if (unknown) return unknownName(unknown, at)
    if (typeof name !== 'string' || !NAME.test(name)) return badField(`${at}.name`, `Invalid function name at '${at}'.`)
    if (description === '') return badField(`${at}.description`, 'A description must not be empty.')
    const schema = parametersJsonSchema
    const refused = schema === undefined ? null : checkGeminiSchema(schema, `${at}.parameters_json_schema`)
    if (refused) return refused
  }
  return toolConfig === undefined
    ? null
    : checkChoice(
        toolConfig,
        declared.map(({ name }) => name),
      )
}

function checkChoice(toolConfig: unknown, declared: readonly unknown[]): GeminiRefusal | null {
  const at = 'tool_config.function_calling_config'
  const config = isJson(toolConfig) ? toolConfig.functionCallingConfig : null
  if (!isJson(config)) return badField(at, `Invalid value at '${at}'.`)
  const { mode, allowedFunctionNames: allowed, ...rest } = config
  const [unknown] = Object.keys(rest)
  if (unknown) return unknownName(unknown, at)
  if (!['AUTO', 'ANY', 'NONE', 'VALIDATED'].includes(String(mode)))
    return badField(at, `Invalid value at '${at}.mode'.`)
  if (allowed === undefined) return null
  if (mode !== 'ANY' && mode !== 'VALIDATED') {
    return badField(at, 'allowed_function_names should only be set when mode is ANY or VALIDATED.')
  }
  const names = Array.isArray(allowed) ? allowed : []
  const isDeclared = names.length > 0 && names.every((name) => declared.includes(name))
  return isDeclared ? null : badField(at, 'allowed_function_names must be names of function_declarations.')
}

function checkConfig({ generationConfig: config, tools }: Json, model: string): GeminiRefusal | null {
  const at = 'generation_config'
  if (config === undefined) return null
  if (!isJson(config) || Object.keys(config).length === 0) return badField(at, `Invalid value at '${at}'.`)
  const unknown = Object.keys(config).find((key) => !CONFIG_FIELDS.includes(key))
  if (unknown) return unknownName(unknown, at)
  const { temperature, stopSequences, logprobs, responseLogprobs, responseMimeType, responseJsonSchema } = config
  if (typeof temperature === 'number' && (temperature < 0 || temperature > 2)) {
    return badField(`${at}.temperature`, 'temperature must be in the range [0.0, 2.0].')
  }
  if (Array.isArray(stopSequences) && stopSequences.length > 5) {
    return badField(`${at}.stop_sequences`, 'The number of stop sequences is at most 5.')
  }
  if (logprobs !== undefined && responseLogprobs !== true) {
    return badField(`${at}.logprobs`, 'logprobs needs response_logprobs.')
  }
  if (responseJsonSchema !== undefined && responseMimeType !== 'application/json') {
    return badField(`${at}.response_json_schema`, 'A response schema needs the MIME type application/json.')
  }
  if (responseMimeType !== undefined && tools !== undefined && !isGemini3(model)) {
    return refusal(400, "Function calling with a response mime type: 'application/json' is unsupported")
  }
  const schema =
    responseJsonSchema === undefined ? null : checkGeminiSchema(responseJsonSchema, `${at}.response_json_schema`)
  return schema ?? checkThinking(config.thinkingConfig, model)
}

function checkThinking(config: unknown, model: string): GeminiRefusal | null {
  const at = 'generation_config.thinking_config'
  if (config === undefined) return null
  if (!isJson(config)) return badField(at, `Invalid value at '${at}'.`)
  const { thinkingLevel, thinkingBudget, includeThoughts, ...rest } = config
  const [unknown] = Object.keys(rest)
  if (unknown) return unknownName(unknown, at)
  if (includeThoughts !== undefined && includeThoughts !== true) return badField(at, `Invalid value at '${at}'.`)
  if (thinkingLevel !== undefined && thinkingBudget !== undefined) {
    return badField(at, 'You can only set only one of thinking budget and thinking level.')
  }
  if (thinkingLevel !== undefined && !isGemini3(model))
    return badField(at, 'Thinking level is not supported for this model.')
  const isLevel = thinkingLevel === undefined || ['minimal', 'low', 'medium', 'high'].includes(String(thinkingLevel))
  return isLevel ? null : badField(`${at}.thinking_level`, `Invalid value at '${at}.thinking_level'.`)
}
