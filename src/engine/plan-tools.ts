/** The tools of a request and of its context: what the model is offered, what its provider runs, what it must choose. */
import type { HostedTurn, TurnToolChoice } from '../models/model.ts'
import type { CreateResponseRequest } from '../protocol/request.ts'
import type { ToolChoice, ToolParam, ToolSpec } from '../protocol/tools.ts'
import { type HostedParts, hostedTurn, settleHostedTools, toolsFor } from './hosted-tools.ts'
import {
  echoToolChoice,
  echoTools,
  loadChosen,
  type OfferedTools,
  offerTools,
  resolveToolChoice,
} from './resolve-tools.ts'

export type PlannedTools = {
  /** As the Response shows them. */
  readonly echo: ToolSpec[]
  readonly echoChoice: ToolChoice
  readonly offered: OfferedTools
  readonly choice: TurnToolChoice
  /** What the provider is asked to run; null: nothing. */
  readonly hosted: HostedTurn | null
  /** Once the tools that are pending were asked for. Throws when the choice names none of them. */
  chooseAgain(): TurnToolChoice
}

/** Tools that items brought: given along the way, and found by searches. */
export type AddedTools = { readonly added: readonly ToolParam[]; readonly found: readonly ToolParam[] }

/** What was added may have been meant for another model: what this one's provider does not run goes. */
export function planTools(
  request: Pick<CreateResponseRequest, 'tools' | 'tool_choice' | 'include' | 'max_tool_calls'>,
  { added, found }: AddedTools,
  given: HostedParts,
): PlannedTools {
  const parts = { ...given, own: toolsFor(given) }
  const asked = settleHostedTools(request.tools ?? [], request.tool_choice, parts)
  const specs = [...asked, ...settleHostedTools(added, null, { ...parts, policy: 'drop' })]
  const offered = offerTools(specs, parts.own, found)
  const echoChoice = echoToolChoice(request.tool_choice)
  loadChosen(echoChoice, offered)
  const hosted = hostedTurn(specs, echoChoice, request, parts.own)
  const run = hosted?.tools ?? []
  const choice = resolveToolChoice(echoChoice, offered, [...run, ...offered.pending.map(({ spec }) => spec)])
  const chooseAgain = () => {
    const isEmpty = offered.byModelName.size === 0 && run.length === 0
    if (isEmpty && typeof echoChoice === 'string') return { ...choice, mode: 'auto' as const }
    return resolveToolChoice(echoChoice, offered, run)
  }
  return { echo: echoTools(asked, parts.own), echoChoice, offered, choice, hosted, chooseAgain }
}
