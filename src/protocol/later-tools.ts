/**
 * Tools of the API that nobody runs here yet. They are refused by name, unless the operator has them left out. Tools
 * that some providers run are settled while planning, when the provider is known.
 */
import { clip } from './invalid-texts.ts'
import { LATER_TOOL_TYPES } from './tools.ts'

type JsonObject = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The body without the tools that are left out; the very same object when there are none. */
export function leaveOutLaterTools(body: JsonObject, policy: 'refuse' | 'leave-out', warnings: string[]): JsonObject {
  if (policy === 'refuse' || !Array.isArray(body.tools)) return body
  const isLeftOut = (tool: unknown) =>
    isObject(tool) && LATER_TOOL_TYPES.has(String(tool.type)) && !isChosen(body.tool_choice, String(tool.type))
  if (!body.tools.some(isLeftOut)) return body
  body.tools.forEach((tool, index) => {
    if (isLeftOut(tool))
      warnings.push(`tools[${index}]: this server does not run '${clip(String(tool.type))}' yet; it was left out`)
  })
  return { ...body, tools: body.tools.filter((tool) => !isLeftOut(tool)) }
}

/** A tool that the model is told to use cannot be left out without changing what was asked for. */
const isChosen = (choice: unknown, type: string) => isObject(choice) && choice.type === type
