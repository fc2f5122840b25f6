/**
 * Tools that a server runs: which of a request's the model's provider will run, and what becomes of the others. They
 * are refused by name, with two exceptions that are reported instead: the operator may say so for all of them, and an
 * offline web search, which may not fetch anything live, would have nothing to search; coding agents send it with every
 * request.
 */
import type { HostedTurn, ModelCapabilities } from '../models/model.ts'
import { CLIENT_TOOL_OF_TYPE, type ClientChoice } from '../protocol/client-tools.ts'
import { badRequest } from '../protocol/errors.ts'
import { HOSTED_TOOL_OF_TYPE, type HostedChoice, type HostedToolSpec } from '../protocol/hosted-tools.ts'
import type { Include } from '../protocol/options.ts'
import type { CreateResponseRequest } from '../protocol/request.ts'
import { type HostedToolParam, isHostedTool, type ToolChoice, type ToolParam } from '../protocol/tools.ts'
import type { Tool } from '../tools/tool.ts'
import type { UnsupportedLedger, UnsupportedPolicy } from './unsupported.ts'

export type HostedParts = {
  /** Tools that this server runs itself; what one of them claims is not the provider's. */
  readonly own: readonly Tool[]
  readonly capabilities: ModelCapabilities
  readonly policy: UnsupportedPolicy
  readonly ledger: UnsupportedLedger
}

/** This server's tools for this model: some leave what the provider runs itself to it. */
export const toolsFor = ({ own, capabilities }: HostedParts): readonly Tool[] =>
  own.map((tool) => {
    const { isFor, yieldsToProvider } = tool
    // Most tools are for every model and yield to none.
    if (isFor === undefined && yieldsToProvider === undefined) return tool
    const isLeft = (spec: ToolParam) => isCarried(spec.type, capabilities) && (yieldsToProvider?.(spec) ?? false)
    return { ...tool, claims: (spec) => tool.claims(spec) && (isFor?.(capabilities) ?? true) && !isLeft(spec) }
  })

/** The tools that somebody runs; the same list when that is all of them. Throws for one that may not be left out. */
export function settleHostedTools(
  tools: readonly ToolParam[],
  choice: CreateResponseRequest['tool_choice'],
  { own, capabilities, policy, ledger }: HostedParts,
): readonly ToolParam[] {
  const isRun = (tool: ToolParam) => !isHostedTool(tool) || isCarried(tool.type, capabilities) || isOwn(tool, own)
  if (tools.every(isRun)) return tools
  return tools.filter((tool, index) => {
    if (isRun(tool)) return true
    const mayLeave = policy === 'warn' || policy === 'drop' || isOfflineSearch(tool)
    // A tool that the model is told to use cannot be left out without changing what was asked for.
    if (!mayLeave || (typeof choice === 'object' && choice?.type === tool.type)) throw notRun(tool.type, index)
    ledger.note(`tools[${index}]`, `nobody runs '${tool.type}' for this model; it was left out`)
    return false
  })
}

export const isCarried = (type: string, { hostedTools = [] }: ModelCapabilities): boolean =>
  hostedTools.some((tool) => tool === HOSTED_TOOL_OF_TYPE.get(type))
const isOwn = (tool: ToolParam, own: readonly Tool[]) => own.some((candidate) => candidate.claims(tool))
const isOfflineSearch = (tool: ToolParam) => 'external_web_access' in tool && tool.external_web_access === false

const notRun = (type: string, index: number) =>
  badRequest(
    `tools[${index}].type`,
    'unsupported_value',
    `Unsupported value: 'tools[${index}].type' does not support '${type}'. Neither this server nor the provider of ` +
      `this model runs tools of this kind. ${ADVICE[HOSTED_TOOL_OF_TYPE.get(type) ?? ''] ?? ''}Declare a tool of type ` +
      "'function' and run it in your client.",
  )

/** What the operator can do, by the kind of tool. */
const ADVICE: Readonly<Record<string, string>> = {
  web_search:
    "Name a search engine under 'tools.web_search' in the configuration, or use a model whose provider has it. ",
  code_interpreter: "Set 'tools.code_interpreter.sandbox' in the configuration, or use a model whose provider has it. ",
  image_generation:
    "Name an image engine under 'tools.image_generation' in the configuration, or use a model whose provider has it. ",
}

/** What the provider is asked to run; null: nothing. */
export function hostedTurn(
  tools: readonly ToolParam[],
  choice: ToolChoice,
  request: Pick<CreateResponseRequest, 'include' | 'max_tool_calls'>,
  own: readonly Tool[],
): HostedTurn | null {
  const specs = tools.filter(isHostedTool).filter((tool) => !isOwn(tool, own))
  if (specs.length === 0) return null
  return {
    tools: specs.map(toSpec),
    allowed: allowedOf(choice),
    maxCalls: request.max_tool_calls ?? null,
    include: (request.include ?? []).filter((value) => RESULTS.has(value)),
  }
}

const RESULTS: ReadonlySet<Include> = new Set([
  'web_search_call.action.sources',
  'web_search_call.results',
  'code_interpreter_call.outputs',
  'file_search_call.results',
])

/** With its defaults, and without the nulls that say nothing. */
export function toSpec(tool: HostedToolParam): HostedToolSpec {
  if (tool.type === 'code_interpreter') return { ...clean(tool), container: tool.container ?? { type: 'auto' } }
  return clean(tool)
}

function clean<T extends object>(tool: T): T {
  const copy = { ...tool }
  for (const key in copy) if (copy[key] === null) delete copy[key]
  return copy
}

function allowedOf(choice: ToolChoice): readonly HostedChoice[] | null {
  if (typeof choice === 'string') return null
  if (choice.type === 'function' || choice.type === 'custom' || isClientChoice(choice)) return []
  if (choice.type !== 'allowed_tools') return [choice]
  return choice.tools.flatMap(({ type, server_label, name }): HostedChoice[] => {
    if (type === 'mcp') return [{ type, ...(server_label ? { server_label } : {}), ...(name ? { name } : {}) }]
    return isNamed(type) ? [{ type }] : []
  })
}

type NamedChoice = Exclude<ToolChoice, string>
const isClientChoice = (choice: NamedChoice): choice is ClientChoice => CLIENT_TOOL_OF_TYPE.has(choice.type)

const NAMED = [
  'web_search',
  'web_search_preview',
  'web_search_preview_2025_03_11',
  'file_search',
  'code_interpreter',
  'image_generation',
] as const
const isNamed = (type: string): type is (typeof NAMED)[number] => NAMED.some((known) => known === type)

/** Whether a choice names one of the tools; dated names stand for the tool they are a version of. */
export function findsHosted(
  tools: readonly ToolParam[],
  { type, server_label }: { type: string; server_label?: string },
) {
  const wanted = HOSTED_TOOL_OF_TYPE.get(type)
  return tools.some((tool) => {
    if (tool.type === 'shell') return type === tool.type
    if (wanted === undefined || HOSTED_TOOL_OF_TYPE.get(tool.type) !== wanted) return false
    return tool.type !== 'mcp' || server_label === undefined || tool.server_label === server_label
  })
}
