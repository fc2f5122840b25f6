/**
 * Planning: request + stored history + tools + model -> `RunPlan`, or a refusal. Everything that can be refused is
 * refused here, before the first event and before anything is sent to a model (law 1).
 */
import type { BlobStore } from '../blobs/blob-store.ts'
import type { DocumentReader } from '../documents/document-reader.ts'
import { type Clock, seconds } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { OutboundGuard } from '../lib/outbound-guard.ts'
import type { SealedBox } from '../lib/sealed-box.ts'
import type { ModelCatalog, ResolvedModel } from '../models/catalog.ts'
import type { ModelTurn, TurnItem, TurnToolChoice } from '../models/model.ts'
import { markState } from '../models/reasoning-origin.ts'
import { badRequest, missingParameter, modelNotFound } from '../protocol/errors.ts'
import type { McpApprovalRequest } from '../protocol/hosted-items.ts'
import type { Item, OutputItem } from '../protocol/items.ts'
import type { Include } from '../protocol/options.ts'
import { type CreateResponseRequest, conversationIdOf } from '../protocol/request.ts'
import type { ResponseObject, Usage } from '../protocol/response.ts'
import { plainUsage } from '../protocol/usage.ts'
import type { ProjectStore, Store } from '../store/store.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Tool } from '../tools/tool.ts'
import { applyPrompt } from './apply-prompt.ts'
import { type ApprovalDeps, type GivenApproval, keepAsked, resolveApprovals, takeApprovals } from './approvals.ts'
import { checkCapabilities } from './check-capabilities.ts'
import { checkFormat } from './check-format.ts'
import { checkPairs, isAbandonedCall, isCutOffIn } from './check-pairs.ts'
import { type Compaction, type CompactionRule, compactionRule, createCompaction } from './compaction.ts'
import { carriedItems, dropCompacted } from './compaction-window.ts'
import { loadConversation, refuseDuplicates } from './conversation-run.ts'
import { countTurn } from './count-turn.ts'
import type { Caller } from './engine.ts'
import { type PartPlaces, placesOf } from './file-parts.ts'
import { firstTurn } from './first-turn.ts'
import { fitFiles } from './fit-files.ts'
import { type HistoryCache, loadHistory } from './history.ts'
import { initialResponse } from './initial-response.ts'
import { loadFiles } from './load-files.ts'
import { lostReasoning, strangersTo } from './lost-reasoning.ts'
import { toApiError } from './model-failure.ts'
import { normalizeInput } from './normalize-input.ts'
import { type AddedTools, planTools } from './plan-tools.ts'
import { isNested } from './programs/program-items.ts'
import { type GoingProgram, resolvePrograms } from './programs/resolve-programs.ts'
import { resolveReferences } from './resolve-references.ts'
import type { OfferedTools } from './resolve-tools.ts'
import { keepsNothing, refuseKept } from './retention.ts'
import type { EngineSettings } from './settings.ts'
import { createItemSeals, type ItemSeals, refuseForeignSeals, toTurnItems } from './to-turn-items.ts'
import { truncateItems } from './truncate.ts'
import { createUnsupportedLedger, type UnsupportedLedger } from './unsupported.ts'

export type PlanDeps = {
  readonly store: Store
  readonly catalog: ModelCatalog
  readonly tools: readonly Tool[]
  readonly cache: HistoryCache
  readonly sealedBox: SealedBox
  readonly countTokens: (text: string) => Promise<number>
  readonly settings: EngineSettings
  readonly clock: Clock
  readonly ids: Ids
  readonly telemetry: Telemetry
  readonly blobs: BlobStore
  readonly documents: DocumentReader
  readonly guard: OutboundGuard
}

