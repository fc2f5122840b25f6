/** `GET /metrics`: for a key with the scope `admin`, or for everyone where the operator says so. */
import type { Answer } from '../exchange.ts'
import type { Route } from '../route-table.ts'
import type { RoutePorts } from './route-ports.ts'

type Ports = Pick<RoutePorts, 'metrics' | 'openMetrics'>

export function metricsRoute({ metrics, openMetrics }: Ports): Route {
  const handle = async (): Promise<Answer> => {
    const { contentType, body } = await metrics()
    return { type: 'text', contentType, text: body }
  }
  const place = { method: 'GET', pattern: '/metrics' } as const
  return openMetrics ? { ...place, access: 'public', handle } : { ...place, access: 'admin', body: 'none', handle }
}
