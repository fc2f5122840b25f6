/** Readiness: whether new work should be sent here. */
import { ApiError } from '../../protocol/errors.ts'
import { type Answer, json } from '../exchange.ts'
import type { PublicRoute } from '../route-table.ts'
import type { RoutePorts } from './route-ports.ts'

type Ports = Pick<RoutePorts, 'readiness' | 'isDraining'>

export const readyRoutes = (ports: Ports): readonly PublicRoute[] =>
  ['/ready', '/readyz'].map((pattern) => ({
    method: 'GET',
    pattern,
    access: 'public',
    handle: () => answer(ports),
  }))

async function answer({ readiness, isDraining }: Ports): Promise<Answer> {
  if (isDraining()) return notReady(['the server is shutting down'])
  const { ready, reasons } = await readiness()
  return ready ? json({ status: 'ready' }) : notReady(reasons)
}

/** The envelope of every error, and the reasons once more as a list. */
function notReady(reasons: readonly string[]): Answer {
  const message = `The server is not ready: ${reasons.join('; ')}.`
  const error = new ApiError({ status: 503, code: 'not_ready', message })
  return json({ ...error.toBody(), status: 'not_ready', reasons }, error.status)
}