export type RunPlan = {
  /** The Response as it begins. */
  readonly response: ResponseObject
  readonly store: ProjectStore
  /** The new input of this response alone. */
  readonly input: readonly Item[]
  /** Everything before it. */
  readonly history: readonly Item[]
  /** Of both, what the model is shown: without what a compaction stands for. */
  readonly shown: readonly Item[]
  /** The history came from the caller's memory: the response that this one continues from is not stored. */
  readonly fromMemory: boolean
  readonly resolved: ResolvedModel
  readonly tools: OfferedTools
  /** The first turn, as far as nothing has to be asked for. */
  readonly turn: ModelTurn
  /** Answers to requests for approval, good and not yet used. */
  readonly approvals: readonly GivenApproval[]
  /** Programs whose calls were answered: they go on before the first turn. */
  readonly programs: readonly GoingProgram[]
  /** Uses them up, or throws for one that was used before. For just before the run begins. */
  takeApprovals(): Promise<void>
  keepAsked(request: McpApprovalRequest, digest: string): Promise<void>
  /** The choice among the tools that there are once all were asked for. Throws when it names none of them. */
  chooseAgain(): TurnToolChoice
  /** The turn with no more items than the model takes. */
  fit(turn: ModelTurn): Promise<ModelTurn>
  readonly compaction: Compaction
  /** Calls of hosted tools that this response may make. */
  readonly maxToolCalls: number
  /** How many of them may run at the same time. */
  readonly toolCallsAtOnce: number
  readonly include: readonly Include[]
  readonly warnings: readonly string[]
  readonly unsupportedParams: readonly string[]
  /** Of what is before this response, what goes on after a compaction in it; null when it compacts nothing. */
  carried(output: readonly OutputItem[]): readonly Item[] | null
  /** Items of an earlier turn of this run as the model is shown them. */
  toTurnItems(items: readonly Item[], options?: { readonly offersTools: boolean }): readonly TurnItem[]
  /** `provider`: whose state it is. */
  sealReasoning(reasoning: { state: string | null; text: string }, provider: string): string | null
  /** Providers whose reasoning state the turns of this run carry. */
  readonly reasoningOrigins: ReadonlySet<string>
  /** For models that report no usage: counted by a tokenizer. */
  estimateUsage(turn: ModelTurn, output: readonly OutputItem[]): Promise<Usage>
}

export async function planRun(given: CreateResponseRequest, caller: Caller, deps: PlanDeps): Promise<RunPlan> {
  const { settings, ids, clock } = deps
  const { request: prompted, prompt } = await applyPrompt(given, deps.store.forProject(caller.principal.projectId))
  refuseKept(prompted, caller, settings)
  const zeroRetention = keepsNothing(caller, settings)
  const request = withDefaults(prompted, settings, zeroRetention)
  const named = await resolveModel(request.model, deps)
  const rule = compactionRule(request, named.model.capabilities.contextWindow)
  const ledger = createUnsupportedLedger(settings.unsupportedParams)
  if (zeroRetention && prompted.store) ledger.note('store', NOT_STORED)
  const context = await resolveContext(request, rule, caller, deps)
  const files = { ...deps, ...context, files: context.store.files, ledger, signal: caller.signal }
  const { capabilities } = named.model
  const runners = { own: deps.tools, capabilities, policy: settings.unsupportedParams, ledger }
  const planned = await planTools(request, context, runners)
  const tools = planned.offered
  const response = initialResponse(request, {
    id: ids.next('resp'),
    createdAt: seconds(clock),
    model: named.name,
    store: request.store ?? true,
    prompt,
    tools: planned.echo,
    toolChoice: planned.echoChoice,
  })
  const asked = firstTurn(request, {
    projectId: caller.principal.projectId,
    response,
    model: named.upstreamModel,
    items: await loadFiles(toTurnItems(context.shown, tools, context.seals), files),
    tools,
    toolChoice: planned.choice,
    hosted: planned.hosted,
  })
  checkFormat(request, asked)
  const resolved = chooseDeployment(named, asked)
  const turn = await fitFiles({ ...asked, model: resolved.upstreamModel }, resolved.model, files)
  checkCapabilities(turn, request, resolved.model, { ledger, asksForTools: tools.pending.length > 0 })
  reportLost(context.seals, resolved, ledger)
  const usageOf: RunPlan['estimateUsage'] = (of, output) =>
    estimateUsage(of, output, resolved, caller, deps.countTokens)
  const fit = async (of: ModelTurn) => (request.truncation === 'auto' ? await truncated(of, resolved, caller) : of)
  const parts = { rule, model: resolved.model, seal: context.seals.compaction, ids, estimateUsage: usageOf, fit }
  const answered = await planAnswered(context, tools, deps)
  const fitFirst = async (of: ModelTurn) => (rule.when === 'off' ? await fit(of) : of)
  return {
    response,
    store: context.store,
    input: context.input,
    history: context.history,
    shown: context.shown,
    fromMemory: context.fromMemory,
    resolved,
    tools,
    // Compaction wants to see everything; it truncates what is too long all the same afterwards.
    turn: await fitFirst(turn),
    fit: fitFirst,
    ...answered,
    chooseAgain: planned.chooseAgain,
    compaction: createCompaction(parts),
    ...callLimits(request, settings),
    include: request.include ?? [],
    warnings: ledger.warnings,
    unsupportedParams: ledger.params,
    carried: (output) => carriedItems(context.history, [...context.input, ...output], context.seals.compaction),
    toTurnItems: (items, options) => toTurnItems(items, { ...tools, ...options }, context.seals),
    sealReasoning: createSealer(context.seals, request.include?.includes('reasoning.encrypted_content') ?? false),
    reasoningOrigins: context.seals.origins,
    estimateUsage: usageOf,
  }
}

