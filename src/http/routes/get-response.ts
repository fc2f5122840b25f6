/** `GET /v1/responses/{id}`: the response as it is now or, with `stream=true`, its events from a cursor on. */
import { RunAbort } from '../../engine/engine.ts'
import { responseNotFound } from '../../protocol/errors.ts'
import { paddingPool } from '../event-json.ts'
import { type Answer, type AuthorizedCall, json } from '../exchange.ts'
import { isPlainId, pathParam, readBoolean, readInclude, readIndex } from '../query.ts'
import type { ProtectedRoute } from '../route-table.ts'
import { createFramer, createPaddedFramer } from '../sse-frames.ts'
import { toSse } from '../to-sse.ts'
import type { RoutePorts } from './route-ports.ts'

type Ports = Pick<RoutePorts, 'engine' | 'telemetry' | 'clock' | 'ids' | 'limits' | 'replier'>

export function getResponse(ports: Ports): ProtectedRoute {
  const padding = paddingPool(ports.ids)
  return {
    method: 'GET',
    pattern: '/v1/responses/:id',
    access: 'read',
    body: 'none',
    async handle(call) {
      const { params, query, caller } = call
      readInclude(query)
      const after = readIndex(query, 'starting_after')
      const isPadded = readBoolean(query, 'include_obfuscation', true)
      const wantsStream = readBoolean(query, 'stream')
      const id = pathParam(params, 'id')
      if (!isPlainId(id)) throw responseNotFound(id)
      if (!wantsStream) return json(await ports.engine.getResponse(id, caller))
      const events = await ports.engine.streamResponse(id, after ?? -1, caller)
      return stream(ports, call, { events, frame: isPadded ? createPaddedFramer(ports.ids, padding) : createFramer() })
    },
  }
}

type Shown = Pick<Parameters<typeof toSse>[1], 'frame'> & { readonly events: Parameters<typeof toSse>[0] }

async function stream(ports: Ports, call: AuthorizedCall, { events, frame }: Shown): Promise<Answer> {
  const { clock, limits, replier, telemetry } = ports
  const { exchange, response, abort } = call
  telemetry.streamOpened()
  try {
    await toSse(events, {
      response,
      headers: () => replier.headers(call),
      frame,
      clock,
      limits,
      isLog: true,
      abort: () => abort.abort(new RunAbort('reader-gone')),
      onFailure: (error) => telemetry.failed({ requestId: exchange.requestId, where: 'to-sse', error }),
    })
  } finally {
    telemetry.streamClosed()
  }
  return { type: 'written' }
}
