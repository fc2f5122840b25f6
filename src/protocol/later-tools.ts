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
  // Never `String` of what a client sent: an object may have a `toString` that is none.
  const typeOf = (tool: unknown) => (isObject(tool) && typeof tool.type === 'string' ? tool.type : '')
  const isLeftOut = (tool: unknown) => LATER_TOOL_TYPES.has(typeOf(tool)) && !isChosen(body.tool_choice, typeOf(tool))
  if (!body.tools.some(isLeftOut)) return body
  body.tools.forEach((tool, index) => {
    if (isLeftOut(tool))
      warnings.push(`tools[${index}]: this server does not run '${clip(typeOf(tool))}' yet; it was left out`)
  })
  return { ...body, tools: body.tools.filter((tool) => !isLeftOut(tool)) }
}

/** A tool that the model is told to use cannot be left out without changing what was asked for. */
const isChosen = (choice: unknown, type: string) => isObject(choice) && choice.type === type