/** Text alone is sealed for who asked for it; a provider's state always, because its next turn needs it. */
const createSealer =
  ({ reasoning }: ItemSeals, wantsSeal: boolean): RunPlan['sealReasoning'] =>
  ({ state, text }, provider) => {
    if (!wantsSeal && state === null) return null
    return reasoning.seal({ state: state === null ? null : markState(provider, state), text })
  }

const callLimits = (request: CreateResponseRequest, settings: EngineSettings) => ({
  maxToolCalls: request.max_tool_calls ?? settings.maxToolCallsByDefault,
  toolCallsAtOnce: request.parallel_tool_calls === false ? 1 : settings.toolCallsAtOnce,
})

/** What goes on because this request answers it: calls that waited for leave, programs that waited for their calls. */
async function planAnswered(
  { store, input, history }: ResolvedContext,
  tools: OfferedTools,
  { sealedBox, clock, ids }: PlanDeps,
): Promise<Pick<RunPlan, 'approvals' | 'takeApprovals' | 'keepAsked' | 'programs'>> {
  const deps: ApprovalDeps = { store, sealedBox, clock, ids }
  const approvals = await resolveApprovals(input, history, tools, deps)
  return {
    approvals,
    takeApprovals: () => takeApprovals(approvals, deps),
    keepAsked: (asked, digest) => keepAsked(asked, digest, deps),
    programs: resolvePrograms([...history, ...input], tools),
  }
}

/** Refuses with a 429 when every deployment is at its limits. */
function chooseDeployment(named: ResolvedModel, turn: ModelTurn): ResolvedModel {
  try {
    return named.choose?.(turn) ?? named
  } catch (error) {
    throw toApiError(error)
  }
}

/** Reasoning of one provider means nothing to another, and what no key opens to nobody: what is lost then is said. */
function reportLost({ origins, lost }: ItemSeals, { provider }: ResolvedModel, ledger: UnsupportedLedger): void {
  for (const origin of strangersTo(provider, origins)) ledger.note('input', lostReasoning(origin, provider))
  if (lost.size > 0)
    ledger.note('input', 'stored reasoning goes as readable text at most: the key it was sealed with is gone.')
}

const NOT_STORED = 'this project stores nothing (zero data retention), so neither is this response.'

/** The operator's defaults in the place of what the request leaves open; a null leaves it open too. */
const withDefaults = (
  request: CreateResponseRequest,
  settings: EngineSettings,
  zeroRetention: boolean,
): CreateResponseRequest => ({
  ...request,
  model: request.model ?? settings.defaultModel,
  store: !zeroRetention && (request.store ?? settings.storeByDefault),
  truncation: request.truncation ?? settings.truncationByDefault,
  max_output_tokens: request.max_output_tokens ?? settings.maxOutputTokensByDefault,
})

async function resolveModel(name: string | null | undefined, deps: PlanDeps): Promise<ResolvedModel> {
  if (!name) throw missingParameter('model')
  const resolved = await deps.catalog.resolve(name)
  if (!resolved) throw modelNotFound(name)
  return resolved
}

