/** A Gemini request as the chat request that says the same, so that both kinds of upstream answer by the same rules. */
import { isJson, type Json } from './chat-validate.ts'

const listOf = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.filter(isJson) : [])

export function toChatBody(body: Json, model: string): Json {
  const config = isJson(body.generationConfig) ? body.generationConfig : {}
  const thinking = isJson(config.thinkingConfig) ? config.thinkingConfig : null
  return {
    model,
    stream: true,
    messages: [...systemOf(body), ...listOf(body.contents).flatMap(messagesOf)],
    ...toolsOf(body),
    ...(config.responseMimeType === 'application/json' && { response_format: formatOf(config) }),
    ...(thinking && thinking.thinkingBudget !== 0 && { reasoning_effort: 'some' }),
    ...(thinking?.includeThoughts === true && { shows_thoughts: true }),
    max_tokens: config.maxOutputTokens,
    stop: config.stopSequences,
  }
}

const systemOf = ({ systemInstruction }: Json): readonly Json[] =>
  isJson(systemInstruction) ? [{ role: 'system', content: textOf(listOf(systemInstruction.parts)) }] : []

const textOf = (parts: readonly Json[]): string => parts.map(({ text }) => String(text ?? '')).join('')

/** One content may hold the responses of functions and what the user said behind them. */
function messagesOf({ role, parts: all }: Json): readonly Json[] {
  const parts = listOf(all)
  const responses = parts.flatMap(({ functionResponse }) => (isJson(functionResponse) ? [functionResponse] : []))
  const rest = parts.filter((part) => part.functionResponse === undefined && part.thought !== true)
  if (role === 'model') {
    const calls = rest.filter((part) => part.functionCall !== undefined)
    return [{ role: 'assistant', content: textOf(rest), ...(calls.length > 0 && { tool_calls: calls }) }]
  }
  const tools = responses.map(({ response }) => ({
    role: 'tool',
    content: isJson(response) && typeof response.output === 'string' ? response.output : JSON.stringify(response),
  }))
  return rest.length > 0 ? [...tools, { role: 'user', content: rest.map(partOf) }] : tools
}

function partOf(part: Json): Json {
  if (typeof part.text === 'string') return { type: 'text', text: part.text }
  const media = isJson(part.inlineData) ? part.inlineData : isJson(part.fileData) ? part.fileData : {}
  return { type: String(media.mimeType ?? 'file') }
}

function toolsOf({ tools, toolConfig }: Json): Json {
  const declared = listOf(tools).flatMap(({ functionDeclarations }) => listOf(functionDeclarations))
  if (declared.length === 0) return {}
  const named = (names: readonly unknown[]) => names.map((name) => ({ type: 'function', function: { name } }))
  const config = isJson(toolConfig) && isJson(toolConfig.functionCallingConfig) ? toolConfig.functionCallingConfig : {}
  const mode = config.mode === 'ANY' ? 'required' : config.mode === 'NONE' ? 'none' : 'auto'
  const allowed = Array.isArray(config.allowedFunctionNames) ? config.allowedFunctionNames : null
  return {
    tools: declared.map(({ name, parametersJsonSchema }) => ({
      type: 'function',
      function: { name, parameters: parametersJsonSchema },
    })),
    tool_choice: allowed ? { type: 'allowed_tools', allowed_tools: { mode, tools: named(allowed) } } : mode,
  }
}

const formatOf = ({ responseJsonSchema }: Json): Json =>
  responseJsonSchema === undefined
    ? { type: 'json_object' }
    : { type: 'json_schema', json_schema: { schema: responseJsonSchema } }
