/** `POST /v1/responses`: one run, and one of two sinks. */
import { type Run, RunAbort } from '../../engine/engine.ts'
import { paddingPool } from '../event-json.ts'
import { type Answer, type AuthorizedCall, json } from '../exchange.ts'
import { callerOnce } from '../idempotency-key.ts'
import type { ProtectedRoute } from '../route-table.ts'
import { runHeaders } from '../run-headers.ts'
import { createFramer, createPaddedFramer, type Framer } from '../sse-frames.ts'
import { toJson } from '../to-json.ts'
import { toSse } from '../to-sse.ts'
import type { RoutePorts } from './route-ports.ts'

type Ports = Pick<RoutePorts, 'engine' | 'validate' | 'telemetry' | 'clock' | 'ids' | 'limits' | 'replier'>
type Shown = { readonly run: Run; readonly warnings: readonly string[] }

export function createResponse(ports: Ports): ProtectedRoute {
  const padding = paddingPool(ports.ids)
  return {
    method: 'POST',
    pattern: '/v1/responses',
    access: 'responses',
    body: 'json',
    async handle(call) {
      const { request, warnings } = ports.validate.createResponse(call.body)
      const run = await ports.engine.createResponse(request, callerOnce(call))
      const shown = { run, warnings: [...warnings, ...run.warnings] }
      if (request.stream !== true) return answerJson(ports, call, shown)
      const padded = request.stream_options?.include_obfuscation !== false
      return stream(ports, call, shown, padded ? createPaddedFramer(ports.ids, padding) : createFramer())
    },
  }
}

async function answerJson({ limits }: Ports, { exchange }: AuthorizedCall, { run, warnings }: Shown): Promise<Answer> {
  try {
    return json(run.queued ?? (await toJson(run.events)))
  } finally {
    // Also on an error: what was tried upstream is then most wanted.
    Object.assign(exchange.headers, runHeaders(run, warnings, limits.warningBytes))
  }
}

async function stream(ports: Ports, call: AuthorizedCall, shown: Shown, framer: Framer): Promise<Answer> {
  const { clock, limits, replier, telemetry } = ports
  const { exchange, response, abort } = call
  const { run, warnings } = shown
  telemetry.streamOpened()
  try {
    await toSse(run.events, {
      response,
      headers: () => ({ ...replier.headers(call), ...runHeaders(run, warnings, limits.warningBytes) }),
      frame: framer,
      clock,
      limits,
      isLog: run.queued !== undefined,
      abort: () => abort.abort(new RunAbort('reader-gone')),
      onFailure: (error) => telemetry.failed({ requestId: exchange.requestId, where: 'to-sse', error }),
    })
  } finally {
    telemetry.streamClosed()
  }
  return { type: 'written' }
}
