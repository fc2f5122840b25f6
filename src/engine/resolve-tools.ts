/** From the request's `tools` to what the model is offered, and back from the model's names to the client's. */

import type { ToolDeclaration, TurnToolChoice } from '../models/model.ts'
import { CLIENT_TOOL_OF_TYPE, isClientTool } from '../protocol/client-tools.ts'
import { badRequest } from '../protocol/errors.ts'
import { HOSTED_TOOL_OF_TYPE, type HostedTool, withoutSecrets } from '../protocol/hosted-tools.ts'
import type { ToolChoice, ToolChoiceParam, ToolParam, ToolSpec } from '../protocol/tools.ts'
import { isHostedTool } from '../protocol/tools.ts'
import { type DeclaredTool, namespacedName, type Tool } from '../tools/tool.ts'
import { createToolShelf, narrowedEntries, searchOf } from './held-tools.ts'
import { findsHosted, toSpec } from './hosted-tools.ts'
import type { OfferedTool } from './offered-tool.ts'
import { TOOL_SEARCH } from './tool-search.ts'

/** An entry whose tools have to be asked for. */
export type PendingTool = { readonly spec: ToolParam; readonly prepare: NonNullable<Tool['prepare']> }

export type OfferedTools = {
  /** Keyed by the name the model sees. */
  readonly byModelName: ReadonlyMap<string, OfferedTool>
  /** Tools that the provider runs itself. */
  readonly providerTools: ReadonlySet<HostedTool>
  /** What has to be asked before the first turn; it stays the same when it was. */
  readonly pending: readonly PendingTool[]
  /** Declared, but not offered before it was searched for. */
  readonly held: ReadonlyMap<string, OfferedTool>
  load(names: readonly string[]): void
  /** Offers what was asked for. False when another tool has its name already: then it is not offered. */
  add(offered: OfferedTool): boolean
  /** Takes a provider's call id for this response; null when it is missing, not usable or taken already. */
  claimCallId(id: string | null): string | null
  /** The model's name for a call in the context; also for tools that are offered no more. */
  modelNameOf(name: string, namespace: string): string
}

/** What a client can send back to us, and every provider takes: printable, and not too long. */
const CALL_ID = /^[\x21-\x7e]{1,64}$/

/** `found`: by searches in the context, so not held back any more. */
export function offerTools(
  specs: readonly ToolParam[],
  tools: readonly Tool[],
  found: readonly ToolParam[] = [],
): OfferedTools {
  const path = 'tools'
  const shelf = createToolShelf({
    search: searchOf(specs, path),
    found,
    entriesOf: (some) => echoTools(narrowedEntries(some), tools),
  })
  const providerTools = new Set<HostedTool>()
  const pending: PendingTool[] = []
  specs.forEach((spec, index) => {
    const where = `${path}[${index}]`
    if (spec.type === TOOL_SEARCH) return
    const tool = ownerOf(spec, tools, where)
    if (!tool) {
      const hosted = HOSTED_TOOL_OF_TYPE.get(spec.type)
      if (hosted) providerTools.add(hosted)
      return
    }
    if (tool.prepare || pending.some((other) => other.spec.type === spec.type))
      refuseSecond(spec, specs.slice(0, index), where)
    if (tool.prepare) {
      refuseServer(spec, pending, where)
      pending.push({ spec, prepare: tool.prepare })
    }
    for (const declared of tool.declare(spec, where)) {
      if (shelf.add({ declared, tool })) continue
      const { name } = declared.declaration
      throw badRequest(`${where}.name`, 'invalid_value', `Duplicate tool name: '${name}'. Tool names must be unique.`)
    }
  })
  shelf.offerFound()
  for (const spec of found) {
    const tool = spec.type === 'mcp' ? undefined : tools.find((candidate) => candidate.claims(spec))
    for (const declared of tool?.declare(spec, 'input') ?? []) if (tool) shelf.add({ declared, tool })
  }
  const byModelName = shelf.offered
  const taken = new Set<string>()
  return {
    byModelName,
    providerTools,
    pending,
    add: shelf.add,
    load: shelf.load,
    held: shelf.held,
    claimCallId(id) {
      if (id === null || !CALL_ID.test(id) || taken.has(id)) return null
      taken.add(id)
      return id
    },
    modelNameOf(name, namespace) {
      for (const tools of [byModelName, shelf.held]) {
        for (const [modelName, { declared }] of tools) {
          if (declared.namespace === namespace && declared.name === name) return modelName
        }
      }
      return namespacedName(namespace, name)
    },
  }
}

/** Of a kind that is asked for, only one: a model could not tell them apart. */
function refuseSecond(spec: ToolParam, before: readonly ToolParam[], where: string): void {
  if (spec.type === 'mcp' || !before.some(({ type }) => type === spec.type)) return
  throw badRequest(`${where}.type`, 'invalid_value', `The tool '${spec.type}' may be given only once.`)
}

/** Of one request. Each is asked for its tools before anything is answered. */
export const MAX_SERVERS = 20

/** A call names its server by its label alone. */
function refuseServer(spec: ToolParam, pending: readonly PendingTool[], where: string): void {
  if (pending.length === MAX_SERVERS)
    throw badRequest('tools', 'invalid_value', `At most ${MAX_SERVERS} MCP servers may be used by one request.`)
  if (spec.type !== 'mcp' || !pending.some(({ spec: other }) => labelOf(other) === spec.server_label)) return
  const message = `Two MCP servers are labelled '${spec.server_label.slice(0, 100)}'. Labels must be different.`
  throw badRequest(`${where}.server_label`, 'invalid_value', message)
}

