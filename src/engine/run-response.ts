/**
 * THE generator: a planned run as a stream of events, turn after turn, with exactly one terminal event, which is last.
 *
 * Invariant: once the first batch has been yielded nothing is thrown; every failure and every abort, at whatever
 * instant, ends as a terminal event (laws 1 and 2). There is no second loop for JSON replies: they read this to the end.
 */
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { ModelContext, ModelTurn, TurnToolChoice } from '../models/model.ts'
import { ApiError } from '../protocol/errors.ts'
import type { OutputItem } from '../protocol/items.ts'
import type { Usage } from '../protocol/response.ts'
import { addUsage, NO_USAGE } from '../protocol/usage.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { PreparedTools, ToolContext } from '../tools/tool.ts'
import { type Citations, createCitations } from './cite-sources.ts'
import { EventComposer, type RunEnd } from './compose-events.ts'
import { RunAbort } from './engine.ts'
import { toApiError, toResponseError } from './model-failure.ts'
import type { RunPlan } from './plan-run.ts'
import { type Prepared, type PrepareParts, prepareTools } from './prepare-tools.ts'
import { declarationsOf } from './resolve-tools.ts'
import type { RunBatch } from './run-event.ts'
import { createCorrections, runToolCalls, type ToolCallsResult, type ToolRunDeps } from './run-tool-calls.ts'
import { startTurn, type TurnOptions, type TurnResult } from './run-turn.ts'

export type RunDeps = { readonly clock: Clock; readonly ids: Ids; readonly telemetry: Pick<Telemetry, 'failed'> }

export async function* runResponse(plan: RunPlan, given: ModelContext, deps: RunDeps): AsyncGenerator<RunBatch, void> {
  const composer = new EventComposer(plan.response, deps)
  const { context, provider } = watchRoute(given, plan.resolved.provider)
  composer.begin()
  yield composer.take()

  const citations = createCitations()
  const options = turnOptions(plan, { ...deps, composer, citations, provider })
  const tools = toolDeps(plan, composer, { signal: context.signal, cite: citations.cite }, deps)
  const prepared: PreparedTools[] = []
  let usage: Usage | null = null
  let end: RunEnd
  try {
    const first = yield* firstTurn(plan, { tools, options, onPrepared: (it) => prepared.push(it) })
    let turn: ModelTurn = first.turn
    for (;;) {
      if (first.waits) {
        end = { status: 'completed' }
        usage = NO_USAGE
        break
      }
      context.signal.throwIfAborted()
      const compacted = await plan.compaction.prepare(turn, context)
      turn = compacted.turn
      if (compacted.made) {
        composer.compaction(compacted.made.encryptedContent)
        usage = usage ? addUsage(usage, compacted.made.usage) : compacted.made.usage
        yield composer.take()
      }
      if (plan.compaction.rule.when === 'trigger') {
        end = { status: 'completed' }
        break
      }
      const before = composer.output.length
      const run = startTurn(turn, options)
      for await (const batch of plan.resolved.model.stream(turn, context)) {
        run.write(batch)
        const events = composer.take()
        if (events.length > 0) yield events
      }
      const ran = yield* runToolCalls(run, tools)
      const result: TurnResult = run.result()
      const next = afterTurn(result, ran)
      composer.closeItem(next.next === 'end' && next.end.status === 'incomplete' ? 'incomplete' : 'completed')
      const output = composer.output.slice(before)
      const ofTurn = result.usage ?? (await plan.estimateUsage(turn, output))
      usage = usage ? addUsage(usage, ofTurn) : ofTurn
      if (next.next === 'end') {
        end = next.end
        break
      }
      turn = nextTurn(withinLimit(turn, options), plan, output, next)
    }
  } catch (error) {
    end = endOfFailure(error, context.signal)
  }
  for (const opened of prepared) opened.close()
  composer.end(end, usage)
  yield composer.take()
}

/** Where nothing is asked of a model but a summary, nothing is prepared for it. */
async function* firstTurn(plan: RunPlan, parts: PrepareParts): AsyncGenerator<RunBatch, Prepared> {
  if (plan.compaction.rule.when === 'trigger') return { turn: plan.turn, waits: false }
  return yield* prepareTools(plan, parts)
}

/** `provider`: the one that was asked last, whose reasoning state it is that comes back. */
function watchRoute(context: ModelContext, planned: string) {
  let provider = planned
  const onRoute: ModelContext['onRoute'] = (route) => {
    provider = route.provider
    context.onRoute?.(route)
  }
  return { context: { ...context, onRoute }, provider: () => provider }
}

