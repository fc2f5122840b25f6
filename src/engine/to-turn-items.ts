/** From items as clients know them to items as a model is shown them. */
import type { SealedBox } from '../lib/sealed-box.ts'
import type { TurnItem } from '../models/model.ts'
import { markState, readState } from '../models/reasoning-origin.ts'
import { idsOfCall, isClientItem, isContainerCall } from '../protocol/client-items.ts'
import { badRequest } from '../protocol/errors.ts'
import { isHostedItem, type McpApprovalRequest } from '../protocol/hosted-items.ts'
import { hostedToolOfItem } from '../protocol/hosted-tools.ts'
import type { Item, ReasoningItem } from '../protocol/items.ts'
import { isProgramItem, programOf } from '../protocol/programs.ts'
import { isAbandonedCall, isCutOffIn } from './check-pairs.ts'
import { type CompactionSeal, createCompactionSeal, openSummary } from './compaction-seal.ts'
import type { NormalizedItem } from './normalize-input.ts'
import { answeredPrograms, partsOfPrograms, recallProgram } from './programs/program-items.ts'
import { recallClient } from './recall-client.ts'
import { recallDenied, recallHosted } from './recall-hosted.ts'
import type { OfferedTools } from './resolve-tools.ts'

export type ReasoningSeal = {
  /** `state`: marked with its provider. */
  seal(reasoning: { state: string | null; text: string }): string
  /** Null when it was not sealed by this server for this project. */
  open(sealed: string): { readonly state: string | null; readonly text: string } | null
}

/** Everything of an item that only this server can read. */
export type ItemSeals = {
  readonly reasoning: ReasoningSeal
  readonly compaction: CompactionSeal
  /** Providers whose reasoning state was opened so far. Another provider cannot be shown it. */
  readonly origins: ReadonlySet<string>
  /** Ids of stored reasoning items that could not be opened: the key they were sealed with is gone. */
  readonly lost: Set<string>
}

export function createItemSeals(box: SealedBox, projectId: string): ItemSeals {
  const origins = new Set<string>()
  const reasoning = createReasoningSeal(box, projectId, origins)
  return { reasoning, compaction: createCompactionSeal(box, projectId), origins, lost: new Set() }
}

/** What is inside. `provider`: only of states that were sealed unmarked, by an earlier version. */
type SealedReasoning = { readonly provider?: string; readonly state: string | null; readonly text: string }

/** Seals a provider's reasoning state. The blob is bound to the project; the provider is marked inside it. */
function createReasoningSeal(box: SealedBox, projectId: string, origins: Set<string>): ReasoningSeal {
  const context = `reasoning:${projectId}`
  return {
    seal: ({ state, text }) => box.seal(JSON.stringify({ state, text }), context),
    open(sealed) {
      const json = box.open(sealed, context)
      if (json === null) return null
      const { provider, state: kept, text }: SealedReasoning = JSON.parse(json)
      const state = kept !== null && provider !== undefined ? markState(provider, kept) : kept
      const origin = state === null ? null : readState(state).provider
      if (origin !== null) origins.add(origin)
      return { state, text }
    },
  }
}

/** A sealed text that is not ours, or of another project, was never understood and must not be passed on. */
export function refuseForeignSeals(input: readonly NormalizedItem[], seals: ItemSeals, name = 'input'): void {
  input.forEach((item, index) => {
    if ((item.type !== 'reasoning' && item.type !== 'compaction') || !item.encrypted_content) return
    if (seals[item.type].open(item.encrypted_content)) return
    throw badRequest(
      `${name}[${index}].encrypted_content`,
      'invalid_encrypted_content',
      `The encrypted content of item '${item.id}' could not be verified. Send it back unchanged, to the server and ` +
        'project that made it, or leave the item out.',
    )
  })
}

export function toTurnItems(
  items: readonly Item[],
  tools: OfferedTools & { readonly offersTools?: boolean },
  seals: ItemSeals,
): TurnItem[] {
  // Most contexts are talk alone, and are shown as they are.
  if (items.every(isMessage)) return [...items]
  const shown: TurnItem[] = []
  const asked = new Map<string, McpApprovalRequest>()
  const localCalls = new Map<string, string>()
  const ranHere = new Set<string>()
  const isCutOff = isCutOffIn(items)
  const { offersTools = tools.byModelName.size > 0 || tools.pending.length > 0 } = tools
  const programs = programsIn(items)
  for (const item of items) {
    if (programs.owns(item)) continue
    if (item.type === 'mcp_approval_request') asked.set(item.id, item)
    if (isAbandonedCall(item) || isCutOff(item) || item.type === 'additional_tools') continue
    if (item.type === 'local_shell_call') for (const id of idsOfCall(item)) localCalls.set(id, item.call_id)
    if (isContainerCall(item)) ranHere.add(item.call_id)
    if (isProgramItem(item))
      shown.push(...recallProgram(item, { isEnded: programs.isEnded(item.call_id), offersTools }))
    else if (isClientItem(item)) {
      const { call_id } = item
      shown.push(recallClient(item, { call_id: localCalls.get(call_id) ?? call_id, isForeign: ranHere.has(call_id) }))
    } else if (isHostedItem(item) || item.type === 'mcp_approval_response') {
      const isProviders = tools.providerTools.has(hostedToolOfItem(item.type))
      const denied = !isProviders && item.type === 'mcp_approval_response' && !item.approve
      const request = denied ? asked.get(item.approval_request_id) : undefined
      if (denied && request) shown.push(...recallDenied(request, item, { offersTools }))
      else shown.push(...recallHosted(item, { offersTools, isProviders }))
    } else if (item.type === 'reasoning') shown.push(unsealed(item, seals))
    else if (item.type === 'compaction') shown.push(openSummary(item, seals.compaction))
    else if (item.type === 'function_call' || item.type === 'custom_tool_call') shown.push(renamed(item, tools))
    else shown.push(item)
  }
  return shown
}

const isMessage = (item: Item): item is Extract<Item, { type: 'message' }> => item.type === 'message'

/** What programs called is theirs; a call whose program is gone is shown as the model's own. */
function programsIn(items: readonly Item[]) {
  const parts = partsOfPrograms(items)
  const own = new Set([...parts.values()].flat())
  const goesOn = answeredPrograms(items).map(({ call_id }) => call_id)
  const ended = new Set(items.flatMap((item) => (item.type === 'program_output' ? [item.call_id] : [])))
  return {
    owns: (item: Item) => own.has(item) || (programOf(item) !== null && parts.has(programOf(item) ?? '')),
    isEnded: (callId: string) => ended.has(callId) || goesOn.includes(callId),
  }
}

function unsealed(item: ReasoningItem, { reasoning, lost }: ItemSeals): ReasoningItem {
  const { encrypted_content: sealed, ...rest } = item
  const opened = sealed ? reasoning.open(sealed) : null
  if (sealed && !opened) lost.add(item.id)
  if (!opened) return rest
  return {
    ...rest,
    ...(rest.content?.length || !opened.text ? {} : { content: [{ type: 'reasoning_text', text: opened.text }] }),
    ...(opened.state === null ? {} : { encrypted_content: opened.state }),
  }
}

/** A namespaced call goes by the one name the model was offered. */
function renamed<T extends { name: string; namespace?: string }>(item: T, tools: OfferedTools): T {
  if (!item.namespace) return item
  const { namespace, ...rest } = item
  return { ...rest, name: tools.modelNameOf(item.name, namespace) } as T
}