const labelOf = (spec: ToolParam) => (spec.type === 'mcp' ? spec.server_label : null)

export function echoTools(specs: readonly ToolParam[], tools: readonly Tool[]): ToolSpec[] {
  return specs.map((spec, index) => {
    if (spec.type === TOOL_SEARCH) return { ...spec, execution: spec.execution ?? 'server' }
    const tool = ownerOf(spec, tools, `tools[${index}]`)
    if (tool) return tool.echo(spec)
    if (isHostedTool(spec)) return withoutSecrets(toSpec(spec))
    throw new TypeError(`nobody owns the tool '${spec.type}'`)
  })
}

/** Null: the provider runs it. */
function ownerOf(spec: ToolParam, tools: readonly Tool[], where: string): Tool | null {
  const tool = tools.find((candidate) => candidate.claims(spec))
  if (!tool && isHostedTool(spec)) return null
  if (!tool) throw badRequest(`${where}.type`, 'unsupported_value', `This server has no tool of type '${spec.type}'.`)
  return tool
}

/** What the model is shown of all that is offered now. */
export const declarationsOf = ({ byModelName }: OfferedTools): readonly ToolDeclaration[] =>
  [...byModelName.values()].map(({ declared }) => declared.declaration)

/** Who is told to call a tool has found it. */
export function loadChosen(choice: ToolChoice, { held, load }: OfferedTools): void {
  if (typeof choice === 'string') return
  const entries: readonly Choice[] = choice.type === 'allowed_tools' ? choice.tools : [choice]
  for (const [name, { declared }] of [...held]) {
    if (entries.some((entry) => entry.name && matches(declared, entry.type, entry.name))) load([name])
  }
}

/** `tool_choice` with its defaults, as the Response echoes it. */
export function echoToolChoice(choice: ToolChoiceParam | null | undefined): ToolChoice {
  if (choice === null || choice === undefined) return 'auto'
  if (typeof choice === 'string') return choice
  return choice.type === 'allowed_tools' ? { ...choice, mode: choice.mode ?? 'auto' } : choice
}

/**
 * What the model is told to do, or a refusal: a choice must name tools of this request. `hosted`: tools that are no
 * functions, because the provider runs them or they have not been asked for yet; a choice of one of them allows no
 * function.
 */
export function resolveToolChoice(
  choice: ToolChoice,
  offered: OfferedTools,
  hosted: readonly ToolParam[],
): TurnToolChoice {
  const isEmpty = offered.byModelName.size === 0 && hosted.length === 0
  if (typeof choice === 'string') {
    if (choice === 'required' && isEmpty) throw choiceWithoutTools()
    return { mode: choice, allowed: null }
  }
  if (isEmpty) throw choiceWithoutTools()
  if (choice.type === 'allowed_tools') {
    const allowed = choice.tools.flatMap((entry, index) =>
      findsHosted(hosted, entry) ? [] : namesOf(entry, offered, `tool_choice.tools[${index}]`),
    )
    return { mode: choice.mode, allowed }
  }
  if (choice.type === 'function' || choice.type === 'custom') {
    return { mode: 'required', allowed: findNames(choice.type, choice.name, offered, 'tool_choice') }
  }
  if (findsHosted(hosted, choice)) return { mode: 'required', allowed: [] }
  return { mode: 'required', allowed: namesOf(choice, offered, 'tool_choice') }
}

type Choice = { readonly type: string; readonly name?: string | null; readonly server_label?: string }

function namesOf(choice: Choice, offered: OfferedTools, path: string): string[] {
  if (choice.type !== 'mcp') return findNames(choice.type, choice.name ?? '', offered, path)
  const names: string[] = []
  for (const [modelName, { declared }] of offered.byModelName) {
    const { spec, name } = declared
    if (spec.type !== 'mcp' || (choice.server_label ?? spec.server_label) !== spec.server_label) continue
    if ((choice.name ?? name) === name) names.push(modelName)
  }
  if (names.length > 0) return names
  throw choiceNotFound(path, choice.name ?? choice.server_label ?? choice.type)
}

function findNames(type: string, name: string, offered: OfferedTools, path: string): string[] {
  const names: string[] = []
  for (const [modelName, { declared }] of offered.byModelName) {
    const fits = type === 'namespace' ? declared.namespace === name : matches(declared, type, name)
    if (fits && declared.spec.type !== 'mcp') names.push(modelName)
  }
  if (names.length > 0) return names
  throw choiceNotFound(path, name || type)
}

const choiceNotFound = (path: string, what: string) =>
  badRequest(path, 'invalid_value', `Tool choice '${what}' not found in 'tools' parameter.`)

/** A tool that is no function is chosen by its kind: what the model is declared is this server's own affair. */
function matches(declared: DeclaredTool, type: string, name: string): boolean {
  if (declared.spec.type === TOOL_SEARCH) return type === TOOL_SEARCH
  if (isClientTool(declared.spec)) return CLIENT_TOOL_OF_TYPE.get(declared.spec.type) === CLIENT_TOOL_OF_TYPE.get(type)
  const hosted = HOSTED_TOOL_OF_TYPE.get(declared.spec.type)
  if (hosted !== undefined) return hosted === HOSTED_TOOL_OF_TYPE.get(type)
  return (
    declared.declaration.type === type &&
    (declared.name === name || (declared.namespace !== null && `${declared.namespace}.${declared.name}` === name))
  )
}

const choiceWithoutTools = () =>
  badRequest('tool_choice', 'invalid_value', "Invalid value: 'tool_choice' is only allowed when 'tools' are specified.")
