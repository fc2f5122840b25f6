/**
 * THE generator: a planned run as a stream of events, turn after turn, with exactly one terminal event, which is last.
 *
 * Invariant: once the first batch has been yielded nothing is thrown; every failure and every abort, at whatever
 * instant, ends as a terminal event (laws 1 and 2). There is no second loop for JSON replies: they read this to the end.
 */
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { ModelContext, ModelTurn } from '../models/model.ts'
import { ApiError } from '../protocol/errors.ts'
import type { Usage } from '../protocol/response.ts'
import { addUsage } from '../protocol/usage.ts'
import { EventComposer, type RunEnd } from './compose-events.ts'
import { RunAbort } from './engine.ts'
import { toApiError, toResponseError } from './model-failure.ts'
import type { RunPlan } from './plan-run.ts'
import type { RunBatch } from './run-event.ts'
import { runToolCalls } from './run-tool-calls.ts'
import { startTurn, type TurnResult } from './run-turn.ts'

export type RunDeps = { readonly clock: Clock; readonly ids: Ids }

export async function* runResponse(
  plan: RunPlan,
  context: ModelContext,
  deps: RunDeps,
): AsyncGenerator<RunBatch, void> {
  const composer = new EventComposer(plan.response, deps)
  composer.begin()
  yield composer.take()

  let usage: Usage | null = null
  let end: RunEnd
  try {
    let turn: ModelTurn = plan.turn
    for (;;) {
      context.signal.throwIfAborted()
      const prepared = await plan.compaction.prepare(turn, context)
      turn = prepared.turn
      if (prepared.made) {
        composer.compaction(prepared.made.encryptedContent)
        usage = usage ? addUsage(usage, prepared.made.usage) : prepared.made.usage
        yield composer.take()
      }
      if (plan.compaction.rule.when === 'trigger') {
        end = { status: 'completed' }
        break
      }
      const before = composer.output.length
      const run = startTurn(turn, turnOptions(plan, composer, deps))
      for await (const batch of plan.resolved.model.stream(turn, context)) {
        run.write(batch)
        const events = composer.take()
        if (events.length > 0) yield events
      }
      const result: TurnResult = run.result()
      const next = await afterTurn(result, context.signal)
      composer.closeItem(next.next === 'end' && next.end.status === 'incomplete' ? 'incomplete' : 'completed')
      const output = composer.output.slice(before)
      const ofTurn = result.usage ?? (await plan.estimateUsage(turn, output))
      usage = usage ? addUsage(usage, ofTurn) : ofTurn
      if (next.next === 'end') {
        end = next.end
        break
      }
      turn = { ...turn, items: [...turn.items, ...plan.toTurnItems(output), ...next.items] }
    }
  } catch (error) {
    end = endOfFailure(error, context.signal)
  }
  composer.end(end, usage)
  yield composer.take()
}

const turnOptions = (plan: RunPlan, composer: EventComposer, deps: RunDeps) => ({
  composer,
  tools: plan.tools,
  logprobs: plan.turn.topLogprobs !== null,
  sealReasoning: plan.sealReasoning,
  newCallId: () => deps.ids.next('call'),
})

async function afterTurn(result: TurnResult, signal: AbortSignal) {
  if (result.reason === 'length') return ended({ status: 'incomplete', reason: 'max_output_tokens' })
  if (result.reason === 'content_filter') return ended({ status: 'incomplete', reason: 'content_filter' })
  const calls = await runToolCalls(result.calls, signal)
  return calls.next === 'end' ? ended({ status: 'completed' }) : calls
}

const ended = (end: RunEnd) => ({ next: 'end' as const, end })

export function endOfFailure(error: unknown, signal: AbortSignal): RunEnd {
  if (signal.aborted) return endOfAbort(signal.reason)
  const cause = toApiError(error)
  return { status: 'failed', error: toResponseError(cause), cause }
}

function endOfAbort(reason: unknown): RunEnd {
  const kind = reason instanceof RunAbort ? reason.kind : 'reader-gone'
  if (kind === 'reader-gone' || kind === 'cancelled') return { status: 'cancelled' }
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
