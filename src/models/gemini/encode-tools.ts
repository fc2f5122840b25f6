/** Tool declarations and the choice among them -> `tools` and `toolConfig`. */
import { ModelError, type ModelTurn, type ToolDeclaration } from '../model.ts'
import { encodeSchema } from './encode-schema.ts'
import type { Family } from './families.ts'
import type { GeminiFunction, GeminiTools } from './wire.ts'

type ToolsSource = Pick<ModelTurn, 'tools' | 'toolChoice'>
type FunctionDeclaration = Extract<ToolDeclaration, { type: 'function' }>
type Calling = Pick<Family, 'validatedCalls'>

/** Invariant: without tools nothing is sent at all; a choice among nothing is refused. */
export function encodeTools(turn: ToolsSource, family: Calling): GeminiTools {
  const tools = toolsToSend(turn, family).map(asFunction)
  if (tools.length === 0) return {}
  const toolConfig = encodeChoice(turn, tools, family)
  return {
    tools: [{ functionDeclarations: tools.map(encodeFunction) }],
    ...(toolConfig && { toolConfig }),
  }
}

/** All of them where the choice itself can say which are allowed: that keeps the provider's prefix cache warm. */
function toolsToSend({ tools, toolChoice }: ToolsSource, { validatedCalls }: Calling): readonly ToolDeclaration[] {
  const { mode, allowed } = toolChoice
  if (!allowed || mode === 'none' || mode === 'required' || validatedCalls) return tools
  return tools.filter(({ name }) => allowed.includes(name))
}

function asFunction(tool: ToolDeclaration): FunctionDeclaration {
  if (tool.type === 'function') return tool
  throw new ModelError('invalid_request', `This provider has no custom tools, and '${tool.name}' is one.`, {
    param: 'tools',
  })
}

/** `AUTO` is the default and is left out. */
function encodeChoice(
  { toolChoice: { mode, allowed } }: ToolsSource,
  tools: readonly FunctionDeclaration[],
  { validatedCalls }: Calling,
): GeminiTools['toolConfig'] {
  if (mode === 'none') return { functionCallingConfig: { mode: 'NONE' } }
  const named = allowed ? tools.map(({ name }) => name).filter((name) => allowed.includes(name)) : null
  if (named?.length === 0) return { functionCallingConfig: { mode: 'NONE' } }
  if (mode === 'required') {
    return { functionCallingConfig: { mode: 'ANY', ...(named && { allowedFunctionNames: named }) } }
  }
  if (!validatedCalls) return undefined
  // The one mode that holds calls to their schemas, or to some names, and still leaves the choice to call at all.
  if (named) return { functionCallingConfig: { mode: 'VALIDATED', allowedFunctionNames: named } }
  return tools.some(({ strict }) => strict) ? { functionCallingConfig: { mode: 'VALIDATED' } } : undefined
}

function encodeFunction({ name, description, parameters }: FunctionDeclaration): GeminiFunction {
  return {
    name,
    ...(description ? { description } : {}),
    // A function without parameters has no schema here.
    ...(parameters && !isEmpty(parameters) ? { parametersJsonSchema: encodeSchema(parameters).schema } : {}),
  }
}

const isEmpty = ({ properties, ...rest }: Readonly<Record<string, unknown>>) =>
  Object.keys(properties ?? {}).length === 0 && !['$ref', 'anyOf', 'oneOf', 'allOf'].some((key) => key in rest)
