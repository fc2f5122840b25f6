/** From the request's `tools` to what the model is offered, and back from the model's names to the client's. */

import type { TurnToolChoice } from '../models/model.ts'
import { badRequest } from '../protocol/errors.ts'
import type { ToolChoice, ToolChoiceParam, ToolParam, ToolSpec } from '../protocol/tools.ts'
import { type DeclaredTool, namespacedName, type Tool } from '../tools/tool.ts'

export type OfferedTool = { readonly declared: DeclaredTool; readonly tool: Tool }

export type OfferedTools = {
  /** Keyed by the name the model sees. */
  readonly byModelName: ReadonlyMap<string, OfferedTool>
  /** Takes a provider's call id for this response; null when it is missing, not usable or taken already. */
  claimCallId(id: string | null): string | null
  /** The model's name for a call in the context; also for tools that are offered no more. */
  modelNameOf(name: string, namespace: string): string
}

/** What a client can send back to us, and every provider takes: printable, and not too long. */
const CALL_ID = /^[\x21-\x7e]{1,64}$/

export function offerTools(specs: readonly ToolParam[], tools: readonly Tool[], path = 'tools'): OfferedTools {
  const byModelName = new Map<string, OfferedTool>()
  specs.forEach((spec, index) => {
    const where = `${path}[${index}]`
    const tool = ownerOf(spec, tools, where)
    for (const declared of tool.declare(spec, where)) {
      const { name } = declared.declaration
      if (byModelName.has(name))
        throw badRequest(`${where}.name`, 'invalid_value', `Duplicate tool name: '${name}'. Tool names must be unique.`)
      byModelName.set(name, { declared, tool })
    }
  })
  const taken = new Set<string>()
  return {
    byModelName,
    claimCallId(id) {
      if (id === null || !CALL_ID.test(id) || taken.has(id)) return null
      taken.add(id)
      return id
    },
    modelNameOf(name, namespace) {
      for (const [modelName, { declared }] of byModelName) {
        if (declared.namespace === namespace && declared.name === name) return modelName
      }
      return namespacedName(namespace, name)
    },
  }
}

export function echoTools(specs: readonly ToolParam[], tools: readonly Tool[]): ToolSpec[] {
  return specs.map((spec, index) => ownerOf(spec, tools, `tools[${index}]`).echo(spec))
}

function ownerOf(spec: ToolParam, tools: readonly Tool[], where: string): Tool {
  const tool = tools.find((candidate) => candidate.claims(spec))
  if (!tool) throw badRequest(`${where}.type`, 'unsupported_value', `This server has no tool of type '${spec.type}'.`)
  return tool
}

/** `tool_choice` with its defaults, as the Response echoes it. */
export function echoToolChoice(choice: ToolChoiceParam | null | undefined): ToolChoice {
  if (choice === null || choice === undefined) return 'auto'
  if (typeof choice === 'string') return choice
  return choice.type === 'allowed_tools' ? { ...choice, mode: choice.mode ?? 'auto' } : choice
}

/** What the model is told to do, or a refusal: a choice must name tools of this request. */
export function resolveToolChoice(choice: ToolChoice, offered: OfferedTools): TurnToolChoice {
  if (typeof choice === 'string') {
    if (choice === 'required' && offered.byModelName.size === 0) throw choiceWithoutTools()
    return { mode: choice, allowed: null }
  }
  if (offered.byModelName.size === 0) throw choiceWithoutTools()
  if (choice.type !== 'allowed_tools') {
    return { mode: 'required', allowed: findNames(choice.type, choice.name, offered, 'tool_choice') }
  }
  const allowed = choice.tools.flatMap((entry, index) =>
    findNames(entry.type, entry.name ?? '', offered, `tool_choice.tools[${index}]`),
  )
  return { mode: choice.mode, allowed }
}

function findNames(type: string, name: string, offered: OfferedTools, path: string): string[] {
  const names: string[] = []
  for (const [modelName, { declared }] of offered.byModelName) {
    const fits = type === 'namespace' ? declared.namespace === name : matches(declared, type, name)
    if (fits) names.push(modelName)
  }
  if (names.length > 0) return names
  throw badRequest(path, 'invalid_value', `Tool choice '${name || type}' not found in 'tools' parameter.`)
}

const matches = (declared: DeclaredTool, type: string, name: string) =>
  declared.declaration.type === type &&
  (declared.name === name || (declared.namespace !== null && `${declared.namespace}.${declared.name}` === name))

const choiceWithoutTools = () =>
  badRequest('tool_choice', 'invalid_value', "Invalid value: 'tool_choice' is only allowed when 'tools' are specified.")
