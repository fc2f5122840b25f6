/**
 * Tools of the API that this server does not run yet. They are refused by name, with two exceptions that are reported
 * instead: the operator may say so for all of them, and an offline web search, which may not fetch anything live,
 * would have nothing to search here; coding agents send it with every request.
 */
import { clip } from './invalid-texts.ts'
import { LATER_TOOL_TYPES } from './tools.ts'

type JsonObject = Readonly<Record<string, unknown>>

const WEB_SEARCH: ReadonlySet<string> = new Set(['web_search', 'web_search_2025_08_26'])

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isOfflineSearch = (tool: JsonObject) => WEB_SEARCH.has(String(tool.type)) && tool.external_web_access === false

/** The body without the tools that are left out; the very same object when there are none. */
export function leaveOutLaterTools(body: JsonObject, policy: 'refuse' | 'leave-out', warnings: string[]): JsonObject {
  if (!Array.isArray(body.tools)) return body
  const isLeftOut = (tool: unknown) =>
    isObject(tool) &&
    LATER_TOOL_TYPES.has(String(tool.type)) &&
    (policy === 'leave-out' || isOfflineSearch(tool)) &&
    !isChosen(body.tool_choice, String(tool.type))
  if (!body.tools.some(isLeftOut)) return body
  body.tools.forEach((tool, index) => {
    if (isLeftOut(tool))
      warnings.push(`tools[${index}]: this server does not run '${clip(String(tool.type))}' yet; it was left out`)
  })
  return { ...body, tools: body.tools.filter((tool) => !isLeftOut(tool)) }
}

/** A tool that the model is told to use cannot be left out without changing what was asked for. */
const isChosen = (choice: unknown, type: string) => isObject(choice) && choice.type === type
