/** A turn -> the options of one call. What was not given is left out. */
import type { JSONSchema7, LanguageModelV4CallOptions, LanguageModelV4FunctionTool } from '@ai-sdk/provider'
import { ModelError, type ModelTurn, type ToolDeclaration } from '../model.ts'
import type { Dialect } from './dialect.ts'
import { encodePrompt } from './encode-prompt.ts'

/** Throws `ModelError` (`invalid_request`) for content this provider has no form for. */
export function encodeCall(turn: ModelTurn, dialect: Dialect): LanguageModelV4CallOptions {
  const own = dialect.options(turn)
  return {
    prompt: encodePrompt(turn, dialect.packageName),
    ...encodeTools(turn),
    ...encodeFormat(turn),
    ...encodeSampling(turn),
    ...(turn.reasoning.effort !== null && { reasoning: turn.reasoning.effort }),
    ...(Object.keys(own).length > 0 && { providerOptions: { [dialect.namespace]: own } }),
    // Some of what a package reads it does not tell: refusals, log probabilities.
    includeRawChunks: true,
  }
}

function encodeSampling(turn: ModelTurn): Partial<LanguageModelV4CallOptions> {
  const { temperature, topP, presencePenalty, frequencyPenalty, maxOutputTokens, stop } = turn
  return {
    ...(temperature !== null && { temperature }),
    ...(topP !== null && { topP }),
    ...(presencePenalty !== null && { presencePenalty }),
    ...(frequencyPenalty !== null && { frequencyPenalty }),
    ...(maxOutputTokens !== null && { maxOutputTokens }),
    ...(stop && stop.length > 0 && { stopSequences: [...stop] }),
  }
}

function encodeFormat({ text: { format } }: ModelTurn): Pick<LanguageModelV4CallOptions, 'responseFormat'> {
  if (format.type === 'text') return {}
  if (format.type === 'json_object') return { responseFormat: { type: 'json' } }
  const { name, description, schema } = format
  return { responseFormat: { type: 'json', schema: toSchema(schema), name, ...(description && { description }) } }
}

/** Invariant: without tools nothing is sent at all; providers refuse choices among nothing. */
function encodeTools({ tools, toolChoice }: ModelTurn): Pick<LanguageModelV4CallOptions, 'tools' | 'toolChoice'> {
  const { mode, allowed } = toolChoice
  const shown = allowed === null ? tools : tools.filter(({ name }) => allowed.includes(name))
  const [only] = shown
  if (!only) return {}
  const encoded = shown.map(encodeTool)
  if (mode === 'none') return { tools: encoded, toolChoice: { type: 'none' } }
  if (mode === 'auto') return { tools: encoded, toolChoice: { type: 'auto' } }
  const named = allowed?.length === 1
  return { tools: encoded, toolChoice: named ? { type: 'tool', toolName: only.name } : { type: 'required' } }
}

const NO_PARAMETERS: JSONSchema7 = { type: 'object', properties: {} }

function encodeTool(tool: ToolDeclaration): LanguageModelV4FunctionTool {
  const { name, description } = tool
  if (tool.type === 'custom') {
    throw new ModelError('invalid_request', `This provider has no custom tools, and '${name}' is one.`, {
      param: 'tools',
    })
  }
  return {
    type: 'function',
    name,
    ...(description && { description }),
    inputSchema: tool.parameters === null ? NO_PARAMETERS : toSchema(tool.parameters),
    ...(tool.strict && { strict: true }),
  }
}

/** The check: planning has held every schema of a request to be one. Packages read it and never write to it. */
const toSchema = (schema: Readonly<Record<string, unknown>>) => schema as JSONSchema7