type ResolvedContext = {
  readonly store: ProjectStore
  readonly history: readonly Item[]
  readonly fromMemory: boolean
  readonly input: readonly Item[]
  readonly addedTools: AddedTools
  readonly seals: ItemSeals
  readonly places: PartPlaces
  /** What the model is shown of history and input: without what a compaction stands for. */
  readonly shown: readonly Item[]
}

/** Everything the model will be shown, in order, checked for what must belong together. */
async function resolveContext(
  request: Pick<CreateResponseRequest, 'input' | 'previous_response_id' | 'conversation'>,
  rule: CompactionRule,
  caller: Caller,
  deps: PlanDeps,
): Promise<ResolvedContext> {
  const { projectId } = caller.principal
  const store = deps.store.forProject(projectId)
  const previousId = request.previous_response_id
  const remembered = previousId ? (caller.memory?.get(previousId) ?? null) : null
  const history = remembered ?? (await resolveHistory(request, store, deps))
  const given = normalizeInput(request.input, deps.ids)
  const seals = createItemSeals(deps.sealedBox, projectId)
  refuseForeignSeals(given, seals)
  // A reference to an item that a compaction stands for asks to see it again.
  const input = await resolveReferences(given, dropCompacted(history, rule.keptBytes, seals.compaction), {
    store,
    keepsNothing: keepsNothing(caller, deps.settings),
  })
  if (conversationIdOf(request) !== null) refuseDuplicates(input, history, 'input')
  const items = [...history, ...input]
  const isCutOff = isCutOffIn(items)
  checkPairs(items.filter((item) => !isAbandonedCall(item) && !isCutOff(item)))
  const toolsOf = (type: 'additional_tools' | 'tool_search_output') =>
    items.flatMap((item) => (item.type === type ? item.tools : []))
  const shown = dropCompacted(items, rule.keptBytes, seals.compaction)
  if (rule.when === 'trigger' && shown.length === 0) throw badRequest('input', 'invalid_value', NOTHING_TO_COMPACT)
  return {
    store,
    history,
    fromMemory: remembered !== null,
    input,
    addedTools: { added: toolsOf('additional_tools'), found: toolsOf('tool_search_output') },
    seals,
    places: placesOf(given),
    shown,
  }
}

export const NOTHING_TO_COMPACT = 'There is nothing to compact: the conversation has no items yet.'

async function resolveHistory(
  request: Pick<CreateResponseRequest, 'previous_response_id' | 'conversation'>,
  store: ProjectStore,
  { cache, settings }: PlanDeps,
): Promise<readonly Item[]> {
  const conversationId = conversationIdOf(request)
  if (conversationId !== null) return loadConversation(store, conversationId, settings.chainLimits)
  if (!request.previous_response_id) return []
  return loadHistory(store, cache, request.previous_response_id, settings.chainLimits)
}

async function truncated(turn: ModelTurn, resolved: ResolvedModel, caller: Caller): Promise<ModelTurn> {
  const { contextWindow } = resolved.model.capabilities
  if (contextWindow === null) return turn
  const room = contextWindow - (turn.maxOutputTokens ?? 0)
  const fits = async (items: readonly TurnItem[]) =>
    (await countTurn({ ...turn, items }, resolved.model, caller.signal, room)) <= room
  if (await fits(turn.items)) return turn
  return { ...turn, items: await truncateItems(turn.items, fits) }
}

/** A picture that a tool made was not written by the model. */
const withoutBytes = (item: OutputItem) => (item.type === 'image_generation_call' ? { ...item, result: null } : item)

async function estimateUsage(
  turn: ModelTurn,
  output: readonly OutputItem[],
  resolved: ResolvedModel,
  caller: Caller,
  countTokens: (text: string) => Promise<number>,
): Promise<Usage> {
  const input_tokens = await resolved.model.countInputTokens(turn, { signal: caller.signal })
  let output_tokens = 0
  // What a program called, and gave, the model did not write.
  const written = output.filter((item) => item.type !== 'program_output' && !isNested(item))
  for (const item of written) output_tokens += await countTokens(JSON.stringify(withoutBytes(item)))
  return plainUsage(input_tokens, output_tokens)
}
