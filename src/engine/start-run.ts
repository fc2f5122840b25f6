/** A planned run with its taps: the ledger, the telemetry, and what is written of it. */
import type { TakenRoute } from '../models/model.ts'
import type { CreateDeps } from './create-deps.ts'
import type { Caller, Run } from './engine.ts'
import type { RunPlan } from './plan-run.ts'
import { type Recorder, recordEvents } from './record-events.ts'
import { createRouteLog } from './route-log.ts'
import { openRunContext } from './run-context.ts'
import type { TerminalEvent } from './run-event.ts'
import type { runResponse } from './run-response.ts'
import { createUsageLedger, roughUsage, textChars, type UsageLedger } from './usage-ledger.ts'

/** Turns a plan into events; what `runResponse` promises holds for each. */
export type RunSource = typeof runResponse

export type RunParts = {
  readonly plan: RunPlan
  readonly caller: Caller
  readonly deps: CreateDeps
  readonly source: RunSource
  /** Monotonic milliseconds. */
  readonly startedAt: number
  readonly stream: boolean
  readonly background: boolean
  recorder(ledger: UsageLedger): Omit<Recorder, 'onEnd' | 'onOver'>
  /** The run has ended here, whether that is told or not. */
  onOver(): void
}

/** Nothing happens before the first batch is asked for. */
export function startRun(parts: RunParts): Run {
  const { plan, caller, deps, startedAt } = parts
  const context = openRunContext(openLedger(plan, caller, deps), caller, deps)
  const { ledger } = context
  const { requestId } = caller
  const { provider } = plan.resolved
  for (const param of plan.unsupportedParams) deps.telemetry.unsupportedParam({ requestId, param, provider })
  const routes = createRouteLog(plan)
  const onRoute = (route: TakenRoute) => {
    routes.add(route)
    context.model.onRoute?.(route)
  }
  const events = parts.source(plan, { ...context.model, onRoute }, deps)
  const report = () => ({
    ...routes.report(),
    attempts: ledger.attempts.length,
    upstreamRequestId: ledger.attempts.at(-1)?.upstreamRequestId ?? null,
    overheadMs: deps.clock.monotonic() - startedAt - upstreamMs(ledger),
    costUsd: ledger.costUsd(),
  })
  const onOver = () => {
    context.dispose()
    parts.onOver()
  }
  const onEnd = (event: TerminalEvent) => {
    deps.telemetry.responseFinished({
      requestId: caller.requestId,
      responseId: plan.response.id,
      model: plan.response.model,
      provider: report().provider,
      status: event.response.status,
      stream: parts.stream,
      background: parts.background,
      durationMs: deps.clock.monotonic() - startedAt,
      overheadMs: report().overheadMs,
      firstTokenMs: ledger.attempts.at(-1)?.firstEventMs ?? null,
      usage: event.response.usage,
      costUsd: ledger.costUsd(),
    })
  }
  return {
    responseId: plan.response.id,
    events: recordEvents(events, { ...parts.recorder(ledger), onOver, onEnd }),
    warnings: plan.warnings,
    report,
  }
}

/** The ledger of a run of this plan. */
export const openLedger = (plan: RunPlan, { principal, requestId }: Caller, deps: CreateDeps): UsageLedger =>
  createUsageLedger(deps, {
    store: plan.store,
    responseId: plan.response.id,
    keyId: principal.keyId,
    requestId,
    estimateInput: () => roughUsage(textChars(plan.turn.items) + (plan.turn.instructions?.length ?? 0), 0),
  })

const upstreamMs = (ledger: UsageLedger) => ledger.attempts.reduce((sum, attempt) => sum + attempt.durationMs, 0)
