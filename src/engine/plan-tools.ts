/** The tools of a request and of its context: what the model is offered, what its provider runs, what it must choose. */
import type { HostedTurn, TurnToolChoice } from '../models/model.ts'
import type { CreateResponseRequest } from '../protocol/request.ts'
import type { ToolChoice, ToolParam, ToolSpec } from '../protocol/tools.ts'
import { type HostedParts, hostedTurn, isCarried, settleHostedTools, toolsFor } from './hosted-tools.ts'
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

/** Refuses what a tool can tell only by looking. */
async function admitTools(
  specs: readonly ToolParam[],
  projectId: string,
  { own, capabilities }: Pick<HostedParts, 'own' | 'capabilities'>,
): Promise<void> {
  for (const [index, spec] of specs.entries()) {
    const tool = own.find((candidate) => candidate.claims(spec))
    await tool?.admit?.(spec, `tools[${index}]`, { projectId, isCarried: isCarried(spec.type, capabilities) })
  }
}

/** Tools that items brought: given along the way, and found by searches. */
export type AddedTools = { readonly added: readonly ToolParam[]; readonly found: readonly ToolParam[] }

type Context = { readonly addedTools: AddedTools; readonly store: { readonly projectId: string } }

/** What was added may have been meant for another model: what this one's provider does not run goes. */
export async function planTools(
  request: Pick<CreateResponseRequest, 'tools' | 'tool_choice' | 'include' | 'max_tool_calls'>,
  { addedTools, store }: Context,
  given: HostedParts,
): Promise<PlannedTools> {
  const { added, found } = addedTools
  await admitTools([...(request.tools ?? []), ...added], store.projectId, given)
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