type Parts = RunDeps & {
  readonly composer: EventComposer
  readonly citations: Citations
  readonly provider: () => string
}

const turnOptions = (plan: RunPlan, { composer, citations, ids, provider }: Parts): TurnOptions => {
  let hostedCalls = plan.maxToolCalls
  return {
    composer,
    tools: plan.tools,
    logprobs: plan.turn.topLogprobs !== null,
    sealReasoning: (reasoning) => plan.sealReasoning(reasoning, provider()),
    newCallId: () => ids.next('call'),
    newItemId: (prefix) => ids.next(prefix),
    takeHostedCall: () => hostedCalls-- > 0,
    hostedCallsLeft: () => Math.max(0, hostedCalls),
    citations,
  }
}

const toolDeps = (
  plan: RunPlan,
  composer: EventComposer,
  shared: Pick<ToolContext, 'signal' | 'cite'>,
  deps: RunDeps,
): ToolRunDeps => ({
  composer,
  context: {
    ...shared,
    projectId: plan.store.projectId,
    responseId: plan.response.id,
    include: plan.include,
    imageInput: plan.resolved.model.capabilities.imageInput,
    items: () => [...plan.shown, ...composer.output],
  },
  keepAsked: plan.keepAsked,
  corrections: createCorrections(),
  atOnce: plan.toolCallsAtOnce,
  onFault: (error) => deps.telemetry.failed({ requestId: null, where: 'tool', error }),
})

function afterTurn(result: TurnResult, tools: ToolCallsResult) {
  if (result.reason === 'length') return ended({ status: 'incomplete', reason: 'max_output_tokens' })
  if (result.reason === 'content_filter') return ended({ status: 'incomplete', reason: 'content_filter' })
  return tools.next === 'end' ? ended({ status: 'completed' }) : tools
}

type ToolResults = Extract<ToolCallsResult, { next: 'turn' }>

function nextTurn(turn: ModelTurn, plan: RunPlan, output: readonly OutputItem[], results: ToolResults): ModelTurn {
  const { calls, outputs, limited } = results
  // What a search found, and what commands said, is told as the output of the call.
  const said = output.filter(({ type }) => type !== 'tool_search_output' && type !== 'shell_call_output')
  const shown = said.flatMap((item) => calls.get(item.id) ?? plan.toTurnItems([item]))
  const isShown = new Set(output.map(({ id }) => id))
  const unshown = [...calls].flatMap(([id, call]) => (isShown.has(id) ? [] : [call]))
  const toolChoice = { ...turn.toolChoice, mode: nextMode(turn.toolChoice.mode, limited) }
  return {
    ...turn,
    tools: declarationsOf(plan.tools),
    toolChoice,
    items: [...turn.items, ...shown, ...unshown, ...outputs],
  }
}

/** What a provider may still run itself: of a limit the rest, and where nothing is left none of its tools. */
function withinLimit(turn: ModelTurn, { hostedCallsLeft }: TurnOptions): ModelTurn {
  const { hosted, ...rest } = turn
  if (!hosted || hosted.maxCalls === null) return turn
  const maxCalls = hostedCallsLeft()
  return maxCalls === 0 ? rest : { ...rest, hosted: { ...hosted, maxCalls } }
}

/** A choice that demands a call is met by the first turn; demanded again, or beyond the limit, it would never end. */
const nextMode = (mode: TurnToolChoice['mode'], limited: boolean): TurnToolChoice['mode'] => {
  if (limited) return 'none'
  return mode === 'required' ? 'auto' : mode
}

const ended = (end: RunEnd) => ({ next: 'end' as const, end })

export function endOfFailure(error: unknown, signal: AbortSignal): RunEnd {
  if (signal.aborted) return endOfAbort(signal.reason)
  const cause = toApiError(error)
  return { status: 'failed', error: toResponseError(cause), cause }
}

function endOfAbort(reason: unknown): RunEnd {
  const kind = reason instanceof RunAbort ? reason.kind : 'reader-gone'
  if (kind === 'reader-gone' || kind === 'cancelled' || kind === 'let-go') return { status: 'cancelled' }
  const cause =
    kind === 'shutdown'
      ? new ApiError({
          status: 503,
          code: 'server_shutting_down',
          message: 'The server is shutting down. Please send the request again.',
          headers: { 'retry-after': '1' },
        })
      : new ApiError({
          status: 504,
          code: 'server_error',
          message: 'The response took longer than this server allows. Ask for less, or raise limits.response_time.',
          headers: { 'x-should-retry': 'false' },
        })
  return { status: 'failed', error: toResponseError(cause), cause }
}
